#!/bin/sh
# Checks docker-compose.yml: against the Compose Specification's JSON schema, and for what it promises (compose.py).
# No container engine is needed. "skipped: why" where Python or the packages cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
requirements="$here/compose-requirements.txt"
mkdir -p "$here/../.cache"
cache=$(cd "$here/../.cache" && pwd)
venv="$cache/compose-$(cksum < "$requirements" | cut -d' ' -f1)"
if [ ! -e "$venv/ready" ]; then
    command -v python3 > /dev/null || { echo "skipped: python3 is not installed"; exit 0; }
    rm -rf "$venv"
    python3 -m venv "$venv"
    if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$requirements"; then
        echo "skipped: the packages of tests/compose-requirements.txt cannot be had"
        exit 0
    fi
    touch "$venv/ready"
fi
exec "$venv/bin/python" "$here/compose.py" "$here/../docker-compose.yml" "$venv"
