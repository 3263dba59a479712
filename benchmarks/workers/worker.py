"""The loop of a worker: nothing but the standard library, for any environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPTIONS: dict[str, Any] = json.loads(sys.argv[1])


def serve(do_round: Callable[[], dict[str, float]]) -> None:
    """Says that it is ready, then does a round for each line that comes in.

    Args:
      do_round: Does the work and returns its figures; `peak_mb` is added.
    """
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(values: dict[str, float]) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    answer({})
    for _ in sys.stdin:
        answer(do_round() | {"peak_mb": peak_mb()})


def peak_mb() -> float:
    """Returns the most megabytes that this process has held in memory."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
