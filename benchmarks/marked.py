"""Puts what a benchmark found between its markers in a page of docs."""

from __future__ import annotations

import datetime
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def write(name: str, command: str, text: str, page: Path = PAGE) -> None:
    """Writes text between ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Args:
      name: The markers' name.
      command: What made it; it is shown above the text, with the date.
      text: Markdown; ends as it is given.
      page: Where the markers are.
    """
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = page.read_text("utf-8").split(start, 1)
    after = rest.split(end, 1)[1]
    today = datetime.datetime.now(datetime.UTC).date()
    said = f"`{command}`, {today}:\n\n{text.strip()}\n"
    page.write_text(f"{before}{start}{said}{end}{after}", "utf-8")
