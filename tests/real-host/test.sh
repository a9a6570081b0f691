#!/usr/bin/env bash
# Tests of the host itself and of its reader of Falco's rules, with a plugin of their own (word-plugin.c).
# Needs no other part of the project. Prints one line a test; exit 1 when one failed, 69 where no host is to be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$here/real-host.sh" setup >/dev/null || exit $?
dir=$("$here/real-host.sh" info | sed -n 's/^dir //p')
"${CC:-cc}" -shared -fPIC -O1 -fvisibility=hidden -I"$dir/include/usr/include/falcosecurity" "$here/word-plugin.c" -o "$tmp/words.so"

failed=0 done=0
host() { "$dir/bin/sinsp-host" --plugin "$tmp/words.so" "$@"; }
# is TITLE EXPECTED GOT
is() {
  done=$((done + 1))
  if [ "$2" = "$3" ]; then echo "ok   $1"; else
    failed=$((failed + 1))
    printf 'FAIL %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
  fi
}
has() { case $3 in *"$2"*) is "$1" x x ;; *) is "$1" "…$2…" "$3" ;; esac; }
# rules_are TITLE EXPECTED OPEN < rules: the events' names by the rule that matched them, "rule:word …"
matched() {
  local out
  out=$(host --open "$1" --rules "${@:2}") || { printf '%s' "$out"; return; }
  printf '%s\n' "$out" | sed -n 's/.*"output":"\([^"]*\)".*"rule":"\([^"]*\)".*/\2=\1/p' | tr '\n' ' '
}
rule() { # NAME CONDITION [MORE LINES]
  printf -- '- rule: %s\n  desc: d\n  condition: %s\n  output: "%%word.name"\n  priority: WARNING\n  source: words\n' "$1" "$2"
  [ $# -lt 3 ] || printf '  %s\n' "${@:3}"
}
words='red:7:a+b green:8: blue::c'
f=$tmp/rules.yaml g=$tmp/local.yaml

# --- the host
is "lists the plugin's fields" '"word.name""word.n""word.list""word.arg"' "$(host --list | grep -o '"word\.[a-z]*"' | tr -d '\n')"
is 'prints every event without a rule' 3 "$(host --open "$words" | grep -c '"rule":"all"')"
has 'time is the event’s own' '"ts":1793577600000000000' "$(host --open red)"
is 'an absent value is null, the line stays' 1 "$(host --open "$words" --filter 'word.name = blue' --format '%word.n' | grep -c '"word.n":null')"
host --open refuse >"$tmp/out" || rc=$?
is 'open refused: exit 1' 1 "${rc:-0}"
has 'open refused: the text' 'refused as asked' "$(cat "$tmp/out")"
rc=0; host --open 'red fail green' >"$tmp/out" || rc=$?
is 'next_batch failed: exit 3' 3 "$rc"
has 'next_batch failed: the text and the events before' '"events":1' "$(cat "$tmp/out")"
rc=0; host --open red --filter 'word.nothing = 1' >"$tmp/out" || rc=$?
is 'unknown field: exit 2' 2 "$rc"

# --- lists, macros, the order of definitions
{ printf -- '- list: warm\n  items: [red, "deep orange"]\n- list: all\n  items: [warm, blue]\n'
  printf -- '- macro: is_warm\n  condition: word.name in (warm)\n'
  rule one 'is_warm and word.n > 6'; rule two 'word.name in (all, green)'; } >"$f"
is 'lists in lists, macros' 'one=red two=red two=green two=blue ' "$(matched "$words" "$f")"
is 'first gives one alert per event' 'one=red two=green two=blue ' "$(matched "$words" "$f" --rule-matching first)"
printf -- '- list: warm\n  items: [green]\n' >"$g"
is 'a list defined again, in a later file' 'one=green two=green two=blue ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- macro: is_warm\n  condition: word.name = green\n' >"$g"
is 'a macro defined again, in a later file' 'two=red one=green two=green two=blue ' "$(matched "$words" "$f" --rules "$g")"
{ rule one 'word.name in (none)'; rule two 'not word.name in (none)'; printf -- '- list: none\n  items: []\n'; } >"$f"
is 'an empty list' 'two=red two=green two=blue ' "$(matched "$words" "$f")"
{ printf -- '- macro: a\n  condition: b\n- macro: b\n  condition: word.n > 7\n'; rule one a; } >"$f"
has 'a macro does not see one defined below it' '"error"' "$(matched "$words" "$f")"

{ printf -- '- list: keyed\n  items: ["%s", plain]\n' "'m[\\\"a\\\"].x[0]'"; rule one 'word.name in (keyed)'; } >"$f"
is 'an address with a key, in quotes within quotes' 2 "$(host --open 'm["a"].x[0]:1: plain:2: z:3:' --rules "$f" | grep -c '"rule":"one"')"

# --- append
{ printf -- '- list: warm\n  items: [red]\n'; rule one 'word.name in (warm)'; } >"$f"
printf -- '- list: warm\n  items: [green]\n  append: true\n' >"$g"
is 'append to a list' 'one=red one=green ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: one\n  condition: or word.name = blue\n  append: true\n' >"$g"
is 'append to a condition' 'one=red one=blue ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: none\n  condition: or word.name = blue\n  append: true\n' >"$g"
has 'append to nothing is refused' 'no rule by that name already exists' "$(matched "$words" "$f" --rules "$g")"

# --- override
printf -- '- rule: one\n  condition: and word.n > 100\n  override: {condition: append}\n' >"$g"
is 'override: condition append' '' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: one\n  condition: word.n exists\n  output: "now %%word.name"\n  override: {condition: replace, output: replace}\n' >"$g"
is 'override: condition and output replace' 'one=now red one=now green ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- list: warm\n  items: [green]\n  override: {items: append}\n' >"$g"
is 'override: items append' 'one=red one=green ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: one\n  enabled: false\n  override: {enabled: replace}\n' >"$g"
is 'override: enabled replace' '' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: one\n  priority: critical\n  override: {priority: replace}\n' >"$g"
has 'override: priority replace' '"priority":"Critical"' "$(host --open red --rules "$f" --rules "$g")"
printf -- '- rule: one\n  priority: critical\n  output: x\n  override: {priority: replace}\n' >"$g"
has 'a key without its override is refused' "unexpected key 'output'" "$(matched red "$f" --rules "$g")"
printf -- '- rule: one\n  priority: critical\n  override: {priority: append}\n' >"$g"
has 'a priority cannot be appended to' 'cannot be appended to' "$(matched red "$f" --rules "$g")"
printf -- '- rule: one\n  condition: or word.n = 1\n  append: true\n  override: {condition: append}\n' >"$g"
has 'append and override together are refused' 'cannot be used together' "$(matched red "$f" --rules "$g")"
printf -- '- rule: one\n  enabled: false\n' >"$g"
has 'switched off, and named as left out' '"skipped":["one"]' "$(host --open red --rules "$f" --rules "$g")"

# --- exceptions
rule one 'word.name exists or word.n = 99' 'exceptions:' '- {name: named, fields: word.name, values: [red, "deep orange"]}' >"$f"
is 'one field, in' 'one=green one=blue ' "$(matched "$words" "$f")"
rule one 'word.name exists' 'exceptions:' '- {name: both, fields: [word.name, word.n], comps: [=, in], values: [[red, [1, 7]], [green, [9]]]}' >"$f"
is 'two fields, with comps and lists' 'one=green one=blue ' "$(matched "$words" "$f")"
rule one 'word.name exists' 'exceptions:' '- {name: both, fields: [word.name, word.n], values: [[red, 7], [green, 9]]}' >"$f"
is 'two fields, = by default' 'one=green one=blue ' "$(matched "$words" "$f")"
rule one 'word.name exists' 'exceptions:' '- {name: lists, fields: [word.list], comps: [intersects], values: [[[b, x]]]}' >"$f"
is 'intersects' 'one=green one=blue ' "$(matched "$words" "$f")"
rule one 'word.name exists' 'exceptions:' '- {name: named, fields: [word.name], comps: [in]}' >"$f"
is 'without values nothing is left out' 'one=red one=green one=blue ' "$(matched "$words" "$f")"
printf -- '- rule: one\n  exceptions:\n  - {name: named, values: [[[red, blue]]]}\n  override: {exceptions: append}\n' >"$g"
is 'values appended by override' 'one=green ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: one\n  exceptions:\n  - {name: numbers, fields: [word.n], comps: [">"], values: [[7]]}\n  append: true\n' >"$g"
is 'an exception of its own appended' 'one=red one=blue ' "$(matched "$words" "$f" --rules "$g")"
printf -- '- rule: one\n  exceptions:\n  - {name: named, fields: [word.n], values: [[7]]}\n  append: true\n' >"$g"
has 'fields of an exception cannot be appended' 'only values can be appended' "$(matched red "$f" --rules "$g")"
rule one 'word.name exists' 'exceptions:' '- {name: both, fields: [word.name, word.n], values: [[red]]}' >"$f"
has 'too few values' 'equal length' "$(matched red "$f")"
rule one 'word.name exists' 'exceptions:' '- {name: both, fields: word.name, comps: startswith, values: [red]}' >"$f"
has 'a comparison that a single field cannot have' 'must be one of' "$(matched red "$f")"

# --- versions
versions() { { printf -- "$1"; rule one 'word.name exists'; } >"$f"; matched red "$f" "${@:2}"; }
is 'engine 26 is 0.26.0' 'one=red ' "$(versions '- required_engine_version: 26\n')"
has 'engine too old' 'rules require engine version 0.51.0, but engine version is 0.50.0' "$(versions '- required_engine_version: 0.51.0\n')"
is 'a newer engine' 'one=red ' "$(versions '- required_engine_version: 0.51.0\n' --engine-version 0.57.0)"
is 'plugin version satisfied' 'one=red ' "$(versions '- required_plugin_versions:\n  - {name: words, version: 1.3.9}\n')"
has 'plugin too old' 'must load one of: words >= 1.5.0' "$(versions '- required_plugin_versions:\n  - {name: words, version: 1.5.0}\n')"
has 'another major version does not fit' 'must load one of: words >= 0.9.0' "$(versions '- required_plugin_versions:\n  - {name: words, version: 0.9.0}\n')"
is 'an alternative' 'one=red ' "$(versions '- required_plugin_versions:\n  - name: letters\n    version: 0.1.0\n    alternatives:\n    - {name: words, version: 1.0.0}\n')"
has 'no alternative fits' 'letters >= 0.1.0 or digits >= 1.0.0' "$(versions '- required_plugin_versions:\n  - name: letters\n    version: 0.1.0\n    alternatives:\n    - {name: digits, version: 1.0.0}\n')"

# --- Falco's configuration
printf 'load_plugins: [words]\nplugins:\n- name: words\n  library_path: words.so\n  init_config: {account: "111122223333", zero: "012345678901", n: 7, yes: "yes", env: "a-${COLOUR}-$${COLOUR}", list: [x]}\n  open_params: ${COLOUR}\n' >"$f"
is 'init_config becomes JSON as in Falco' '{"account":111122223333.0,"env":"a-red-${COLOUR}","list":["x"],"n":7,"yes":true,"zero":12345678901.0} red' "$(COLOUR=red host --falco-config "$f" --show-init | head -1)"
is 'open_params come from there' 1 "$(COLOUR=red host --falco-config "$f" | grep -c '"output":"1 red"')"
printf 'load_plugins: []\nplugins:\n- {name: words, library_path: words.so}\n' >"$f"
has 'a plugin that is not loaded' 'does not load a plugin words' "$(host --falco-config "$f" || true)"

# --- refused, never ignored
has 'unknown key of a rule' "unknown key 'colour'" "$(rule one 'word.n = 7' 'colour: red' >"$f"; matched red "$f")"
has 'unknown item' 'unknown top level item' "$(printf -- '- rules: x\n' >"$f"; matched red "$f")"
has 'invalid priority, with file and line' 'rules.yaml:5: invalid priority' "$(rule one 'word.n = 7' | sed 's/WARNING/LOUD/' >"$f"; matched red "$f")"
has 'another source is left out' '"skipped":["one"]' "$(rule one 'word.n = 7' | grep -v source: >"$f"; host --open red --rules "$f")"

echo "$done tests, $failed failed"
[ "$failed" = 0 ]
