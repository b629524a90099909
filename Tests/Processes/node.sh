#!/usr/bin/env bash
# See node.py, and Docs/Testing.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
command -v node >/dev/null || { echo "Node is not installed (Debian's nodejs)." >&2; exit 2; }
build_programs
run_python node.py "$@"
