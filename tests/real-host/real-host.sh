#!/usr/bin/env bash
# real-host.sh: puts a real Falco-libs host (libsinsp, sysdig) beside this machine's own Debian,
# to load a Falco plugin into it. Nothing is installed on the machine: Debian packages of a newer
# suite are unpacked into a cache folder and run there with their own dynamic loader and libc.
#
#   real-host.sh setup               make the host if it is not there yet (about 18 s of CPU, 8 MB to fetch)
#   real-host.sh sysdig ARGS...      the real sysdig          (suites that have it)
#   real-host.sh sinsp-host ARGS...  our own small host around libsinsp: JSON lines, Falco rules
#   real-host.sh info                what is there
#
#   TFDRIFT_REAL_HOST_DIR    cache folder       (default: ~/.cache/tfdrift-real-host)
#   TFDRIFT_REAL_HOST_SUITE  Debian suites to try, in this order (default: "forky sid")
#
# The mirror, proxies and keys are those of the machine's own apt.
# Exit status of setup: 0 ready, 69 the packages cannot be had now, 70 anything else.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${TFDRIFT_REAL_HOST_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tfdrift-real-host}
suites=${TFDRIFT_REAL_HOST_SUITE:-forky sid}
arch=$(dpkg --print-architecture)
tri=$(uname -m)-linux-gnu
CXX=${CXX:-g++}
say() { printf 'real-host: %s\n' "$*" >&2; }
die() { local rc=$1; shift; say "$*"; exit "$rc"; }

retry() { # three tries: a mirror may be changing under us
  local i
  for i in 1 2 3; do
    if timeout 300 "$@" >>"$log" 2>&1; then return 0; fi
    sleep $((i * 3))
  done
  return 1
}

# the main archive that this machine's apt uses for its own release (asks nothing of the network)
mirror() {
  local codename
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  apt-get update --print-uris 2>/dev/null |
    sed -n "s|^'\\(.*\\)/dists/$codename/InRelease'.*|\\1|p" | awk 'NR == 1'
}

private_apt() { # FOLDER SUITE: an apt that knows only that suite and an empty machine
  local a=$1 suite=$2 uri key=/usr/share/keyrings/debian-archive-keyring.gpg signed=
  uri=$(mirror)
  [ -n "$uri" ] || die 70 "this machine's apt names no Debian archive"
  [ -r "$key" ] && signed=" signed-by=$key"
  mkdir -p "$a"/state/lists/partial "$a"/cache/archives/partial
  : >"$a/state/status"
  echo "deb [arch=$arch$signed] $uri $suite main" >"$a/sources.list"
  cat >"$a/apt.conf" <<CONF
Dir::State "$a/state";
Dir::State::status "$a/state/status";
Dir::Cache "$a/cache";
Dir::Etc::sourcelist "$a/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "";
APT::Install-Recommends "false";
CONF
}

wrapper() { # FILE PROGRAM: run PROGRAM (relative to the root) with the root's own loader
  cat >"$1" <<WRAP
#!/bin/sh
r=\$(CDPATH= cd -- "\$(dirname -- "\$0")/../root" && pwd) || exit 127
exec "\$r/$loader" --inhibit-cache --library-path "\$r/usr/lib/$tri" "\$r/$2" "\$@"
WRAP
  chmod +x "$1"
}

host_sum() { cat "$here/sinsp-host.cpp" "$here"/falco-*.hpp | sha256sum; }

compile_host() { # DIR
  local d=$1 lib=$1/root/usr/lib/$tri so=() n
  for n in sinsp jsoncpp yaml-cpp; do
    so+=("-l:$(basename "$(find "$lib" -name "lib$n.so.*" | sort | awk 'NR == 1')")")
  done
  # libsinsp's headers call strlcpy(), which glibc has had since 2.38
  cat >"$d/compat.h" <<'H'
#pragma once
#include <features.h>
#include <cstddef>
#if !__GLIBC_PREREQ(2, 38)
extern "C" inline std::size_t strlcpy(char* d, const char* s, std::size_t n) {
	std::size_t l = __builtin_strlen(s);
	if(n) { std::size_t k = l < n - 1 ? l : n - 1; __builtin_memcpy(d, s, k); d[k] = 0; }
	return l;
}
#endif
H
  "$CXX" -std=c++17 -O1 -include "$d/compat.h" \
    -I"$d/include/usr/include/falcosecurity" -I"$d/include/usr/include/jsoncpp" -I"$d/include/usr/include" \
    "$here/sinsp-host.cpp" -o "$d/root/usr/bin/sinsp-host.new" \
    -L"$lib" "${so[@]}" -Wl,--allow-shlib-undefined >>"$log" 2>&1 || die 70 "sinsp-host does not compile, see $log"
  mv "$d/root/usr/bin/sinsp-host.new" "$d/root/usr/bin/sinsp-host"
  host_sum >"$d/host.sum"
}

