"""A run is a directory: its files, and how it is found."""

from seqclf.runs.mean import AnyRun, Mean, members_of, open_any, unit_of
from seqclf.runs.places import (
    Place,
    automatic_name,
    check_name,
    find_place,
    forget,
    is_under_way,
    list_runs,
    no_runs,
    open_run,
)
from seqclf.runs.predictions import Predictions
from seqclf.runs.run import Run

__all__ = [
    "AnyRun",
    "Mean",
    "Place",
    "Predictions",
    "Run",
    "automatic_name",
    "check_name",
    "find_place",
    "forget",
    "is_under_way",
    "list_runs",
    "members_of",
    "no_runs",
    "open_any",
    "open_run",
    "unit_of",
]
