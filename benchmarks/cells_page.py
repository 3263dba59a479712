"""Fills the tables of docs/cells.md with what the studies print.

Run as ``python benchmarks/cells_page.py [STUDY ...]``; without names, every study that
the page has a place for. Each is asked on the built-in corpus, with --quick; finished
trainings and answers in the folder of the runs are reused, so a second run takes
seconds. Places of studies that there are not yet, or that cannot be answered, keep what
they hold.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from seqclf.studies import STUDIES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cells.md"
PLACE = re.compile(r"<!-- study (\w+) -->\n(.*?)<!-- /study \1 -->", re.DOTALL)


def command(name: str) -> list[str]:
    """Returns what to type behind `seqclf`; what reads comparisons has no --quick."""
    quick = [] if STUDIES[name].about else ["--quick"]
    return ["study", name, *quick, "--markdown"]


def ask(name: str) -> str | None:
    """Returns what a study prints; None, and says why, if it has no answer."""
    done = subprocess.run(
        [sys.executable, "-m", "seqclf", *command(name), "--quiet"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        print(f"{name}: {done.stderr.strip()}", file=sys.stderr)
        return None
    return done.stdout.strip()


def filled(page: str, printed: dict[str, str]) -> str:
    """Returns the page with what was printed between the marks of each study.

    Args:
      page: Markdown, with a pair of marks a study.
      printed: Markdown by study; places of others stay as they are.
    """

    def fill(place: re.Match[str]) -> str:
        name = place[1]
        if name not in printed:
            return place[0]
        text = f"    seqclf {' '.join(command(name))}\n\n{printed[name]}"
        return f"<!-- study {name} -->\n{text}\n<!-- /study {name} -->"

    return PLACE.sub(fill, page)


def main(names: list[str]) -> None:
    """Asks the studies and writes the page after each, so that a cut loses little."""
    places = [place[1] for place in PLACE.finditer(PAGE.read_text("utf-8"))]
    for name in names or places:
        if name not in STUDIES or name not in places:
            print(f"{name}: no such study, or no place for it", file=sys.stderr)
            continue
        answer = ask(name)
        if answer is not None:
            page = PAGE.read_text("utf-8")
            PAGE.write_text(filled(page, {name: answer}), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
