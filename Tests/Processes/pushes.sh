#!/usr/bin/env bash
# See pushes.py, and Docs/Testing.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
build_programs
run_python pushes.py "$@"
