"""The command line: options in, one call, results out."""

from seqclf.cli.commands import app, main

__all__ = ["app", "main"]
