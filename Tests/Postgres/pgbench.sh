#!/usr/bin/env bash
# What PostgreSQL alone does with commits as a server makes them: one connection, prepared statements, each transaction the
# rows of 64 pushes of one document (a change, an index entry and a client's record each) and three that are written again.
#
#   pgbench.sh URL [SECONDS]
set -euo pipefail
url="$1"
export PGOPTIONS="--client-min-messages=warning"
script="$(mktemp)"
trap 'rm -f "$script"' EXIT
psql -q -d "$url" <<'SQL'
DROP TABLE IF EXISTS pgbench_rows;
DROP SEQUENCE IF EXISTS pgbench_keys;
CREATE TABLE pgbench_rows (k bytea PRIMARY KEY, v bytea NOT NULL);
CREATE SEQUENCE pgbench_keys CACHE 1000;
INSERT INTO pgbench_rows SELECT decode(lpad(to_hex(n), 40, '0'), 'hex'), 'x' FROM generate_series(-3, -1) AS n;
SQL
cat >"$script" <<'SQL'
BEGIN;
SELECT k, v FROM pgbench_rows WHERE k IN (SELECT k FROM pgbench_rows ORDER BY k DESC LIMIT 3) FOR UPDATE;
INSERT INTO pgbench_rows SELECT decode(lpad(to_hex(nextval('pgbench_keys')), 40, '0'), 'hex'), decode(repeat('61', 80), 'hex')
  FROM generate_series(1, 192);
UPDATE pgbench_rows SET v = decode(repeat('62', 80), 'hex') WHERE k IN (SELECT k FROM pgbench_rows ORDER BY k DESC LIMIT 3);
COMMIT;
SQL
rate="$(PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -1)" pgbench -n -M prepared -c 1 -T "${2:-10}" -f "$script" "$url" | sed -n 's/^tps = \([0-9.]*\).*/\1/p')"
psql -q -d "$url" -c 'DROP TABLE pgbench_rows; DROP SEQUENCE pgbench_keys'
awk -v rate="$rate" 'BEGIN { printf "%.0f transactions/s, %.0f pushes of one document/s\n", rate, rate * 64 }'
