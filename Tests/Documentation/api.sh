#!/usr/bin/env bash
# Writes the public API of every library product to Docs/API, one file each, so that a change of it shows in a diff.
#
#   api.sh SCRATCH FOLDER            writes
#   api.sh SCRATCH FOLDER --check    fails when what is written is not what there is
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch="$1"
folder="$2"
source Tests/Documentation/symbols.sh
exec python3 Tests/Documentation/api.py "$folder/symbols" "${3:-}"
