#!/bin/sh
# Sets up a server that stands in for a cloud's object store, and prints the words of the command that runs it, one a line.
#   tests/emulators.sh azurite    Azurite's blob service: needs Node.js and npm
#   tests/emulators.sh gcs        fake-gcs-server: needs Go
# The folder .cache/NAME-HASH belongs to exactly these lock files; a second call costs nothing.
# Fails with a reason on stderr where the tools or the packages cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)/emulators
case "${1:-}" in
azurite) needs="node npm"; sources="package.json package-lock.json" ;;
gcs) needs="go"; sources="go.mod go.sum gcs.go" ;;
*) echo "usage: tests/emulators.sh azurite|gcs" >&2; exit 64 ;;
esac
name="$1-$(cd "$here" && cat $sources | cksum | cut -d' ' -f1)"
cache="$here/../../.cache"
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
folder="$cache/$name"
if [ ! -e "$folder/ready" ]; then
    for tool in $needs; do
        command -v "$tool" > /dev/null || { echo "$tool is not installed" >&2; exit 1; }
    done
    # Several test programs may come here at once: one sets up, the others wait.
    exec 9> "$cache/$name.lock"
    if command -v flock > /dev/null; then flock 9; fi
    if [ ! -e "$folder/ready" ]; then
        rm -rf "$folder"
        mkdir "$folder"
        case "$1" in
        azurite)
            cp "$here/package.json" "$here/package-lock.json" "$folder"
            # The scripts of packages are not needed, so they do not run.
            (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
            ;;
        gcs) (cd "$here" && GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false -o "$folder/gcs" . >&2) ;;
        esac
        touch "$folder/ready"
    fi
fi
case "$1" in
azurite) printf '%s\n' node "$here/azurite.js" "$folder" ;;
gcs) printf '%s\n' "$folder/gcs" ;;
esac
