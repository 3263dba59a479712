"""seqclf: twin SimpleRNN, GRU and LSTM text classifiers, compared fairly.

From Python: `load_dataset`, `check`, `train`, `compare`, `compare_runs`, `Classifier`,
and `SequenceClassifier` for scikit-learn (docs/python.md). What is behind a name is
imported when it is first used, so that `import seqclf` takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqclf.api import Comparison, check, compare, compare_runs, load_dataset, train
    from seqclf.classifier import Classifier
    from seqclf.errors import SeqclfError
    from seqclf.estimator import SequenceClassifier
    from seqclf.runs import Run

__version__ = "0.2.0"

__all__ = [
    "Classifier",
    "Comparison",
    "Run",
    "SeqclfError",
    "SequenceClassifier",
    "check",
    "compare",
    "compare_runs",
    "load_dataset",
    "train",
]

_HOMES = {
    "Classifier": "seqclf.classifier",
    "Comparison": "seqclf.api",
    "Run": "seqclf.runs",
    "SeqclfError": "seqclf.errors",
    "SequenceClassifier": "seqclf.estimator",
    "check": "seqclf.api",
    "compare": "seqclf.api",
    "compare_runs": "seqclf.api",
    "load_dataset": "seqclf.api",
    "train": "seqclf.api",
}

if not TYPE_CHECKING:  # for a type checker every name would be there

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value  # so that it is asked for once
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
