#!/usr/bin/env bash
# Carries out the commands of Dockerfile.falco in plain folders, where there is no container engine: the stage `build` in
# this checkout, the stages after it in a folder that stands for the image's root. Then looks whether what came out works:
# the command runs, the rules and the configuration are those that the plugin takes, in a real libsinsp where one is to be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() { echo "Dockerfile.falco: $*" >&2; exit 1; }

stage=
while read -r word rest; do
  case $word in
  '' | '#'* | ARG | ENV | CMD) ;;
  FROM) stage=${rest##* AS } && [ "$stage" != "$rest" ] || stage=image ;;
  WORKDIR) [ "$stage" = build ] && workdir=$rest ;;
  RUN)
    if [ "$stage" = build ]; then
      # the checkout is the build folder: what is built already stays
      if [ -z "${TFDRIFT_BUILT:-}" ]; then sh -ec "$rest"; else echo "built already: $rest"; fi
    else
      (cd "$root" && sh -ec "$(printf '%s' "$rest" | sed -E "s# /# $root/#g")")
    fi
    ;;
  COPY)
    read -ra words <<<"$rest"
    to=${words[-1]} from=()
    for w in "${words[@]:0:${#words[@]}-1}"; do
      case $w in
      --from=build) ;;
      "${workdir:-/build}"/target/*) from+=("${CARGO_TARGET_DIR:-target}/${w#"${workdir:-/build}"/target/}") ;;
      "${workdir:-/build}"/*) from+=("${w#"${workdir:-/build}"/}") ;;
      -*) fail "this script does not know $w" ;;
      *) from+=("$w") ;;
      esac
    done
    if [ "$stage" = build ]; then continue; fi
    case $to in */) mkdir -p "$root$to" ;; *) mkdir -p "$root$(dirname "$to")" ;; esac
    cp "${from[@]}" "$root$to" || fail "COPY $rest"
    ;;
  *) fail "this script does not know the instruction $word" ;;
  esac
done <Dockerfile.falco

for f in usr/share/falco/plugins/libtfdrift.so usr/bin/tfdrift etc/falco/falco.yaml etc/falco/tfdrift_rules.yaml etc/falco/aws_cloudtrail_rules.yaml; do
  [ -s "$root/$f" ] || fail "the image has no /$f"
done
"$root/usr/bin/tfdrift" --version
grep -o '^- /etc/falco/[a-z_.]*' "$root/etc/falco/falco.yaml" | while read -r _ f; do [ -e "$root$f" ] || fail "falco.yaml names $f, which the image does not have"; done
# Falco's image has these; anything more would have to be added
bad=$(readelf -d "$root/usr/share/falco/plugins/libtfdrift.so" | sed -n 's/.*NEEDED.*\[\(.*\)\].*/\1/p' | grep -vxE 'libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|ld-linux-x86-64\.so\.2' || true)
[ -z "$bad" ] || fail "the plugin needs libraries that the image does not have: $bad"

rc=0
why=$(tests/real-host/real-host.sh setup 2>&1 >/dev/null) || rc=$?
if [ "$rc" = 69 ]; then echo "skipped: loading it: $why"; exit 0; fi
[ "$rc" = 0 ] || fail "$why"
plugin=$root/usr/share/falco/plugins/libtfdrift.so
# the settings of falco.yaml and of the fragments, as Falco would hand them over
for f in "$root/etc/falco/falco.yaml" plugin-config/minimal.yaml plugin-config/full.yaml; do
  tests/real-host/real-host.sh sinsp-host --plugin "$plugin" --falco-config "$f" --compile-only \
    --rules "$root/etc/falco/tfdrift_rules.yaml" --rules "$root/etc/falco/aws_cloudtrail_rules.yaml" || fail "$f: the plugin or the rules do not load"
done
# and a run, with the image's own falco.yaml but for the place of the states
mkdir -p "$root/states"
cp examples/seed/terraform.tfstate "$root/states/"
sed "s#/etc/tfdrift/states#$root/states#" "$root/etc/falco/falco.yaml" >"$root/falco.yaml"
tests/real-host/real-host.sh sinsp-host --plugin "$plugin" --falco-config "$root/falco.yaml" --open examples/seed \
  --rules "$root/etc/falco/tfdrift_rules.yaml" --quiet | tail -1 >"$root/end" || fail "the run over examples/seed failed: $(cat "$root/end")"
grep -q '"Terraform resource drifted":[1-9]' "$root/end" || fail "no alert over examples/seed: $(cat "$root/end")"
echo "Dockerfile.falco: what it makes works"
