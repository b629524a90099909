#!/usr/bin/env bash
# Uses both plugins from a package outside the tree: runs the server, and adds a storage whose test passes at once.
#
#   run.sh [FOLDER]     where the package is made (default: a temporary one, removed afterwards)
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
pid=""
made=""
finish() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$made" ] || rm -rf "$made"
}
trap finish EXIT
if [ $# -gt 0 ]; then
  work="$1"
  mkdir -p "$work"
else
  work="$(mktemp -d)"
  made="$work"
fi
cd "$work"
# What is removed below is what an earlier run has made.
[ -e .made-by-plugin-test ] || [ -z "$(ls -A)" ] || {
  echo "$work is not empty. Name a new folder."
  exit 1
}
touch .made-by-plugin-test
# A copy, which nobody changes meanwhile; it keeps the times of its files.
rm -rf atomsync Sources Tests log
mkdir atomsync
cp -a "$root"/{Package.swift,Sources,Tests,Plugins,Docs} atomsync/
cat >Package.swift <<END
// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "notes",
  platforms: [.macOS(.v15)],
  dependencies: [.package(path: "atomsync")],
  targets: [.target(name: "Notes", dependencies: [.product(name: "Atomsync", package: "atomsync")])]
)
END
mkdir -p Sources/Notes
echo "public import Atomsync" >Sources/Notes/Notes.swift

fail() {
  echo "FAILED: $1"
  exit 1
}

# plugin ARGUMENT…: what a person types who has read the README.
plugin() { swift package --allow-writing-to-package-directory --allow-network-connections all "$@"; }

swift package plugin --list | grep -q atomsync-new-storage || fail "the plugins are not listed"

plugin atomsync-new-storage 1st >log 2>&1 && fail "a name that is no type was taken"
plugin atomsync-new-storage Paper >log 2>&1 || fail "no storage was made: $(cat log)"
plugin atomsync-new-storage Paper >log 2>&1 && fail "a storage was written over another"
grep -q "is there already" log || fail "it does not say that the storage is there: $(cat log)"
swift test --filter PaperStorageTests >log 2>&1 || fail "the new storage does not pass: $(tail -n 20 log)"
grep -E "Test run with .* passed" log

# In a terminal: into a file the package manager would write what the server says once it has ended.
script -qefc "swift package --allow-network-connections all atomsync-server --storage memory --port 0" log >/dev/null &
pid=$!
address=""
for _ in $(seq 9000); do
  address="$(grep -aoE "http://127.0.0.1:[0-9]+/sync" log || true)"
  [ -n "$address" ] && break
  kill -0 $pid 2>/dev/null || fail "the server ended: $(tail -n 20 log)"
  sleep 0.2 # until the server has been built
done
[ -n "$address" ] || fail "no server: $(tail -n 20 log)"
curl -fsS "$address?group=todo" | grep -q cursor || fail "the server at $address does not answer"
pkill -TERM -f "^$work/.build/.*/atomsync-server --storage memory --port 0" || fail "the server cannot be stopped"
wait $pid || fail "the server did not end well: $(tail -n 5 log)"
pid=""
echo "The server ran at $address, and a storage of its own passes."
