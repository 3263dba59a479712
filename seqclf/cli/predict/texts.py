"""Where texts come from that are typed, or piped: arguments and standard input."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator

from seqclf.errors import ConfigError

BATCH_SIZE = 64


def typed_texts(texts: list[str]) -> Iterator[list[str]]:
    """Returns batches of texts, from the arguments or from standard input."""
    if "-" in texts and len(texts) > 1:
        raise ConfigError("- reads standard input; it goes with no other text.")
    if texts and texts != ["-"]:
        return iter([[_valid(text) for text in texts]])
    if sys.stdin is None or (not texts and sys.stdin.isatty()):
        raise ConfigError(
            'predict needs a text: seqclf predict "text", or - to read a text a line '
            "from standard input."
        )
    return _stream()


def _valid(text: str) -> str:
    # An argument that is not UTF-8 arrives with lone surrogates in it.
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _stream() -> Iterator[list[str]]:
    """Yields what standard input holds so far, a text a line, without waiting for more.

    So answers come as fast as texts do, and a full pipe is still read in batches.
    """
    lines: queue.Queue[str | None] = queue.Queue(maxsize=16 * BATCH_SIZE)

    def read() -> None:
        for line in _lines(sys.stdin.fileno()):
            lines.put(line.removesuffix(b"\r").decode("utf-8", "replace"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    line = lines.get()
    while line is not None:
        batch = [line]
        line = None
        while len(batch) < BATCH_SIZE and not lines.empty():
            line = lines.get()
            if line is None:
                yield batch
                return
            batch.append(line)
        yield batch
        line = lines.get()


def _lines(descriptor: int) -> Iterator[bytes]:
    # From the descriptor: a thread that waits inside Python's own buffer would hold
    # its lock when Ctrl-C ends the process.
    rest = b""
    while block := os.read(descriptor, 1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest
