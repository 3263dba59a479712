"""Makes the pictures of the docs from a finished comparison.

Run as ``python benchmarks/pictures.py models/demo-compare``; needs Chromium. Writes
docs/report.png, and docs/microscope.png if the comparison has a microscope (``seqclf
compare --page``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from seqclf.comparison.saved import REPORT_FILE
from seqclf.export.microscope import MICROSCOPE_FILE

DOCS = Path(__file__).parents[1] / "docs"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip


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
    picture(folder / REPORT_FILE, "report.png", 1000, 865)
    reduce_colours("report.png")
    if (folder / MICROSCOPE_FILE).exists():
        picture(folder / MICROSCOPE_FILE, "microscope.png", 1100, 1660)
        reduce_colours("microscope.png")
