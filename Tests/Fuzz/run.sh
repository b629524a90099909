#!/bin/sh
# Builds the fuzz targets and runs one of them on its seeds.
#
#   Tests/Fuzz/run.sh JSONReader|MessagePackReader|EDNReader|Transcoder [minutes] [folder for what is found]
#
# Needs a toolchain with libFuzzer. The library is compiled once, with all of it instrumented.
set -eu
target=$1
minutes=${2:-20}
here=$(cd "$(dirname "$0")" && pwd)
work=${3:-$here/../../.build/fuzz}
mkdir -p "$work/$target/corpus"
work=$(cd "$work" && pwd)
flags="-O -wmo -swift-version 6 -parse-as-library -sanitize=fuzzer,address
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
  -enable-upcoming-feature MemberImportVisibility"
sources=$(find "$here/../../Sources/Transit" -name '*.swift')
if [ -z "$(find "$work/Transit.o" -newer "$here/../../Sources/Transit" 2>/dev/null)" ] ||
  [ -n "$(find $sources -newer "$work/Transit.o")" ]; then
  swiftc $flags -module-name Transit -emit-module -emit-module-path "$work/Transit.swiftmodule" \
    -emit-object -o "$work/Transit.o" $sources
fi
swiftc $flags -module-name "$target" -I "$work" "$here/Properties.swift" "$here/$target.swift" "$work/Transit.o" \
  -o "$work/$target/$target"
cd "$work/$target"
ASAN_OPTIONS=detect_leaks=0 nice -n 19 "./$target" corpus "$here/Seeds/$target" \
  -max_total_time=$((minutes * 60)) -max_len=2048 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -dict="$here/transit.dict"
