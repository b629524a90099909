#!/usr/bin/env bash
# Uses the examples as a person does: two windows of the todo list share it live, offline too, and the counting service
# counts what a window writes.
set -euo pipefail
cd "$(dirname "$0")/../.."
for product in atomsync-server atomsync TodoList CountingService; do
  swift build --product "$product" >/dev/null
done
exec python3 Tests/Processes/examples.py "$(swift build --show-bin-path)"
