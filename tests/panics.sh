#!/usr/bin/env bash
# A panic at every entry of the plugin, in three hosts: falco_plugin_runner, the C host, and the real libsinsp where it
# can be had. Builds the libraries once with the feature panic-injection, and once more without it at the end, so that
# target/release holds what users get. Prints one line a case; exit 1 when one failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}
tmp=$(mktemp -d)
restore() {
  rm -rf "$tmp"
  cargo build --release --quiet -p libtfdrift -p libcloudtrail
}
trap restore EXIT

cargo test --release --quiet -p tfdrift --features panic-injection --test panics
cargo build --release --quiet -p libtfdrift --features libtfdrift/panic-injection
cp "$target/release/libtfdrift.so" "$tmp/panicking.so"
"${CC:-cc}" -O1 -o "$tmp/falcohost" benches/host/falcohost.c -ldl -lpthread
seed=examples/seed
config="{\"source\":{\"checkpoint_dir\":\"\"},\"state\":{\"places\":[{\"file\":\"$PWD/$seed/terraform.tfstate\"}]}}"
entries='get_required_api_version get_version get_name get_description get_contact get_init_schema init destroy
  get_last_error get_metrics get_id get_event_source list_open_params open close next_batch next_batch:1 next_batch:2 batch:3
  batch get_progress event_to_string get_extract_event_types get_extract_event_sources get_fields extract_fields field'
failed=0

# lives TITLE COMMAND...: any end but that by a signal (or abort) will do; a host that only ever hears "not yet" is stopped
lives() {
  local rc=0
  timeout 10 "${@:2}" >"$tmp/out" 2>"$tmp/err" || rc=$?
  if [ "$rc" -le 124 ]; then echo "ok   $1"; else
    failed=$((failed + 1))
    printf 'FAIL %s: exit %s\n' "$1" "$rc"
    tail -5 "$tmp/err"
  fi
}

for entry in $entries; do
  lives "C host, $entry" env TFDRIFT_PANIC="$entry" "$tmp/falcohost" --plugin "$tmp/panicking.so" --config "$config" \
    --open "$seed/AWSLogs" --bench --string --fields ct.id,ct.info,tf.drift,tf.address,ec2.imageids --max-seconds 2 --progress 0.1
  case $entry in
  next_batch:* | batch:3 | field | extract_fields | event_to_string | get_metrics | get_progress)
    grep -q '"end":"eof"' "$tmp/out" || { failed=$((failed + 1)); echo "FAIL $entry: not read to the end"; cat "$tmp/out"; }
    grep -q 'panic in' "$tmp/err" || { failed=$((failed + 1)); echo "FAIL $entry: nothing in the log"; }
    ;;
  esac
done

if tests/real-host/real-host.sh setup >/dev/null 2>&1; then
  for entry in $entries; do
    lives "libsinsp, $entry" env TFDRIFT_PANIC="$entry" tests/real-host/real-host.sh sinsp-host --plugin "$tmp/panicking.so" \
      --init "$config" --open "$seed/AWSLogs" --filter 'ct.id exists and tf.managed exists' --format '%ct.id %tf.address'
  done
else
  echo "skipped: no real libsinsp to be had here"
fi
[ "$failed" = 0 ] || { echo "$failed failed"; exit 1; }
