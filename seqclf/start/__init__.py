"""What a network knows before it is trained: word vectors, or the weights of a run."""

from seqclf.start.prepare import prepared, weights_file
from seqclf.start.start import Start, begin_with
from seqclf.start.texts import free_texts

__all__ = ["Start", "begin_with", "free_texts", "prepared", "weights_file"]
