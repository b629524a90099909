#!/usr/bin/env bash
# Builds the documentation of every library product into one web site: FOLDER/site.
#
#   build.sh SCRATCH FOLDER
#
# Fails on a warning of docc: a link that leads nowhere, a parameter that is not there, an article without a title.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch="$1"
folder="$2"
source Tests/Documentation/symbols.sh

rm -rf "$folder/archives" "$folder/site"
mkdir -p "$folder/archives"
dependencies=()
archives=()
failed=""
for module in "${modules[@]}"; do
  archive="$folder/archives/$module.doccarchive"
  echo "$module"
  docc convert "Sources/$module/$module.docc" \
    --fallback-display-name "$module" --fallback-bundle-identifier "atomsync.$module" \
    --additional-symbol-graph-dir "$folder/symbols/$module" \
    --enable-experimental-external-link-support "${dependencies[@]}" \
    --warnings-as-errors --output-dir "$archive" || failed="$failed $module"
  dependencies+=(--dependency "$archive")
  archives+=("$archive")
done
[ -z "$failed" ] || {
  echo "Not without warnings:$failed"
  exit 1
}
docc merge "${archives[@]}" --synthesized-landing-page-name Atomsync --output-path "$folder/site"
echo "The documentation of ${#modules[@]} modules is in $folder/site."
