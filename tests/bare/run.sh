#!/bin/sh
# Proves that a Debian 12 with nothing but Python can run BreadMate: a fresh system in a folder, a clean clone in it under
# a path with a space, and scenario.py, which does with it what an outside examiner would do. Needs root and debootstrap.
#
#   tests/bare/run.sh               the committed tree
#   tests/bare/run.sh --worktree    the files as they are now
#   tests/bare/run.sh --no-tests    ... without running ./test in there
#
# The bare system is made once and kept in /var/tmp. Everything else happens in namespaces of its own: whatever goes
# wrong, mounts and processes end with them.
set -eu
project=$(cd -- "$(dirname -- "$0")/../.." && pwd)

if [ "$(id -u)" -ne 0 ]; then
    echo "tests/bare needs root: it makes a system of its own." >&2
    exit 1
fi
for program in debootstrap unshare setpriv git; do
    if ! command -v "$program" >/dev/null; then
        echo "tests/bare needs $program. Type:  apt-get install -y debootstrap util-linux git" >&2
        exit 1
    fi
done

work=$(mktemp -d /var/tmp/breadmate-bare.XXXXXX)
pid=
finish() {
    code=$?
    trap - EXIT INT TERM HUP
    if [ -n "$pid" ]; then
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    for _ in 1 2 3 4 5; do
        rm -rf --one-file-system "$work" 2>/dev/null && break
        sleep 1
    done
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child sh "$project/tests/bare/inside.sh" "$project" "$work" "$@" </dev/null &
pid=$!
wait "$pid"
