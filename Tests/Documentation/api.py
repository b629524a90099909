"""Lists the public declarations of symbol graphs: see api.sh."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
graphs, check = pathlib.Path(sys.argv[1]), sys.argv[2:] == ["--check"]


def declaration(symbol):
    return "".join(part["spelling"] for part in symbol.get("declarationFragments", []))


def listing(folder):
    lines = set()
    for graph in folder.glob("*.symbols.json"):
        for symbol in json.loads(graph.read_text())["symbols"]:
            path = symbol["pathComponents"]
            # What the compiler makes of a conformance is not ours to list.
            if "::SYNTHESIZED::" in symbol["identifier"]["precise"]:
                continue
            lines.add((".".join(path), " ".join(declaration(symbol).split())))
    return "".join(f"{path}: {text}\n" for path, text in sorted(lines))


changed = []
for folder in sorted(path for path in graphs.iterdir() if path.is_dir()):
    file = ROOT / "Docs" / "API" / f"{folder.name}.txt"
    text = listing(folder)
    if not file.exists() or file.read_text() != text:
        changed.append(folder.name)
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
    print(f"{folder.name}: {len(text.splitlines())} declarations")
if check and changed:
    raise SystemExit(f"The public API of {', '.join(changed)} has changed: run `make api`, and see CHANGELOG.md.")
