"""Keeps the `datasets` library from writing over the screen."""

from __future__ import annotations

import logging
import os
import sys

QUIET_VARIABLE = "SEQCLF_QUIET_DOWNLOADS"


def hide_downloads() -> None:
    """Turns the progress bars of downloads off."""
    os.environ[QUIET_VARIABLE] = "1"


def quieten() -> None:
    """Silences log lines, and progress bars where nobody would see them."""
    import datasets

    # Documented, if not marked as an export.
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    for library in ("datasets", "huggingface_hub"):  # what matters is raised too
        logging.getLogger(library).setLevel(logging.CRITICAL)
    if not sys.stderr.isatty() or os.environ.get(QUIET_VARIABLE) == "1":
        datasets.disable_progress_bars()
        disable_progress_bars()
