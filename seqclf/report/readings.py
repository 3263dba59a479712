"""What the curves of a figure say, place by place: the script of the page reads it out.

A figure carries it in its SVG, from the numbers that it is drawn from; without the
script it stays a picture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

CURVE = "curve:"  # before its name, in the ids of what is drawn of a curve


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a curve.

    Attributes:
      x: In the units of the axis.
      where: The same in words, such as `1k`.
      said: The value there in words, its interval in brackets.
    """

    x: float
    where: str
    said: str


@dataclass(slots=True)
class _Panel:
    """The curves of axes, by name, and what their brackets hold."""

    brackets: str = ""
    curves: dict[str, Sequence[Place]] = field(default_factory=dict)


# By Matplotlib's axes, as long as these are there.
_PANELS: WeakKeyDictionary[Any, _Panel] = WeakKeyDictionary()


def readable(
    axes: Any,
    name: str,
    places: Sequence[Place],
    artists: Sequence[Any],
    brackets: str = "",
) -> None:
    """Lets the page read out a curve, and hide it.

    Args:
      axes: Matplotlib's, on which it is drawn.
      name: Of the curve, such as that of its cell.
      places: Its points, by x.
      artists: All that is drawn of it there.
      brackets: What the brackets hold, such as `95 % interval`.
    """
    for one in artists:
        one.set_gid(f"{CURVE}{name}")
    panel = _PANELS.setdefault(axes, _Panel())
    panel.curves[name] = places
    panel.brackets = panel.brackets or brackets


def readings_of(figure: Any) -> str:
    """Returns what the curves of a drawn figure say, as JSON; empty if nothing.

    A list of panels: their title, the names of their axes, `box`, their left, top,
    right and bottom in the SVG, and their curves by name, lists of [x in the SVG,
    `Place.where`, `Place.said`].
    """
    panels = [axes for axes in figure.axes if axes in _PANELS]
    return json.dumps([_panel(figure, axes) for axes in panels]) if panels else ""


def _panel(figure: Any, axes: Any) -> dict[str, Any]:
    kept = _PANELS[axes]
    # As the SVG has it: 72 to the inch, down from the top.
    width, height = (72 * inches for inches in figure.get_size_inches())
    box = axes.get_position()
    to_share = axes.get_xaxis_transform() - figure.transFigure
    first = figure.axes[0]  # names what panels share
    return {
        "title": axes.get_title(),
        "x": axes.get_xlabel(),
        "y": axes.get_ylabel() or first.get_ylabel(),
        "brackets": kept.brackets,
        "box": _rounded(
            box.x0 * width, (1 - box.y1) * height, box.x1 * width, (1 - box.y0) * height
        ),
        "curves": {
            name: [
                [*_rounded(to_share.transform((one.x, 0))[0] * width), one.where,
                 one.said]
                for one in places
            ]
            for name, places in kept.curves.items()
        },
    }  # fmt: skip


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 2) for value in values]
