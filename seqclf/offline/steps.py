"""The steps of the cells, and their ways back, as JavaScript."""

from __future__ import annotations

import json
from collections.abc import Mapping

from seqclf.cells import CELLS, Inside

# What a cell carries from token to token, by the letter in formulas.
MEMORIES = {"h": "hidden", "c": "cell"}
DASHES = {"-": "", "--": "7 3", "-.": "7 3 2 3", ":": "2 3"}  # Matplotlib's, in SVG


def steps() -> str:
    """Returns `STEPS`: functions (x, h, before, made, n) that fill `made`.

    `made` are the arrays of all gates and states, see `Inside.script`.
    """
    known = {
        cell.name: _loop(cell.inside, "x, h, before, made, n", cell.inside.script)
        for cell in CELLS.values()
        if cell.inside and cell.inside.script
    }
    return table("STEPS", known)


def ways_back() -> str:
    """Returns `BACKS`: functions (h, before, made, by, own, to, past, n).

    They fill `own`, `to` and `past`, see `Inside.back`.
    """
    arguments = "h, before, made, by, own, to, past, n"
    known = {
        name: _loop(inside, arguments, str(inside.back))
        for name, inside in with_way_back().items()
    }
    return table("BACKS", known)


def with_way_back() -> dict[str, Inside]:
    """Returns what goes on inside the cells that have a step and its way back."""
    return {
        cell.name: cell.inside
        for cell in CELLS.values()
        if cell.inside and cell.inside.script and cell.inside.back
    }


def table(name: str, functions: Mapping[str, str]) -> str:
    """Returns a constant of that name with functions by theirs."""
    entries = [f"{json.dumps(key)}: {code},\n" for key, code in functions.items()]
    return f"const {name} = {{\n{''.join(entries)}}};"


def _loop(inside: Inside, arguments: str, body: str) -> str:
    names = ", ".join((*inside.gates, *inside.states))
    return (
        f"({arguments}) => {{\nconst {{ {names} }} = made;\n"
        f"for (let u = 0; u < n; u += 1) {{\n{body}}}\n}}"
    )
