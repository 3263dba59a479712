"""The command line: options in, one call, results out."""

from seqclf.cli.commands import command_line, main

__all__ = ["command_line", "main"]
