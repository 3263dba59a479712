"""Draws the three cells for docs/cells.md.

Run as ``python benchmarks/diagrams.py``; writes cell_rnn.svg, cell_gru.svg and
cell_lstm.svg to docs. With a folder and a suffix, such as .png, it writes those there.
The letters are those of the equations beside them. On white of its own, so that a dark
page does not swallow it; what colour says, words and the width of lines say too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
INK, STATE = "#222222", "#0061A8"
GATE, CANDIDATE, PRODUCT = "#E3EFF9", "#FCEBD7", "#FFFFFF"
SETTINGS: Any = {
    "svg.fonttype": "path",  # the same letters wherever it is shown
    "svg.hashsalt": "seqclf",
    "mathtext.fontset": "dejavusans",
    "font.size": 12,
}
# Two lines lead what is read to the boxes, the state above the input.
STATE_LINE, INPUT_LINE = 1.05, 0.5
GATES, MEMORY = 2.75, 5.45  # heights of the boxes and of the line that remembers
LEFT, RIGHT = 0.75, 11.55
RADIUS, HEAD = 0.24, 0.15

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A drawing under way.

    Attributes:
      axes: Axes of matplotlib, one unit as wide as high.
    """

    axes: Any

    def wire(self, *points: Point, thick: bool = False, arrow: bool = True) -> None:
        """Draws a line through points, with an arrow at its end."""
        look = {"color": STATE if thick else INK, "linewidth": 3.0 if thick else 1.3}
        ends = list(points)
        if arrow:
            (x, y), tip = ends[-2:]
            length = abs(tip[0] - x) + abs(tip[1] - y)  # lines are level or upright
            share = HEAD / length
            foot = (tip[0] - share * (tip[0] - x), tip[1] - share * (tip[1] - y))
            head = {"arrowstyle": "-|>", "mutation_scale": 20 if thick else 15}
            head |= {"shrinkA": 0, "shrinkB": 0, "linewidth": 1, "color": look["color"]}
            self.axes.annotate("", tip, foot, arrowprops=head, zorder=1)
            ends[-1] = foot
        self.axes.plot(
            *zip(*ends, strict=True), zorder=1, solid_joinstyle="round", **look
        )

    def dot(self, x: float, y: float) -> None:
        """Marks where a line is read."""
        self.axes.plot([x], [y], "o", color=INK, markersize=5, zorder=3)

    def sign(self, x: float, y: float, text: str) -> None:
        """Draws an operation, element by element."""
        from matplotlib.patches import Circle

        self.axes.add_patch(
            Circle((x, y), RADIUS, facecolor=PRODUCT, edgecolor=INK, zorder=2,
                   linewidth=1.3)
        )  # fmt: skip
        self.text(x, y, text, size=14)

    def box(self, x: float, y: float, name: str, function: str, colour: str) -> None:
        """Draws a layer of weights with its function."""
        from matplotlib.patches import FancyBboxPatch

        self.axes.add_patch(
            FancyBboxPatch((x - 0.68, y - 0.46), 1.36, 0.92, zorder=2, linewidth=1.3,
                           boxstyle="round,pad=0,rounding_size=0.14",
                           facecolor=colour, edgecolor=INK)
        )  # fmt: skip
        self.text(x, y + 0.17, name, size=10.5)
        self.text(x, y - 0.2, function, size=13)

    def text(
        self, x: float, y: float, text: str, size: float = 13, **more: Any
    ) -> None:
        """Writes something, centred unless told otherwise."""
        centred = {"ha": "center", "va": "center", "zorder": 4, "color": INK}
        self.axes.text(x, y, text, fontsize=size, **(centred | more))

    def read_both(self, x: float, top: float = GATES - 0.46) -> None:
        """Leads input and state to a box above."""
        self.wire((x, INPUT_LINE), (x, top))
        self.dot(x, INPUT_LINE)
        self.dot(x, STATE_LINE)

    def inputs(self, last: float) -> None:
        """Draws the two lines that are read, up to the last reader."""
        self.wire((LEFT, INPUT_LINE), (last, INPUT_LINE), arrow=False)
        self.wire((LEFT, STATE_LINE), (last, STATE_LINE), arrow=False)
        self.text(LEFT - 0.12, INPUT_LINE, "$x_t$", ha="right")
        self.text(LEFT - 0.12, STATE_LINE, "$h_{t-1}$", ha="right")


