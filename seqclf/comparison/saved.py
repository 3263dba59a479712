"""The files of a comparison besides its result; unusable ones are ignored."""

from __future__ import annotations

from pathlib import Path

from seqclf.records.details import Details
from seqclf.records.plain import from_plain
from seqclf.records.training import Timing
from seqclf.storage import read_object

DETAILS_FILE = "details.json"
REPORT_FILE = "report.html"
TIMING_FILE = "timing.json"


def read_timing(folder: Path) -> dict[str, Timing]:
    """Returns what the twins' timing pass measured, by cell; nothing if it was not."""
    found = {}
    for cell, values in read_object(folder / TIMING_FILE).items():
        try:
            found[cell] = from_plain(Timing, values)
        except ValueError:
            continue  # it is measured again
    return found


def read_details(folder: Path) -> Details | None:
    """Returns where the models of a comparison differ; None if it cannot be read."""
    try:
        return from_plain(Details, read_object(folder / DETAILS_FILE))
    except ValueError:
        return None
