#!/usr/bin/env bash
# See attacks.py, and Docs/Testing.md.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../Processes/common.sh"
# Set anew: what was sourced has set it to its own folder.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${CONFIGURATION:=release}"
if [ -z "${PROGRAMS:-}" ]; then
  scratch=$here/../../.build-release
  swift build --package-path "$here/../.." --scratch-path "$scratch" -c "$CONFIGURATION" --product atomsync-server
  PROGRAMS=$scratch/$CONFIGURATION
fi
export PROGRAMS CONFIGURATION
run_python attacks.py "$@"
