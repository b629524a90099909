#!/usr/bin/env python3
"""Reads from the sources which module imports which, and looks that arrows point down only.

    imports.py            fails on an arrow that points up, or from one pillar to another
    imports.py --list     prints the arrows
    imports.py --sizes    prints the longest files, and the types with the most stored properties
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "Sources"

# From the ground up. A module may import those below its own row; those of one row know nothing of each other.
ROWS = [
    ["Transit", "CSQLite", "CLMDB", "CPostgres", "CZlib", "CMalloc"],
    ["AtomsyncCore"],
    ["AtomsyncStorageSupport", "AtomsyncEngine", "AtomsyncEncryption", "AtomsyncHTTPClient", "AtomsyncPrometheus"],
    ["AtomsyncSQLite", "AtomsyncLMDB", "AtomsyncPostgres", "Atomsync", "AtomsyncHTTPServer", "AtomsyncOperations", "AtomsyncSettings"],
    ["AtomsyncHummingbird", "AtomsyncInspector", "AtomsyncJWT", "AtomsyncKit", "AtomsyncTesting"],
    ["AtomsyncServer", "AtomsyncShell"],
]
ROW = {module: number for number, row in enumerate(ROWS) for module in row}
IMPORT = re.compile(r"^\s*(?:@\w+\s+)?(?:public |package |internal |private |fileprivate )?import (?:\w+ )?(\w+)", re.M)


def arrows():
    found = collections.defaultdict(set)
    for module in sorted(path.name for path in SOURCES.iterdir() if path.is_dir()):
        if module not in ROW:
            raise SystemExit(f"{module} has no row in {__file__}.")
        for file in (SOURCES / module).rglob("*.swift"):
            found[module] |= {name for name in IMPORT.findall(file.read_text()) if name in ROW and name != module}
    return found


def sizes():
    files = sorted(((len(p.read_text().splitlines()), p) for p in SOURCES.rglob("*.swift")), reverse=True)
    for lines, path in files[:5]:
        print(f"{lines:5} lines  {path.relative_to(ROOT)}")
    print(f"{sorted(lines for lines, _ in files)[len(files) // 2]:5} lines is the median of {len(files)} files")
    types = []
    for _, path in files:
        stack = []
        for line in path.read_text().splitlines():
            depth = (len(line) - len(line.lstrip())) // 2
            while stack and line.strip() and depth <= stack[-1][0]:
                types.append(stack.pop()[1:])
            opened = re.match(r"\s*(?:\w+ )*(?:struct|class|actor|enum) (\w+)[^{]*\{", line)
            if opened and "}" not in line:
                stack.append([depth, 0, opened.group(1), path])
            # A computed property ends its line with a brace, or has its body on it.
            stored = re.match(r"\s*(?:(?:public|package|private|fileprivate|internal)(?:\(set\))? )*(?:let|var) \w+", line)
            if stored and stack and depth == stack[-1][0] + 1 and (" = " in line or "{" not in line):
                stack[-1][1] += 1
        types += [entry[1:] for entry in stack]
    for count, name, path in sorted(types, key=lambda entry: entry[0], reverse=True)[:5]:
        print(f"{count:5} stored properties  {name} in {path.relative_to(ROOT)}")


if "--sizes" in sys.argv:
    sizes()
    raise SystemExit
wrong = [f"{module} imports {name}" for module, names in arrows().items() for name in names if ROW[name] >= ROW[module]]
if "--list" in sys.argv:
    for module, names in sorted(arrows().items(), key=lambda entry: (ROW[entry[0]], entry[0])):
        print(f"{module}: {', '.join(sorted(names)) or '-'}")
if wrong:
    raise SystemExit("Arrows that do not point down:\n  " + "\n  ".join(sorted(wrong)))
print("All arrows point down.")
