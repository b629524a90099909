#!/usr/bin/env bash
# Puts mistakes into a copy of the project, one at a time, and sees whether a check finds them.
#
#   run.sh [NUMBER…]      these, or all
#   run.sh --some COUNT   some, others each day
#
# Each NN-name.patch begins with what the mistake is, and which check has to find it: "simulation" (2,000 seeds), "node" (the
# tests of the replica in JavaScript), or "test" and a filter. Ends with 1 if a mistake was not found, or cannot be applied or built any more.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
work="${MUTANTS:-$root/.build-mutants}"
seeds=2000

patches=("$here"/*.patch)
chosen=()
if [ "${1:-}" = --some ]; then
  for ((i = 0; i < $2; i++)); do
    chosen+=("${patches[$((($(date -u +%s) / 86400 * $2 + i) % ${#patches[@]}))]}")
  done
elif [ $# -gt 0 ]; then
  for number in "$@"; do chosen+=("$here/$(printf %02d "$((10#$number))")"-*.patch); done
else
  chosen=("${patches[@]}")
fi

# The copy keeps the times of its files, so that a build takes up where the last one was.
mkdir -p "$work/tree"
rm -rf "$work/tree/Sources" "$work/tree/Tests" "$work/tree/Plugins"
cp -a "$root/Package.swift" "$root/Sources" "$root/Tests" "$root/Plugins" "$root/README.md" "$root/Docs" "$work/tree/"
cd "$work/tree" || exit 1

# change [OPTION…] PATCH: applies it to the copy, which is not the repository that it lies in.
change() { GIT_CEILING_DIRECTORIES="$work" git apply "$@"; }

# build CHECK: what the check runs.
build() {
  case "$1" in
  simulation) swift build -c release --scratch-path "$work/release" --product AtomsyncSoak ;;
  test\ *) swift build --scratch-path "$work/debug" --build-tests ;;
  node) command -v node ;;
  *) echo "unknown check: $1"; return 1 ;;
  esac >"$work/build.log" 2>&1
}

# check CHECK: succeeds when nothing is found. A check that hangs has found something.
check() {
  case "$1" in
  simulation) timeout 300 "$work/release/release/AtomsyncSoak" 0 $seeds --stop ;;
  node) timeout 300 Tests/Browser/run.sh --unit ;;
  test\ *)
    timeout 300 swift test --scratch-path "$work/debug" --skip-build --skip AtomsyncSimulationTests --filter "${1#test }"
    ;;
  esac >"$work/check.log" 2>&1
}

# finding STATUS: the first thing that the check has found.
finding() {
  if [ "$1" = 124 ]; then echo "no end within 5 minutes"; return; fi
  grep -a -m 1 -E "^FAILED|^not ok|✘ Test .* recorded|Fatal error|Assertion failed" "$work/check.log" | cut -c1-150 ||
    echo "ended with status $1"
}

failures=0
for patch in "${chosen[@]}"; do
  name="$(basename "$patch" .patch)"
  verdict=""
  if ! change --check "$patch" 2>/dev/null; then
    verdict="DOES NOT APPLY"
  else
    change "$patch"
    kind="$(sed -n 's/^Check: //p' "$patch" | head -n 1)"
    if ! build "$kind"; then
      verdict="DOES NOT BUILD: $(grep -m 1 error: "$work/build.log" | cut -c1-150)"
    else
      check "$kind"
      status=$?
      if [ $status = 0 ]; then verdict="SURVIVED"; else finding="$(finding $status)"; fi
    fi
    change -R "$patch"
  fi
  if [ -n "$verdict" ]; then
    failures=$((failures + 1))
    echo "$name: $verdict"
  else
    echo "$name: found. $finding"
  fi
done
echo "${#chosen[@]} mistakes, $((${#chosen[@]} - failures)) found."
[ $failures = 0 ]
