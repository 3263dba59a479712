"""Makes the pictures of the docs from a finished comparison.

Run as ``python benchmarks/pictures.py models/demo-compare``; needs Chromium. Writes
docs/terminal.svg and docs/report.png, and docs/microscope.png if the comparison has a
microscope (``seqclf compare --page``).
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from seqclf.comparison.saved import REPORT_FILE
from seqclf.export.microscope import MICROSCOPE_FILE
from seqclf.report import tables
from seqclf.runs.comparisons import read_comparison

DOCS = Path(__file__).parents[1] / "docs"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip


def terminal(folder: Path) -> None:
    """Writes what `seqclf compare` prints, as a terminal shows it."""
    result = read_comparison(folder)
    console = Console(file=io.StringIO(), width=80, record=True, force_terminal=True)
    for table in tables.terminal(result):
        console.print(table)
    console.print(tables.closing(result))
    console.save_svg(str(DOCS / "terminal.svg"), title="seqclf compare")


def picture(page: Path, name: str, width: int, height: int) -> None:
    """Writes a picture of the top of a page, once its scripts are done."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory() as profile:
        options = [*FLAGS, f"--user-data-dir={profile}", "--virtual-time-budget=9000"]
        options += [f"--window-size={width},{height}", f"--screenshot={DOCS / name}"]
        command = [browser, *options, page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True)


def reduce_colours(name: str, colours: int = 256) -> None:
    """Writes a picture again with fewer colours: a third of the bytes."""
    from PIL import Image  # Matplotlib's

    with Image.open(DOCS / name) as whole:
        few = whole.convert("RGB").quantize(colours)
    few.save(DOCS / name, optimize=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    terminal(folder)
    picture(folder / REPORT_FILE, "report.png", 1000, 1400)
    if (folder / MICROSCOPE_FILE).exists():
        picture(folder / MICROSCOPE_FILE, "microscope.png", 1100, 1660)
        reduce_colours("microscope.png")
