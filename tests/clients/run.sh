#!/bin/sh
# Makes a Python and a TypeScript client from docs/schema.yml, compiles both, and places an order with each at a shop of its own.
# Needs the Internet and npm, so it is no part of ./test. Called by `make clients-check`.
set -eu
cd -- "$(dirname -- "$0")/../.."
here=$(pwd)
work=$(mktemp -d)
shop=""
leave() {
    [ -z "$shop" ] || kill -INT "$shop" 2>/dev/null || true
    [ -z "$shop" ] || wait "$shop" || true
    rm -rf -- "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

uv() { "$here/.venv/bin/python" -m uv --quiet "$@"; }

echo "== Python: generate, compile"
uv tool run --from openapi-python-client==0.29.0 openapi-python-client generate \
    --path docs/schema.yml --meta none --output-path "$work/breadmate_client"
cp tests/clients/order.py "$work"
(cd "$work" && uv tool run --with attrs==25.4.0 --with httpx==0.28.1 --with python-dateutil==2.9.0.post0 --from mypy==1.19.0 \
    mypy --strict --follow-imports=silent order.py)

echo "== TypeScript: generate, compile"
cp tests/clients/package.json tests/clients/package-lock.json tests/clients/tsconfig.json tests/clients/order.ts "$work"
npm --prefix "$work" ci --silent --no-audit --no-fund
(cd "$work" && npx --no-install openapi-typescript "$here/docs/schema.yml" --output schema.d.ts --default-non-nullable=false && npx --no-install tsc)

echo "== an order with each"
export RUN_DIR="$work/run" PORT="${PORT:-8990}"
: > "$work/run.log"
./run > "$work/run.log" 2>&1 &
shop=$!
tries=0
until grep -q "READY in" "$work/run.log"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 180 ] || ! kill -0 "$shop" 2>/dev/null; then
        tail -n 30 "$work/run.log" >&2
        exit 1
    fi
    sleep 1
done
token=$(.venv/bin/python -c 'import json, sys; print(json.load(open(sys.argv[1]))["stores"][0]["devices"]["kiosk"])' "$RUN_DIR/demo.json")
with_python=$(cd "$work" && uv run --no-project --with attrs==25.4.0 --with httpx==0.28.1 --with python-dateutil==2.9.0.post0 \
    python order.py "http://127.0.0.1:$PORT" "$token")
with_typescript=$(cd "$work" && npx --no-install tsx order.ts "http://127.0.0.1:$PORT" "$token")
echo "Python: $with_python"
echo "TypeScript: $with_typescript"
case "$with_python/$with_typescript" in
    T*" awaiting_payment/T"*" awaiting_payment") echo "== both clients order" ;;
    *) exit 1 ;;
esac
