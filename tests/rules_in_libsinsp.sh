#!/usr/bin/env bash
# The rules in the real libsinsp, with both libraries: tests/rules/check.py. Builds what is missing.
#   tests/rules_in_libsinsp.sh [--bless]
# Where no real host is to be had: "skipped: why", exit 0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}
rc=0
why=$(tests/real-host/real-host.sh setup 2>&1 >/dev/null) || rc=$?
if [ "$rc" = 69 ]; then
  echo "skipped: $why"
  exit 0
elif [ "$rc" != 0 ]; then
  echo "$why" >&2
  exit "$rc"
fi
[ -n "${TFDRIFT_BUILT:-}" ] || cargo build --release --quiet
case $target in /*) ;; *) target=$PWD/$target ;; esac
exec python3 tests/rules/check.py "$@" "$target/release/libtfdrift.so" "$target/release/libcloudtrail.so"
