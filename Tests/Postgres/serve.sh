#!/usr/bin/env bash
# Two servers on one PostgreSQL of their own, until they are stopped.
#
#   serve.sh PROGRAM FOLDER
set -euo pipefail
program="$1"
folder="$2"
here="$(cd "$(dirname "$0")" && pwd)"

url="$("$here/cluster.sh" start "$folder" 54320)"
trap 'kill $(jobs -p) 2>/dev/null; wait; "$here/cluster.sh" stop "$folder"' EXIT
trap exit INT TERM
for port in 8090 8091; do "$program" --storage postgres --path "$url" --port "$port" & done
echo "Two servers share $url. What is put at one is seen at the other:"
echo "  swift run atomsync put --group todo --server http://127.0.0.1:8090/sync --store one.db todo:1 '{:text \"Buy milk\"}'"
echo "  swift run atomsync get --group todo --server http://127.0.0.1:8091/sync --store two.db todo:1"
wait
