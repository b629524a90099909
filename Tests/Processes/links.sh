#!/usr/bin/env bash
# See links.py, and Docs/Testing.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
build_programs
run_python links.py "$@"
