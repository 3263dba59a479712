"""What the commands do, for Python: plain functions with the options' names.

`import seqclf` gives them. What they note, and each epoch, goes to the logger `seqclf`
at level INFO; nothing is printed.
"""

from seqclf.api.comparing import AnswerFiles, Comparison, compare, compare_runs
from seqclf.api.datasets import check, load_dataset
from seqclf.api.logged import Logged
from seqclf.api.training import train

__all__ = [
    "AnswerFiles",
    "Comparison",
    "Logged",
    "check",
    "compare",
    "compare_runs",
    "load_dataset",
    "train",
]
