"""Runs in one offline HTML page, in which one watches the twins read."""

from seqclf.export.microscope.artefact import (
    MICROSCOPE,
    MICROSCOPE_FILE,
    Microscope,
    export_microscope,
    write_microscope,
)

__all__ = [
    "MICROSCOPE",
    "MICROSCOPE_FILE",
    "Microscope",
    "export_microscope",
    "write_microscope",
]
