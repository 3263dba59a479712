"""What trainings import, for their processes to be forked from; see `fork_from`."""

from __future__ import annotations

import contextlib
import importlib

MODULES = ("seqclf.training.trial", "scipy.optimize", "sklearn.metrics")

# Whatever goes wrong, a training does the same, and says it where somebody reads it.
with contextlib.suppress(Exception):
    importlib.import_module("seqclf.model.backend").import_lean_keras()
    for name in MODULES:
        importlib.import_module(name)
