#!/bin/sh
# Builds the image without a container engine, on a stand-in for its base image made by debootstrap, and has
# test_image.py start every role of it and take one order through. Needs root, buildah and debootstrap; no registry.
# The stand-in is made once and kept in /var/tmp.
set -eu
project=$(cd -- "$(dirname -- "$0")/../.." && pwd)
if [ "$(id -u)" -ne 0 ]; then
    echo "image-check needs root: it makes file systems." >&2
    exit 1
fi
for program in buildah debootstrap; do
    if ! command -v "$program" >/dev/null; then
        echo "image-check needs $program. Type:  apt-get install -y --no-install-recommends buildah debootstrap" >&2
        exit 1
    fi
done
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
base=$(sed -n 's/^FROM \(python[^ ]*\) AS .*/docker.io\/library\/\1/p' "$project/Dockerfile")

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    echo "== a stand-in for $base"
    work=$(mktemp -d /var/tmp/breadmate-image.XXXXXX)
    trap 'rm -rf --one-file-system "$work"' EXIT INT TERM
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates bookworm "$work/root" >"$work/log" ||
        { tail "$work/log" >&2; exit 1; }
    mkdir "$work/context"
    tar -C "$work/root" -cf "$work/context/root.tar" .
    printf 'FROM scratch\nADD root.tar /\n' >"$work/Dockerfile"
    buildah bud -q -t "$base" -f "$work/Dockerfile" "$work/context" >/dev/null
fi

# What pip needs to reach this machine's package index: its configuration, certificates, and folders it names.
set --
for path in /etc/pip.conf /etc/ssl/certs $(python3 -m pip config list 2>/dev/null | grep -o '/[A-Za-z0-9_./-]*' | sort -u); do
    path=${path#//}
    [ "${path#/}" = "$path" ] && path="/$path"
    path=${path%/simple}
    if [ -e "$path" ] && [ "${path#/etc/ssl/certs/}" = "$path" ]; then
        set -- "$@" --volume "$path:$path:ro"
    fi
done

echo "== the image"
begun=$(date +%s)
buildah bud -q --pull=never --network host "$@" -t localhost/breadmate:check -f "$project/Dockerfile" "$project" >/dev/null
echo "== built in $(($(date +%s) - begun)) s"
cd "$project"
exec .venv/bin/python -m pytest -q -s --randomly-dont-reorganize tests/image
