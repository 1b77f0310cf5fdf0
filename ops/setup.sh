# Sourced by ./run, ./test and the Makefile, in the project folder: finds a Python and has it set up .venv.
# POSIX sh; a fresh Debian with python3 alone must get through here.

find_python() {
    for candidate in .venv/bin/python python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    echo "BreadMate needs Python 3.11 or newer. On Debian or Ubuntu type:  sudo apt-get install -y python3 python3-venv" >&2
    return 1
}

# set_up run | set_up test [--browser]: exit code 3 says that all is there but a browser.
set_up() {
    setup_python=$(find_python) || return 1
    "$setup_python" breadmate/up/install.py "$@"
}
