# Shared by the scripts beside it: where the checkout is, and how they speak.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A checkout elsewhere finds what was compiled here.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}"
export CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"
export NINJA_STATUS="${NINJA_STATUS:-[%f/%t %es] }"

say() { printf '==> %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# The comment at the head of the calling script, as its help.
usage() {
  awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
  exit 0
}

# build PRESET [TARGET...]: configures and compiles what is stale.
build() {
  local preset=$1 log=$root/build/$1.configure.log
  shift
  mkdir -p "$root/build"
  cd "$root" || exit
  cmake --preset "$preset" >"$log" 2>&1 || {
    cat "$log" >&2
    die "cmake --preset $preset failed, see above"
  }
  say "building build/$preset"
  cmake --build --preset "$preset" ${1:+--target "$@"}
}

# Every C++ file of the project, committed or not.
cpp_files() {
  git -C "$root" ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp' |
    while IFS= read -r file; do [ ! -e "$root/$file" ] || printf '%s\n' "$file"; done
}
