"""Studies: each puts a sentence that people write about these cells to the test.

Four look inside a model; the others sweep a setting through the engine of `compare`, or
read what comparisons left. A study is a function from a question to an answer and one
that draws it; `STUDIES` names them.
"""

from seqclf.studies.sections import write_page
from seqclf.studies.table import STUDIES, Study

__all__ = ["STUDIES", "Study", "write_page"]
