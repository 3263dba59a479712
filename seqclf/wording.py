"""How numbers, intervals and names are written, the same wherever people read them."""

from __future__ import annotations

from collections.abc import Sequence

MISSING = "–"


def percent(fraction: float) -> str:
    """Returns a fraction as per cent with one digit, such as `89.9`."""
    return f"{100 * fraction:.1f}"


def signed(value: float, digits: int = 1) -> str:
    """Returns a number with a real minus sign, such as `−0.4`."""
    said = f"{value:.{digits}f}"
    return (said if float(said) else said.lstrip("-")).replace("-", "−")


def joined(names: Sequence[str]) -> str:
    """Returns a list in words, such as `none, gru and lstm`; at least one name."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Returns the first names and how many others there are: `a, b and 3 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(number: int, unit: str) -> str:
    """Returns a number with its unit, such as `1 seed` or `1,500 texts`."""
    return f"{number:,} {plural(number, unit)}"


def plural(number: int, unit: str) -> str:
    """Returns a unit as so many have it, such as `seeds`; its plural ends in s."""
    return unit if number == 1 else f"{unit}s"


def p_value(p: float) -> str:
    """Returns a p-value with three digits, such as `0.012`, or `< 0.001`.

    More where it would be rounded onto 0.05, at which all is decided.
    """
    if p < 0.001:
        return "< 0.001"
    digits = 3
    while digits < 6 and p != 0.05 and round(p, digits) == 0.05:
        digits += 1
    return f"{p:.{digits}f}"


def interval(
    low: float | None, high: float | None, scale: float = 100, digits: int = 1
) -> str:
    """Returns bounds such as `−0.4 to 1.0`, fractions in points; a dash for None.

    With up to two digits more where one would be rounded onto 0, which it leaves out.
    """
    if low is None or high is None:
        return MISSING
    ends = [scale * end for end in (low, high) if end]
    digits += next(
        (n for n in range(3) if all(round(end, digits + n) for end in ends)), 0
    )
    return f"{signed(scale * low, digits)} to {signed(scale * high, digits)}"


def span(low: float, high: float) -> str:
    """Returns bounds of a share in per cent, such as `89.1–90.6`, for tables."""
    return f"{percent(low)}–{percent(high)}"


def with_interval(
    value: float,
    low: float | None,
    high: float | None,
    scale: float = 100,
    digits: int = 1,
) -> str:
    """Returns such as `89.9 (89.1 to 90.6)`; `89.9` where an estimate has no interval.

    All three are multiplied by `scale`: 100 gives fractions in per cent or points.
    """
    text = signed(scale * value, digits)
    return text if low is None else f"{text} ({interval(low, high, scale, digits)})"


def number(value: float) -> str:
    """Returns a positive number in two digits, such as `0.50`, `12` or `1.2e-09`.

    From 1 to 10 in three: 1.04 is not 1. From 100 to a million, all digits.
    """
    if value >= 100:
        return f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"
    return f"{value:#.{3 if 0.995 <= value < 9.995 else 2}g}".rstrip(".")


def times(ratio: float, low: float | None = None, high: float | None = None) -> str:
    """Returns a ratio such as `1.04 times`; `1.04 times (0.98 to 1.10)` with bounds."""
    said = f"{number(ratio)} times"
    if low is None or high is None:
        return said
    return f"{said} ({number(low)} to {number(high)})"


def models_each(seeds: int) -> str:
    """Returns `one model each`, or `3 models each`."""
    return "one model each" if seeds == 1 else f"{seeds} models each"


def points(
    difference: float, low: float | None = None, high: float | None = None
) -> str:
    """Returns `0.3 points`, of fractions; `0.3 points (−0.4 to 1.0)` with bounds."""
    size = f"{signed(100 * difference)} points"
    return size if low is None else f"{size} ({interval(low, high)})"


def margin_said(margin: float) -> str:
    """Returns a margin, a fraction, such as `1 point` or `0.5 points`."""
    return f"{100 * margin:g} {'point' if margin == 0.01 else 'points'}"


def points_at_length(difference: float, low: float | None, high: float | None) -> str:
    """Returns such as `0.3 points (95 % interval −0.4 to 1.0)`, of fractions."""
    return f"{points(difference)} (95 % interval {interval(low, high)})"


def first_line(error: BaseException) -> str:
    """Returns the first line of what an error says, with its name if it says little."""
    text = str(error).strip().partition("\n")[0].rstrip(".")
    return text or type(error).__name__
