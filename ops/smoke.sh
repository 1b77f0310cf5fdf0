#!/bin/sh
# Looks from outside whether a shop is up: ops/smoke.sh https://pedidos.padaria.example
set -eu
base=${1:?the address of the shop}

look() {
    told=$(curl --silent --show-error --max-time 10 --retry 5 --retry-all-errors --output /dev/null --write-out '%{http_code}' "$base$1")
    echo "$told $1"
    [ "$told" = "$2" ]
}

look /api/v1/health/ready 200
look /api/v1/schema 200
look /kiosk/ 200
look /admin/login/ 200
look /api/v1/orders 401
