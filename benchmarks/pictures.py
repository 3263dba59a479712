"""Makes the pictures of the README from a finished comparison.

Run as ``python benchmarks/pictures.py models/demo-compare``; needs Chromium. Writes
docs/terminal.svg and docs/report.png.
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


def report(folder: Path, width: int = 1000, height: int = 1400) -> None:
    """Writes a picture of the top of the page."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is not installed")
    page = (folder / REPORT_FILE).resolve().as_uri()
    with tempfile.TemporaryDirectory() as profile:
        options = [*FLAGS, f"--user-data-dir={profile}"]
        options += [f"--window-size={width},{height}"]
        options += [f"--screenshot={DOCS / 'report.png'}", page]
        subprocess.run([browser, *options], check=True, capture_output=True)


if __name__ == "__main__":
    terminal(Path(sys.argv[1]))
    report(Path(sys.argv[1]))
