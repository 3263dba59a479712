"""How numbers and names are written, the same in verdict, tables and page."""

from __future__ import annotations

from collections.abc import Sequence


def percent(fraction: float) -> str:
    """Returns a fraction as per cent with one digit, such as `89.9`."""
    return f"{100 * fraction:.1f}"


def signed(value: float, digits: int = 1) -> str:
    """Returns a number with a real minus sign, such as `−0.4`."""
    return f"{value:.{digits}f}".replace("-", "−")


def joined(names: Sequence[str]) -> str:
    """Returns a list in words, such as `none, gru and lstm`; at least one name."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
