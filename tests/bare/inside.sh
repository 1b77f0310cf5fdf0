#!/bin/sh
# The part of run.sh that runs in namespaces of its own: inside.sh PROJECT WORK [--worktree] [--no-tests]
set -eu
project=$1
work=$2
shift 2
worktree=
no_tests=
for option in "$@"; do
    case $option in
        --worktree) worktree=yes ;;
        --no-tests) no_tests=no-tests ;;
        *) echo "unknown option $option" >&2; exit 2 ;;
    esac
done

bare=/var/tmp/breadmate-bare-bookworm
root=$work/root

say() { printf '\n##### %s\n' "$*"; }

# --- the bare system, made once ---
if [ ! -f "$bare/.complete" ]; then
    say "making a bare Debian 12 (once, kept in $bare)"
    rm -rf "$bare"
    # shellcheck disable=SC2016 # apt fills these in
    mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
    timeout 1200 debootstrap --variant=minbase --include=python3 bookworm "$bare" ${mirror:+"$mirror"}
    touch "$bare/.complete"
fi

say "a fresh copy of it"
cp -a --reflink=auto "$bare" "$root"

# --- what this host needs to reach its package registries ---
copy_in() {
    if [ -e "$1" ]; then
        mkdir -p "$root$(dirname "$2")"
        cp -aLT "$1" "$root$2" 2>/dev/null || true # links into nowhere
    fi
}
for path in sources.list sources.list.d apt.conf apt.conf.d auth.conf auth.conf.d trusted.gpg trusted.gpg.d keyrings; do
    copy_in "/etc/apt/$path" "/etc/apt/$path"
done
for path in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs /usr/local/share/ca-certificates /usr/share/keyrings; do
    copy_in "$path" "$path"
done
for path in "${HOME:-/root}/.config/pip/pip.conf" "${HOME:-/root}/.pip/pip.conf"; do
    copy_in "$path" /etc/xdg/pip/pip.conf
done
# Registries that are folders of this host: an index refers to files beside it, so the folder above it comes along.
cat /etc/pip.conf /etc/xdg/pip/pip.conf "$root/etc/xdg/pip/pip.conf" 2>/dev/null >"$work/pip.conf" || true
{ cat "$work/pip.conf"; printf '%s\n' "${PIP_FIND_LINKS:-} ${PIP_INDEX_URL:-} ${PIP_EXTRA_INDEX_URL:-}"; } |
    tr ' =' '\n\n' | sed -n -e 's#^file://[^/]*\(/.*\)/simple/*$#\1#p' -e 's#^file://[^/]*\(/.*\)$#\1#p' -e 's#^\(/.*\)#\1#p' |
    sort -u >"$work/folders"
while read -r folder; do
    if [ -d "$folder" ]; then
        mkdir -p "$root$folder"
        mount --bind "$folder" "$root$folder"
        mount -o remount,ro,bind "$root$folder"
    fi
done <"$work/folders"

# --- what a running system has ---
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
printf 'baker:x:1000:1000::/home/baker:/bin/sh\n' >>"$root/etc/passwd"
printf 'baker:x:1000:\n' >>"$root/etc/group"

clone() {
    mkdir -p "$root$1"
    if [ -n "$worktree" ]; then
        # shellcheck disable=SC2016 # for the inner shell
        (cd "$project" && git ls-files -z --cached --others --exclude-standard |
            xargs -0 sh -c 'for name do if [ -e "$name" ]; then printf "%s\\0" "$name"; fi; done' sh |
            tar --null --no-recursion -T - -cf -) | tar -xf - --no-same-owner -C "$root$1"
    else
        git -c safe.directory='*' clone -q --no-hardlinks "file://$project" "$root$1"
    fi
}

# scenario USER FOLDER OPTION [NAME=VALUE]...: with an empty environment but for what package registries need.
scenario() {
    user=$1
    folder=$2
    option=$3
    shift 3
    env | grep -E '^(PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE=|CURL_CA_BUNDLE=|[A-Za-z_]*_(proxy|PROXY)=)' >"$work/environ" || true
    while read -r line; do
        set -- "$line" "$@"
    done <"$work/environ"
    timeout --kill-after=10 3000 chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 "$@" python3 "$folder/tests/bare/scenario.py" "$folder" "$option"
}

say "clone into paths with a space"
clone "/root/bread mate"
clone "/home/baker/bread mate"
chown -R 1000:1000 "$root/home/baker"

say "an ordinary user on the bare system is told what to type"
scenario 1000:1000 "/home/baker/bread mate" refused HOME=/home/baker

say "root, no HOME, in /root (which nobody else may enter)"
scenario 0:0 "/root/bread mate" "${no_tests:-with-tests}"

say "an ordinary user, now that python3-venv is there"
scenario 1000:1000 "/home/baker/bread mate" no-tests HOME=/home/baker

say "all good"
