#!/bin/sh
# Starts one role of BreadMate in a container; anything else is a manage.py command.
set -eu
listen="0.0.0.0:${PORT:-8000}"
gunicorn="python -m gunicorn -c python:breadmate.gunicorn --no-control-socket --log-level warning --worker-tmp-dir /dev/shm -b $listen"
if [ -n "${PROMETHEUS_MULTIPROC_DIR:-}" ]; then
    mkdir -p "$PROMETHEUS_MULTIPROC_DIR"
fi

# shellcheck disable=SC2086 # the command is a list of words on purpose
case "${1:-web}" in
web)
    export BREADMATE_ROLE=web
    exec $gunicorn breadmate.wsgi:application -k breadmate.gunicorn.Worker \
        -w "${WEB_WORKERS:-2}" --threads 8 --graceful-timeout 25 --keep-alive 30
    ;;
stream)
    export BREADMATE_ROLE=stream
    exec $gunicorn breadmate.asgi:application -k breadmate.streaming.Worker -w 1 --graceful-timeout 2
    ;;
engine)
    export BREADMATE_ROLE=engine
    exec python manage.py engine
    ;;
worker)
    export BREADMATE_ROLE=worker
    exec python -m celery -A breadmate worker -P threads -c 4 -l WARNING --without-gossip --without-mingle
    ;;
*)
    export DB_POOL=0
    exec python manage.py "$@"
    ;;
esac
