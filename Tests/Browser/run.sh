#!/usr/bin/env bash
# The replica in JavaScript under Node, then pages in headless Chromium (browser.py).
#
#   run.sh --unit               only what Node shows by itself
#   run.sh [PROGRAMS [PICTURES]]
#
# Says so, and does nothing, where Node is not installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v node >/dev/null || { echo "Node is not installed: the tests of the replica in JavaScript are left out."; exit 0; }
# Before 20, crypto is not there by itself.
flags=()
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || flags=(--experimental-global-webcrypto)
node "${flags[@]}" --test "$here/transit.mjs" "$here/replica.mjs"
[ "${1:-}" != --unit ] || exit 0
programs=${1:-}
if [ -z "$programs" ]; then
  for product in atomsync-server atomsync TodoList; do swift build --package-path "$here/../.." --product "$product"; done
  programs=$(swift build --package-path "$here/../.." --show-bin-path)
fi
PYTHONDONTWRITEBYTECODE=1 python3 "$here/browser.py" "$programs" "${2:-}"
