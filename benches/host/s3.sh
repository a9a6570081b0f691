#!/usr/bin/env bash
# How fast the plugin reads a bucket over HTTP, and how much memory that takes:
#   s3.sh [-n ROUNDS] [-d FOLDER] [PLUGIN.so]
# Makes objects (gen.py), serves them with slow-s3.go.txt at 0 and 30 ms an answer, and reads them with the C host through
# the library: with and without a folder for the checkpoint, with 20 fields, and one object of 200 MB. Prints the median of
# ROUNDS (3) runs for each. FOLDER keeps objects and programs for the next time; without it they go. Needs Go, Python and cc.
# Server, host and plugin share the machine: what the server takes is missing to the plugin.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
rounds=3 work=
while getopts n:d: option; do case $option in n) rounds=$OPTARG ;; d) work=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
so=$(readlink -f "${1:-$here/../../target/release/libtfdrift.so}")
command -v go >/dev/null || { echo "skipped: no Go on this machine, with which the server is built"; exit 0; }
tmp=$(mktemp -d)
work=${work:-$tmp}
servers=()
end() {
  [ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null || true
  rm -rf "$tmp"
}
trap end EXIT

mkdir -p "$work/server" "$work/root"
[ -x "$work/falcohost" ] || "${CC:-cc}" -O2 -o "$work/falcohost" "$here/falcohost.c" -ldl -lpthread
if [ ! -x "$work/server/slow-s3" ]; then
  cp "$here/slow-s3.go.txt" "$work/server/main.go"
  (cd "$work/server" && GO111MODULE=off GOFLAGS= go build -o slow-s3 main.go)
fi
made() { # NAME RECORDS_AN_OBJECT OBJECTS
  [ -d "$work/root/$1" ] && return
  echo "making $3 objects of $2 records" >&2
  python3 "$here/gen.py" --out "$work/root/$1.new" --files "$3" --records "$2" >/dev/null
  mv "$work/root/$1.new" "$work/root/$1"
}
made many 500 800
made big 150000 1

serve() { # PORT LATENCY
  "$work/server/slow-s3" -root "$work/root" -addr "127.0.0.1:$1" -latency "$2" >"$tmp/server.$1" 2>&1 &
  servers+=($!)
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "the server does not answer on port $1" >&2
  cat "$tmp/server.$1" >&2
  exit 1
}
port=${PORT:-5610}
serve "$port" 0
serve $((port + 1)) 30ms

export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_EC2_METADATA_DISABLED=true
run() { # TITLE PORT BUCKET CHECKPOINT_DIR [HOST'S OPTIONS...]
  local config
  config="{\"aws\":{\"region\":\"us-east-1\",\"endpoint_url\":\"http://127.0.0.1:$2\",\"path_style\":true,\"chain\":[\"environment\"]},\"source\":{\"checkpoint_dir\":\"$4\"}}"
  [ -z "$4" ] || rm -rf "$4"
  "$work/falcohost" --quiet --plugin "$so" --config "$config" --open "s3://$3?once" --bench --max-seconds 120 \
    --label "$1" --summary "$tmp/summary" "${@:5}" 2>"$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
}
for _ in $(seq "$rounds"); do
  run "0 ms" "$port" many ""
  run "30 ms" $((port + 1)) many ""
  run "30 ms, checkpoint" $((port + 1)) many "$tmp/checkpoint"
  run "30 ms, checkpoint, 20 fields" $((port + 1)) many "$tmp/checkpoint" --fields "@$here/fields20.txt"
  run "30 ms, one object of 200 MB" $((port + 1)) big "$tmp/checkpoint"
done

python3 - "$tmp/summary" <<'PY'
import collections, json, statistics, sys
runs = collections.OrderedDict()
for line in open(sys.argv[1]):
    run = json.loads(line, strict=False)
    runs.setdefault(run["label"], []).append(run)
print("| latency of each answer | events | s | first after, s | events/s | CPU s per 100,000 | cores | peak, MiB |")
print("|---|---|---|---|---|---|---|---|")
for label, all in runs.items():
    wrong = [r for r in all if r["end"] != "eof" or r["events"] != r["metrics"]["records_emitted"]]
    if wrong:
        sys.exit(f"{label}: not read to its end: {wrong[0]}")
    m = lambda f: statistics.median(f(r) for r in all)
    cpu = lambda r: r["user_s"] + r["sys_s"]
    print(f"| {label} | {m(lambda r: r['events']):,.0f} | {m(lambda r: r['seconds']):.2f} | {m(lambda r: r['first_event_s']):.2f} "
          f"| {m(lambda r: r['events'] / r['seconds']):,.0f} | {m(lambda r: cpu(r) / r['events'] * 1e5):.2f} "
          f"| {m(lambda r: cpu(r) / r['seconds']):.2f} | {max(r['rss_peak_kb'] for r in all) / 1024:.0f} |")
PY
