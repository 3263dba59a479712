"""What the names of labels tell: order, numbers, missing ones, spellings, lists."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from seqclf.wording import counted, listed

# As exporters write a missing value. Not `none`: that is the name of many a class.
MISSING = (
    "nan", "NaN", "NAN", "-nan", "None", "NULL", "Null", "null", "<NA>", "NA", "N/A",
    "n/a", "#N/A", "NaT",
)  # fmt: skip
OTHER = "other"  # what --other calls the labels that are too rare
SEPARATORS = "|;,/"
FEWEST_LISTS = 3  # fewer labels of several parts may well be names
MOST_NAMES = 20_000  # more are no labels, and not worth the time

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"(-?\d+)(\.0*)?", re.ASCII)


def order(name: str) -> tuple[bool, float, str]:
    """Returns what label names are sorted by: finite numbers first, by their value.

    Only what is written as a number counts as one, not all that Python reads as such
    (`nan`, `inf`, `1_000`, digits of other scripts).
    """
    value = float(name) if _NUMBER.fullmatch(name) else math.inf
    return (math.isinf(value), value, name)


def as_whole(name: str) -> str | None:
    """Returns `1` for `1` and `1.0`, None for what is no whole number."""
    found = _WHOLE.fullmatch(name)
    if found is None:
        return None
    return "0" if found[2] and found[1] == "-0" else found[1]


def looks_missing(name: str) -> bool:
    """Tells whether a label is what exporters write for none."""
    return name.strip() in MISSING


def key(name: str) -> str:
    """Returns what names have in common that `--merge-labels` takes for one label.

    Case, blanks at the ends and their number and kind within, composed or decomposed
    accents, and `1.0` for `1` make no difference.
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    plain = " ".join(unicodedata.normalize("NFC", folded).split())
    return as_whole(plain) or plain


def difference(names: Sequence[str]) -> str:
    """Says in what names of one `key` differ, such as `case` or `blanks and case`."""
    steps: dict[str, Callable[[str], str]] = {
        "blanks": lambda name: " ".join(name.split()),
        "case": str.casefold,
        "the form of accents": lambda name: unicodedata.normalize("NFC", name),
        "the form of the number": lambda name: as_whole(name) or name,
    }

    def are_one_without(left_out: str) -> bool:
        plain = list(names)
        for what, step in steps.items():
            plain = plain if what == left_out else [step(name) for name in plain]
        return len(set(plain)) == 1

    return " and ".join(what for what in steps if not are_one_without(what))


def shown(names: Iterable[str], counts: Iterable[int] | None = None) -> str:
    """Returns the first names, quoted, each with its rows if they are given."""
    said = list(map(quoted, names))
    if counts is not None:
        pairs = zip(said, counts, strict=True)
        said = [f"{name} ({counted(count, 'row')})" for name, count in pairs]
    return listed(said)


def quoted(name: str) -> str:
    """Returns a name in quotes, not too long, with what cannot be seen spelled out."""
    short = name if len(name) <= 40 else name[:39] + "…"
    is_composed = unicodedata.is_normalized("NFC", name)
    return repr(short) if is_composed else ascii(short)


def lists_among(names: Sequence[str]) -> tuple[str, list[str]] | None:
    """Returns what separates labels that are lists of others (`Comedy|War`), and these.

    None if they are less than a third of all names.
    """
    for separator in SEPARATORS if len(names) <= MOST_NAMES else "":
        parts = {n: _parts(n, separator) for n in names}
        common = Counter(part for some in parts.values() for part in set(some))
        several = {n: some for n, some in parts.items() if len(some) > 1}
        lists = [n for n, s in several.items() if all(common[part] > 1 for part in s)]
        if len(lists) >= max(FEWEST_LISTS, len(names) / 3):
            return separator, lists
    return None


def _parts(name: str, separator: str) -> list[str]:
    """Returns the parts of a name; fractions, dates and decimals have none."""
    parts = [part.strip("[](){}'\" ") for part in name.split(separator)]
    if separator in ",/" and not all(re.search(r"[^\W\d]", part) for part in parts):
        return [name]
    return parts if all(parts) else [name]
