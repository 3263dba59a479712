"""Fills docs/cells.md with what the studies print and draw.

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

from seqclf.studies import STUDIES, saved, sections
from seqclf.studies.question import Answer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cells.md"
PLACE = re.compile(r"<!-- study (\w+) -->\n(.*?)<!-- /study \1 -->", re.DOTALL)
DRAWN = ("gradients", "memory", "gates")  # whose picture says more than their table


def command(name: str) -> list[str]:
    """Returns what to type behind `seqclf`; what reads comparisons has no --quick."""
    return ["study", name, *([] if STUDIES[name].about else ["--quick"])]


def ask(name: str) -> Answer | None:
    """Returns what a study answers; None, and says why, if it has no answer."""
    done = subprocess.run(
        [sys.executable, "-m", "seqclf", *command(name), "--json", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        print(f"{name}: {done.stderr.strip()}", file=sys.stderr)
        return None
    return saved.from_json(done.stdout)


def picture(name: str) -> str:
    """Returns the file name of a study's picture, beside the page."""
    return f"study_{name}.svg"


def on_white(svg: str) -> str:
    """Returns a picture with a ground of its own: the page around it may be dark."""
    return svg.replace("<svg ", '<svg style="background: #ffffff" ', 1)


def printed(name: str, answer: Answer) -> str:
    """Returns what `--markdown` prints of an answer, and its picture if it has one."""
    text = sections.markdown(answer)
    if name not in DRAWN:
        return text
    return f"{text}\n\n![{answer.title}: the picture of this study]({picture(name)})"


def filled(page: str, texts: dict[str, str]) -> str:
    """Returns the page with the texts between the marks of their studies.

    Args:
      page: Markdown, with a pair of marks a study.
      texts: Markdown by study; places of others stay as they are.
    """

    def fill(place: re.Match[str]) -> str:
        name = place[1]
        if name not in texts:
            return place[0]
        text = f"    seqclf {' '.join(command(name))} --markdown\n\n{texts[name]}"
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
        if answer is None:
            continue
        if name in DRAWN:
            drawing = on_white(STUDIES[name].figure(answer))
            (PAGE.parent / picture(name)).write_text(drawing, "utf-8")
        page = filled(PAGE.read_text("utf-8"), {name: printed(name, answer)})
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
