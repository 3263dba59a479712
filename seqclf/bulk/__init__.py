"""Classifies whole files: rows in, the same rows with their predictions out.

`sources` finds the files, `rows` reads them a chunk at a time, `writers` answers and
writes them, `parts` keeps what is done and makes one file of it.
"""

from seqclf.bulk.writers import Answered, predict_rows, with_predictions

__all__ = ["Answered", "predict_rows", "with_predictions"]
