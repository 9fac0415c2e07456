#!/bin/sh
# Make or refresh .venv from requirements.lock: make_venv.sh PYTHON
#
# Only a Python is assumed. Every package is checked against the hash in the lock; the
# project itself is then linked in without asking for anything more.
set -eu
cd "$(dirname "$0")/.."
python=$1

say() { echo "make: $*" >&2; }

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found=$("$python" --version 2>/dev/null) || found="not there"
    say "Kintung needs Python 3.11 or later and '$python' is ${found}: choose another with PYTHON=/path/to/python3."
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then  # Debian keeps both in a package of their own
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package"; } >/dev/null
    else
        say "Python's venv module is missing: install it (Debian: sudo apt-get install $package), then run this again."
        exit 1
    fi
fi

# A .venv that has lost its Python, or has that of another version, is made anew.
version='import sys; print(sys.version_info[:2])'
if [ "$(.venv/bin/python -c "$version" 2>/dev/null)" != "$("$python" -c "$version")" ] ||
    ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

say "installing the locked packages into .venv; the first time takes a minute or two"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
