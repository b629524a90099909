#!/usr/bin/env bash
# A PostgreSQL server in a folder of its own; no service of the machine's is touched.
#
#   cluster.sh start FOLDER PORT      makes it if there is none, starts it, and prints its URL
#   cluster.sh run FOLDER PORT PID    the same, and stops it and removes the folder once the process PID has ended
#   cluster.sh follow FOLDER PORT OF  makes a standby of the server at the port OF, starts it, and prints its URL
#   cluster.sh promote FOLDER         makes a primary of a standby
#   cluster.sh stop FOLDER
#
# Ends with 77 where there is no PostgreSQL 15 or newer. Of root, which PostgreSQL does not run for, the server is the user
# postgres's.
set -euo pipefail
command="$1"
mkdir -p "$2"
folder="$(cd "$2" && pwd)"

# Debian has the programs that make and run a server beside those of its version, and not on the path.
programs=""
for candidate in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin; do
  [ -x "$candidate/initdb" ] || continue
  version="$("$candidate/initdb" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')"
  if [ "$version" -ge 15 ]; then programs="$candidate"; fi
done
if [ -z "$programs" ]; then
  echo "There is no PostgreSQL 15 here. Install postgresql." >&2
  exit 77
fi

as_owner() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

case "$command" in
run)
  "$0" start "$folder" "$3"
  trap '' INT TERM HUP
  while kill -0 "$4" 2>/dev/null; do sleep 1; done
  "$0" stop "$folder"
  rm -rf "$folder"
  ;;
start | follow)
  port="$3"
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    # Some containers have it for root alone.
    chmod a+rw /dev/null
  fi
  as_owner test -w "$folder" || {
    echo "The user postgres cannot reach $folder. Name one that it can reach: make serve-postgres POSTGRES=FOLDER" >&2
    exit 1
  }
  if [ "$command" = follow ]; then
    (cd / && as_owner "$programs/pg_basebackup" -d "postgres://postgres@127.0.0.1:$4/postgres" -D "$folder/data" -R)
  elif [ ! -e "$folder/data/PG_VERSION" ]; then
    (cd / && as_owner "$programs/initdb" -D "$folder/data" -A trust -U postgres --no-instructions) >"$folder/initdb.log" 2>&1 || {
      cat "$folder/initdb.log" >&2
      exit 1
    }
  fi
  (cd / && as_owner "$programs/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder'" start) >/dev/null || {
    cat "$folder/server.log" >&2
    exit 1
  }
  echo "postgres://postgres@127.0.0.1:$port/postgres"
  ;;
promote)
  (cd / && as_owner "$programs/pg_ctl" -D "$folder/data" -w promote) >/dev/null
  ;;
stop)
  (cd / && as_owner "$programs/pg_ctl" -D "$folder/data" -w -m fast stop) >/dev/null
  ;;
*)
  sed -n '2,12p' "$0"
  exit 2
  ;;
esac
