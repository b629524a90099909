#!/bin/sh
# Builds one fuzz target and runs it on its seeds.
#
#   Tests/Fuzz/run.sh JSONReader|MessagePackReader|EDNReader|Transcoder [minutes] [folder for what is found]
#
# Needs a toolchain with libFuzzer. The library is compiled into the target, so that all of it is instrumented.
set -eu
target=$1
minutes=${2:-20}
here=$(cd "$(dirname "$0")" && pwd)
work=${3:-$here/../../.build/fuzz}
mkdir -p "$work/$target/corpus"
work=$(cd "$work/$target" && pwd)
swiftc -O -wmo -swift-version 6 -parse-as-library -sanitize=fuzzer,address -module-name "$target" \
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
  -enable-upcoming-feature MemberImportVisibility \
  $(find "$here/../../Sources/Transit" -name '*.swift') "$here/Properties.swift" "$here/$target.swift" \
  -o "$work/$target"
cd "$work"
ASAN_OPTIONS=detect_leaks=0 nice -n 19 "./$target" corpus "$here/Seeds/$target" \
  -max_total_time=$((minutes * 60)) -max_len=2048 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
  -dict="$here/transit.dict"
