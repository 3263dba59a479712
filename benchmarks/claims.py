"""Judges the claims on `demo` and on real data; writes docs/claims.md.

Run as ``python benchmarks/claims.py [PAGE ...]``, with the data sets in
``../shared/data``. Finished trainings and answers are reused, so an interrupted
campaign continues; a page that was not asked for keeps what it has.
"""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from seqclf.machine import processor
from seqclf.system import cores
from seqclf.versions import package_versions

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
MODELS = Path(os.environ.get("SEQCLF_MODELS", ROOT / "models"))
PAGE = ROOT / "docs" / "claims.md"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of claims.

    Attributes:
      data: Name of the data set; `demo` is the built-in corpus.
      options: What is typed behind it.
    """

    data: str
    options: str

    @property
    def name(self) -> str:
        """What it is called here, such as `demo-quick`."""
        return f"{self.data}-quick" if "--quick" in self.options else self.data

    @property
    def command(self) -> str:
        """What a reader types."""
        data = "" if self.data == "demo" else f" --data {self.data}"
        return f"seqclf claims{data} {self.options}"

    @property
    def arguments(self) -> list[str]:
        """What is typed here, on a local copy."""
        data = self.data if self.data == "demo" else str(DATA / self.data)
        folder = f"--models-dir={MODELS}"
        return ["claims", f"--data={data}", *self.options.split(), folder]


CAMPAIGN = (
    Entry("demo", "--quick"),
    Entry("trec6", "--seeds 3"),
    Entry("imdb", "--limit 2000 --seeds 3"),
)


def ask(entry: Entry) -> str:
    """Returns the section of a page of claims."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "seqclf", *entry.arguments, "--markdown"],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    )
    minutes = (time.perf_counter() - start) / 60
    today = datetime.datetime.now(datetime.UTC).date()
    versions = package_versions()
    # A full page takes hours, and is made in several runs.
    took = f"; {minutes:.1f} minutes" if "--quick" in entry.options else ""
    made = (
        f"    {entry.command}\n\n{today}, {cores()} cores of {processor()}, no GPU, "
        f"keras {versions['keras']}{took}."
    )
    return f"{made}\n\n{done.stdout.strip()}".replace(str(MODELS), "models")


def fill(file: Path, name: str, text: str) -> None:
    """Writes text between the markers of a name."""
    start, end = f"<!-- claims {name} -->", f"<!-- /claims {name} -->"
    place = re.compile(f"{re.escape(start)}\n.*?{re.escape(end)}", re.DOTALL)
    page = file.read_text("utf-8")
    if not place.search(page):
        raise SystemExit(f"{file} has no place for {name}")
    file.write_text(place.sub(lambda _: f"{start}\n{text}\n{end}", page), "utf-8")


def main(names: list[str]) -> None:
    """Asks what is asked for, and writes it down."""
    for entry in CAMPAIGN:
        if names and entry.name not in names:
            continue
        print(entry.command, flush=True)
        text = ask(entry)
        fill(PAGE, entry.name, text)


if __name__ == "__main__":
    main(sys.argv[1:])