make_suite() { # SUITE DIR
  local suite=$1 d=$2 t=$2.new.$$ a libpkg want deb p
  rm -rf "$d".new.*
  a=$t/apt
  private_apt "$a" "$suite"
  export APT_CONFIG=$a/apt.conf
  retry apt-get update || { rm -rf "$t"; return 1; }
  libpkg=$(apt-cache depends libfalcosecurity0-dev 2>>"$log" | awk '$1 == "Depends:" && $2 ~ /^libfalcosecurity0/ && !n++ { print $2 }')
  [ -n "$libpkg" ] || { say "$suite has no libfalcosecurity"; rm -rf "$t"; return 1; }
  want=$libpkg
  case $(apt-cache policy sysdig) in *'Candidate: '[0-9]*) want="$want sysdig" ;; esac
  # headers alone, without what they depend on (a compiler's libc headers must not come along)
  local headers=(libfalcosecurity0-dev libjsoncpp-dev libyaml-cpp-dev uthash-dev)
  for p in libjsoncpp libyaml-cpp; do # the run-time halves of the headers
    want="$want $(apt-cache depends "$p-dev" | awk -v p="$p" '$1 == "Depends:" && index($2, p) == 1 && !n++ { print $2 }')"
  done
  # shellcheck disable=SC2086
  retry apt-get install -y --download-only $want || { rm -rf "$t"; return 1; }
  (mkdir -p "$t/h" && cd "$t/h" && retry apt-get download "${headers[@]}") || { rm -rf "$t"; return 1; }
  unset APT_CONFIG
  mkdir -p "$t/root" "$t/include" "$t/bin"
  for deb in "$a"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$t/root"; done
  for deb in "$t"/h/*.deb; do dpkg-deb -x "$deb" "$t/include"; done
  ls "$a"/cache/archives/ "$t/h" | grep '\.deb$' | sort >"$t/packages.txt"
  rm -rf "$a" "$t/h" "$t"/root/usr/share/{doc,man,locale,bash-completion,zsh} "$t/include/usr/lib" "$t/include/usr/share" \
    "$t/root/usr/lib/$tri/gconv"
  loader=$(cd "$t/root" && find . -name 'ld-linux*.so.*' | sort -r | awk 'NR == 1')
  loader=${loader#./}
  [ -n "$loader" ] || die 70 "no dynamic loader in the unpacked packages"
  [ -x "$t/root/usr/bin/sysdig" ] && wrapper "$t/bin/sysdig" usr/bin/sysdig
  mkdir -p "$t/root/usr/bin"
  compile_host "$t"
  wrapper "$t/bin/sinsp-host" usr/bin/sinsp-host
  case $("$t/bin/sinsp-host" --nothing 2>&1 || true) in *'unknown option'*) ;; *) die 70 "the new sinsp-host does not run" ;; esac
  [ ! -x "$t/bin/sysdig" ] || "$t/bin/sysdig" --version >>"$log" 2>&1 || die 70 "the new sysdig does not run"
  rm -rf "$d"
  mv "$t" "$d"
}

setup() {
  local suite d
  mkdir -p "$base"
  log=$base/setup.log
  exec 9>"$base/lock"
  flock -w 900 9 || die 70 "another setup holds $base/lock"
  : >"$log"
  for suite in $suites; do
    d=$base/$suite
    if [ -x "$d/bin/sinsp-host" ]; then
      if [ "$(host_sum)" != "$(cat "$d/host.sum" 2>/dev/null)" ]; then compile_host "$d"; fi
    elif ! make_suite "$suite" "$d"; then
      say "suite $suite: not to be had (see $log)"
      continue
    fi
    found=$d
    exec 9>&-
    return 0
  done
  die 69 "no real host: none of the suites '$suites' could be had; log: $log"
}

case ${1:-} in
setup)
  setup
  say "ready in $found"
  [ ! -x "$found/bin/sysdig" ] || echo "$found/bin/sysdig -H PLUGIN.so:INIT_JSON -I NAME:OPEN_PARAMS -p '*%evt.num %ct.name' 'tf.managed=true'"
  echo "$found/bin/sinsp-host --plugin PLUGIN.so --init INIT_JSON --open OPEN_PARAMS --rules RULES.yaml"
  ;;
sysdig | sinsp-host)
  setup
  [ -x "$found/bin/$1" ] || die 70 "this suite has no $1"
  prog=$1
  shift
  exec "$found/bin/$prog" "$@"
  ;;
info)
  setup
  echo "dir $found"
  du -sh "$found" | awk '{ print "size " $1 }'
  grep -E '^(sysdig|libfalcosecurity|libc6_)' "$found/packages.txt"
  [ ! -x "$found/bin/sysdig" ] || "$found/bin/sysdig" --libs-version
  ;;
*) sed -n '2,/^set -/p' "$0" | sed -n 's/^# \{0,1\}//p'; exit 64 ;;
esac
