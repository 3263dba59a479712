"""Runs in one offline HTML page, in which one watches the twins read."""

from seqclf.export.microscope.artefact import (
    MICROSCOPE,
    MICROSCOPE_FILE,
    Microscope,
    export_microscope,
    write_microscope,
)
from seqclf.export.microscope.twins import has_steps

__all__ = [
    "MICROSCOPE",
    "MICROSCOPE_FILE",
    "Microscope",
    "export_microscope",
    "has_steps",
    "write_microscope",
]