def simple_rnn(sheet: Sheet) -> None:
    """Draws h = tanh(W x + U h + b)."""
    x, y, end = 4.2, 1.9, 7.4
    sheet.wire((LEFT, y), (x - 0.68, y), thick=True)
    sheet.wire((x + 0.68, y), (end, y), thick=True)
    sheet.text(LEFT - 0.12, y, "$h_{t-1}$", ha="right")
    sheet.text(end + 0.12, y, "$h_t$", ha="left")
    sheet.wire((LEFT, INPUT_LINE), (x, INPUT_LINE), (x, y - 0.46))
    sheet.text(LEFT - 0.12, INPUT_LINE, "$x_t$", ha="right")
    sheet.box(x, y, "new state", "tanh", CANDIDATE)


def gru(sheet: Sheet) -> None:
    """Draws h = z h + (1 - z) g, with g = tanh(W x + b + r (U h + d))."""
    update, reset, product, candidate = 2.75, 5.3, 7.6, 9.75
    middle = 4.2
    sheet.wire((LEFT, MEMORY), (update - RADIUS, MEMORY), thick=True)
    sheet.wire((update + RADIUS, MEMORY), (candidate - RADIUS, MEMORY), thick=True)
    sheet.wire((candidate + RADIUS, MEMORY), (RIGHT, MEMORY), thick=True)
    sheet.text(LEFT - 0.12, MEMORY, "$h_{t-1}$", ha="right")
    sheet.text(RIGHT + 0.12, MEMORY, "$h_t$", ha="left")
    # What is read: the state again, and the input.
    tap = 1.3
    sheet.wire((tap, MEMORY), (tap, STATE_LINE), (product, STATE_LINE), arrow=False)
    sheet.dot(tap, MEMORY)
    sheet.wire((LEFT, INPUT_LINE), (candidate, INPUT_LINE), (candidate, GATES - 0.46))
    sheet.text(LEFT - 0.12, INPUT_LINE, "$x_t$", ha="right")
    sheet.read_both(update)
    sheet.read_both(reset)
    sheet.box(update, GATES, "update", "σ", GATE)
    sheet.box(reset, GATES, "reset", "σ", GATE)
    sheet.box(candidate, GATES, "candidate", "tanh", CANDIDATE)
    # How much of the old state stays ...
    sheet.wire((update, GATES + 0.46), (update, MEMORY - RADIUS))
    sheet.text(update - 0.2, middle + 0.45, "z", style="italic")
    sheet.sign(update, MEMORY, "×")
    # ... and how much of the candidate comes.
    one_minus = 6.25
    sheet.dot(update, middle)
    sheet.wire((update, middle), (one_minus - 0.42, middle))
    sheet.wire((one_minus + 0.42, middle), (candidate - RADIUS, middle))
    _pill(sheet, one_minus, middle, "1 − z")
    sheet.wire((candidate, GATES + 0.46), (candidate, middle - RADIUS))
    sheet.text(candidate + 0.22, 3.55, "g", style="italic")
    sheet.sign(candidate, middle, "×")
    sheet.wire((candidate, middle + RADIUS), (candidate, MEMORY - RADIUS))
    sheet.sign(candidate, MEMORY, "+")
    # The reset gate works on U h + d, behind the matrix.
    sheet.wire((reset + 0.68, GATES), (product - RADIUS, GATES))
    sheet.text(reset + 1.2, GATES + 0.24, "r", style="italic")
    sheet.wire((product, STATE_LINE), (product, GATES - RADIUS))
    _pill(sheet, product, 1.75, "$U_g h + d_g$", half=0.78)
    sheet.sign(product, GATES, "×")
    sheet.wire((product + RADIUS, GATES), (candidate - 0.68, GATES))


