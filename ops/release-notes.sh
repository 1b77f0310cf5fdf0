#!/bin/sh
# Prints what CHANGELOG.md says of one version: ops/release-notes.sh 0.1.0
set -eu
version=${1:?a version}
cd -- "$(dirname -- "$0")/.."
notes=$(awk -v heading="## $version" 'index($0, heading) == 1 {found = 1; next} /^## / {found = 0} found' CHANGELOG.md)
if [ -z "$notes" ]; then
    echo "CHANGELOG.md says nothing of $version" >&2
    exit 1
fi
printf '%s\n' "$notes"
