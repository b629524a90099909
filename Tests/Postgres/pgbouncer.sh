#!/usr/bin/env bash
# Every promise of a storage behind PgBouncer in transaction mode, where each transaction may be on another session.
#
#   pgbouncer.sh [SCRATCH]      with the tests built in the scratch folder (.build)
#
# Ends with 77 where there is no PgBouncer or no PostgreSQL.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
scratch="${1:-$here/../../.build}"
bouncer="$(PATH="$PATH:/usr/sbin" command -v pgbouncer)" || {
  echo "There is no PgBouncer here. Install pgbouncer." >&2
  exit 77
}
folder="$(mktemp -d)"
chmod 755 "$folder"
trap 'pkill -f "$folder/pgbouncer.ini" || true; "$here/cluster.sh" stop "$folder/cluster" || true; rm -rf "$folder"' EXIT
pooler=
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port="$(free)"
"$here/cluster.sh" start "$folder/cluster" "$port" >/dev/null
listen="$(free)"
cat >"$folder/pgbouncer.ini" <<I
[databases]
postgres = host=127.0.0.1 port=$port dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $listen
auth_type = any
pool_mode = transaction
default_pool_size = 3
unix_socket_dir =
logfile = $folder/pgbouncer.log
ignore_startup_parameters = options,extra_float_digits
I
user=()
if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$folder/pgbouncer.ini"
  touch "$folder/pgbouncer.log" && chown postgres "$folder/pgbouncer.log"
  user=(runuser -u postgres --)
fi
"${user[@]}" "$bouncer" -q "$folder/pgbouncer.ini" >/dev/null 2>&1 &
pooler=$!
export ATOMSYNC_TEST_POSTGRES="postgres://postgres@127.0.0.1:$listen/postgres?pooling=transaction"
until (exec 3<>"/dev/tcp/127.0.0.1/$listen") 2>/dev/null; do
  kill -0 "$pooler" || { cat "$folder/pgbouncer.log"; exit 1; }
done
swift test --package-path "$here/../.." --scratch-path "$scratch" --skip-build --filter '^AtomsyncPostgresTests\.ConformanceTests'
