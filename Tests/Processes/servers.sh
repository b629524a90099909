#!/usr/bin/env bash
# See servers.py, and Docs/Testing.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
build_programs
run_python servers.py "$@"
