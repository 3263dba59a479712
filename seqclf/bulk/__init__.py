"""Classifies whole files: rows in, the same rows with their predictions out.

`sources` finds the files, `rows` reads them a chunk at a time, `predict` answers,
`parts` keeps what is done and makes one file of it, `writers` writes that.
"""

from seqclf.bulk.predict import Answered, predict_rows, with_predictions

__all__ = ["Answered", "predict_rows", "with_predictions"]
