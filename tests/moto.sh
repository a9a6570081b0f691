#!/bin/sh
# Sets up moto (a server that stands in for AWS) and prints the path of the Python interpreter that has it.
# The folder .cache/moto-HASH belongs to exactly this requirements.txt; a second call costs nothing.
# Fails with a reason on stderr where Python or the packages cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
requirements="$here/requirements.txt"
name="moto-$(cksum < "$requirements" | cut -d' ' -f1)"
cache="$here/../.cache"
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
venv="$cache/$name"
if [ ! -e "$venv/ready" ]; then
    command -v python3 > /dev/null || { echo "python3 is not installed" >&2; exit 1; }
    # Several test programs may come here at once: one sets up, the others wait.
    exec 9> "$cache/$name.lock"
    if command -v flock > /dev/null; then flock 9; fi
    if [ ! -e "$venv/ready" ]; then
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$requirements" >&2
        touch "$venv/ready"
    fi
fi
echo "$venv/bin/python"
