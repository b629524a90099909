# The public symbols of every library product: sourced by build.sh and api.sh, with $scratch and $folder set.
modules=(Transit AtomsyncCore AtomsyncEngine AtomsyncStorageSupport AtomsyncSQLite AtomsyncLMDB AtomsyncPostgres AtomsyncHTTPClient
  AtomsyncEncryption AtomsyncHTTPServer AtomsyncHummingbird AtomsyncJWT AtomsyncOperations AtomsyncSettings Atomsync AtomsyncKit
  AtomsyncTesting)

for product in $(sed -n 's/.*\.library(name: "\([A-Za-z]*\)".*/\1/p' Package.swift); do
  [[ " ${modules[*]} " == *" $product "* ]] || {
    echo "$product is a product that Tests/Documentation/symbols.sh does not know."
    exit 1
  }
done

mkdir -p "$folder"
for module in "${modules[@]}"; do
  swift build --scratch-path "$scratch" --target "$module" >"$folder/build.log" 2>&1 || {
    tail -n 20 "$folder/build.log"
    exit 1
  }
done

# From what is built: to have the compiler emit them would be a build of its own.
rm -rf "$folder/symbols"
options=(-target "$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p')")
options+=(-minimum-access-level public -skip-inherited-docs -emit-extension-block-symbols -I "$scratch/debug/Modules")
while read -r path; do options+=(-Xcc "-fmodule-map-file=$path"); done < <(
  find -L "$scratch/debug" Sources -maxdepth 2 -name module.modulemap
)
read -ra libpq <<<"$(pkg-config --cflags-only-I libpq)"
for path in "${libpq[@]}"; do options+=(-Xcc "$path"); done
while read -r path; do options+=(-I "$path"); done < <(find -L "$scratch/checkouts" -type d -name include -path '*Sources*')
for module in "${modules[@]}"; do
  mkdir -p "$folder/symbols/$module"
  swift symbolgraph-extract -module-name "$module" "${options[@]}" -output-dir "$folder/symbols/$module"
  # What it extends in other packages has no page to stand on.
  for graph in "$folder/symbols/$module/"*@*; do
    [ -e "$graph" ] || continue
    name="${graph##*@}"
    [[ " ${modules[*]} " == *" ${name%%.*} "* ]] || rm "$graph"
  done
done
