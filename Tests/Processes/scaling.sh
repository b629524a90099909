#!/usr/bin/env bash
# See scaling.py, and Docs/Performance.md. PROGRAMS names a folder with a release of atomsync-server, built with --traits Postgres.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
run_python scaling.py "$@"
