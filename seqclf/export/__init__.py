"""A run as files that work without seqclf, each compared with the run."""

from seqclf.export.artefacts import Artefact, export, to_json
from seqclf.export.formats import FORMATS
from seqclf.records.export import About

__all__ = ["FORMATS", "About", "Artefact", "export", "to_json"]
