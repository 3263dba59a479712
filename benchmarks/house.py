"""Counts what typed records should make rare, and the lines of each room.

`python benchmarks/house.py [FOLDER]`: accesses by a literal string key (subscripts,
`.get`, `.pop`, `getattr`), and annotations `dict[str, Any]` or `Mapping[str, Any]`,
file by file where there are many. Annotations are counted twice: all, and without the
modules of `EDGES`.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

SHOWN = 15
# Modules that read or write values whose fields others choose, so that no record fits.
EDGES = {
    "bulk/text_rows.py": "rows of foreign JSON files",
    "bulk/writers.py": "rows with the user's own columns, written",
    "data/demo/grammar.py": "the JSON of the demo's grammar",
    "data/formats/json_files.py": "rows of foreign JSON files",
    "data/hub/load.py": "metadata that the datasets library wrote",
    "data/hub/tables.py": "features that the datasets library found",
    "keywords.py": "keyword arguments and TOML files of users",
    "text/tokens.py": "the rules, as tokenizer.json has them",
}
UNTYPED = {"dict", "Mapping", "MutableMapping"}


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def is_by_key(node: ast.AST) -> bool:
    """Whether a node reads or writes a value by a literal key."""
    if isinstance(node, ast.Subscript):
        return _is_text(node.slice)
    if not isinstance(node, ast.Call) or not node.args:
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop"):
        return _is_text(node.args[0])
    is_getattr = isinstance(node.func, ast.Name) and node.func.id == "getattr"
    return is_getattr and len(node.args) > 1 and _is_text(node.args[1])


def is_untyped(node: ast.AST) -> bool:
    """Whether a node is `dict[str, Any]` or the like."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return False
    return node.value.id in UNTYPED and ast.unparse(node.slice) in (
        "str, Any", "(str, Any)",
    )  # fmt: skip


def _room_of(path: Path, package: Path) -> str:
    parts = path.relative_to(package).parts
    return parts[0] if len(parts) > 1 else "(top)"


def main() -> None:
    """Prints the counts."""
    package = Path(sys.argv[1] if sys.argv[1:] else "seqclf")
    keys: Counter[str] = Counter()
    untyped: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path in sorted(package.rglob("*.py")):
        text = path.read_text("utf-8")
        name = str(path.relative_to(package))
        nodes = list(ast.walk(ast.parse(text)))
        keys[name] += sum(map(is_by_key, nodes))
        untyped[name] += sum(map(is_untyped, nodes))
        lines[_room_of(path, package)] += text.count("\n")
    print(f"accesses by a literal key: {keys.total():,}")
    for name, count in keys.most_common(SHOWN):
        print(f"  {count:5,}  {name}")
    inside = sum(count for name, count in untyped.items() if name not in EDGES)
    print(f"dict[str, Any] and the like: {untyped.total():,}, {inside:,} beside EDGES")
    for name, count in untyped.most_common(SHOWN):
        print(f"  {count:5,}  {name}")
    print(f"lines: {lines.total():,}")
    for room, count in lines.most_common():
        print(f"  {count:5,}  {room}")


if __name__ == "__main__":
    main()
