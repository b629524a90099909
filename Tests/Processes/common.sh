# Sourced by the scripts of this folder: builds the programs under test, unless PROGRAMS names a folder that has them,
# and finds Python.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

build_programs() {
  if [ -z "${PROGRAMS:-}" ]; then
    local configuration=${CONFIGURATION:-debug}
    local package=$here/../..
    swift build --package-path "$package" -c "$configuration" --product atomsync-server
    swift build --package-path "$package" -c "$configuration" --product AtomsyncStress
    swift build --package-path "$package" -c "$configuration" --product atomsync
    PROGRAMS=$(swift build --package-path "$package" -c "$configuration" --show-bin-path)
  fi
  export PROGRAMS
}

run_python() {
  local script=$1
  shift
  command -v python3 >/dev/null || { echo "$script needs python3." >&2; exit 2; }
  PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/$script" "$@"
}
