#!/usr/bin/env bash
# Sends a server whatever Docs/openapi.yaml allows, and much that it does not, by schemathesis (from PyPI).
#
#   openapi.sh [EXAMPLES]   for each operation; 1,000 by default
#
# Fails when an answer is a 5xx, takes more than 5 seconds, or is not as the description says. What is left out: whether a request
# that the schema allows is accepted. OpenAPI cannot say what a map of Transit is, so it allows too much.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
tools="$root/.build-openapi"
if [ -z "${PROGRAMS:-}" ]; then
  swift build --package-path "$root" --product atomsync-server
  PROGRAMS="$(swift build --package-path "$root" --show-bin-path)"
fi
[ -x "$tools/bin/schemathesis" ] || { python3 -m venv "$tools" && "$tools/bin/pip" -q install schemathesis; }
store="$(mktemp -d)"
coproc server { exec "$PROGRAMS/atomsync-server" --path "$store/store.db" --port 0; }
trap 'kill "$server_PID" 2>/dev/null || true; rm -rf "$store"' EXIT
read -r greeting <&"${server[0]}"
url="$(grep -o 'http://[^/]*' <<<"$greeting" | head -n 1)"
cd "$store"
"$tools/bin/schemathesis" run "$root/Docs/openapi.yaml" --url "$url" --max-examples "${1:-1000}" \
  --request-timeout 5 --no-color --exclude-checks positive_data_acceptance,negative_data_rejection
