"""The classifier for scikit-learn.

`inputs` and `parameters` are what comes in, `fitting` trains, `trained` is what that
made, `saving` what a file has of it.
"""

from seqclf.estimator.estimator import SequenceClassifier

__all__ = ["SequenceClassifier"]