def _pill(sheet: Sheet, x: float, y: float, text: str, half: float = 0.42) -> None:
    from matplotlib.patches import FancyBboxPatch

    sheet.axes.add_patch(
        FancyBboxPatch((x - half, y - 0.23), 2 * half, 0.46, zorder=2, linewidth=1.3,
                       boxstyle="round,pad=0,rounding_size=0.22",
                       facecolor=PRODUCT, edgecolor=INK)
    )  # fmt: skip
    sheet.text(x, y, text, size=11)


def lstm(sheet: Sheet) -> None:
    """Draws c = f c + i g; h = o tanh(c)."""
    forget, enter, candidate, output, end = 2.2, 4.3, 6.5, 8.7, 10.35
    middle = 4.1
    meet = (enter + candidate) / 2
    sheet.wire((LEFT, MEMORY), (forget - RADIUS, MEMORY), thick=True)
    sheet.wire((forget + RADIUS, MEMORY), (meet - RADIUS, MEMORY), thick=True)
    sheet.wire((meet + RADIUS, MEMORY), (RIGHT, MEMORY), thick=True)
    sheet.text(LEFT - 0.12, MEMORY, "$c_{t-1}$", ha="right")
    sheet.text(RIGHT + 0.12, MEMORY, "$c_t$", ha="left")
    sheet.inputs(output)
    gates = (
        (forget, "forget", "σ", GATE), (enter, "input", "σ", GATE),
        (candidate, "candidate", "tanh", CANDIDATE), (output, "output", "σ", GATE),
    )  # fmt: skip
    for x, name, function, colour in gates:
        sheet.read_both(x)
        sheet.box(x, GATES, name, function, colour)
    # What stays.
    sheet.wire((forget, GATES + 0.46), (forget, MEMORY - RADIUS))
    sheet.text(forget - 0.2, middle, "f", style="italic")
    sheet.sign(forget, MEMORY, "×")
    # What comes.
    sheet.wire((enter, GATES + 0.46), (enter, middle), (meet - RADIUS, middle))
    sheet.text(enter - 0.2, 3.6, "i", style="italic")
    sheet.wire((candidate, GATES + 0.46), (candidate, middle), (meet + RADIUS, middle))
    sheet.text(candidate + 0.22, 3.6, "g", style="italic")
    sheet.sign(meet, middle, "×")
    sheet.wire((meet, middle + RADIUS), (meet, MEMORY - RADIUS))
    sheet.sign(meet, MEMORY, "+")
    # What is shown.
    sheet.dot(end, MEMORY)
    sheet.wire((end, MEMORY), (end, GATES + RADIUS))
    _pill(sheet, end, middle, "tanh", half=0.48)
    sheet.wire((output + 0.68, GATES), (end - RADIUS, GATES))
    sheet.text(output + 1.0, GATES + 0.24, "o", style="italic")
    sheet.sign(end, GATES, "×")
    sheet.wire((end, GATES - RADIUS), (end, STATE_LINE), (RIGHT, STATE_LINE))
    sheet.text(RIGHT + 0.12, STATE_LINE, "$h_t$", ha="left")


# Name, how to draw it, and how much of the sheet it takes: width and height.
CELLS: dict[str, tuple[Callable[[Sheet], None], float, float]] = {
    "rnn": (simple_rnn, 8.2, 2.8),
    "gru": (gru, 12.3, 6.1),
    "lstm": (lstm, 12.3, 6.1),
}


def draw(cell: str, file: Path) -> None:
    """Draws a cell; the suffix of the file says in which format."""
    import matplotlib
    from matplotlib.figure import Figure

    make, width, height = CELLS[cell]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(0.66 * width, 0.66 * height), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-0.1, width)
        axes.set_ylim(0, height)
        axes.set_aspect("equal")
        axes.axis("off")
        make(Sheet(axes))
        metadata = {"Date": None} if file.suffix == ".svg" else None
        figure.savefig(file, metadata=metadata, dpi=110)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    suffix = sys.argv[2] if len(sys.argv) > 2 else ".svg"
    for name in CELLS:
        draw(name, folder / f"cell_{name}{suffix}")
