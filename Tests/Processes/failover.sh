#!/usr/bin/env bash
# See failover.py, and Docs/Testing.md. PROGRAMS names a folder with an atomsync-server that was built with --traits Postgres.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
run_python failover.py "$@"
