"""The built-in corpus."""

from seqclf.data.demo.corpus import LABELS, compose, generate

__all__ = ["LABELS", "compose", "generate"]
