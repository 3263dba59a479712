"""At which look pairs are compared, where seeds are added until all is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seqclf.records.comparison import Pair


@dataclass(frozen=True, slots=True)
class AtLook:
    """At which look pairs are compared, where they are looked at again and again.

    Attributes:
      number: From 1; None of a comparison that is looked at once, which is the default.
      share: What it may spend of the 5 %, in (0, 1], see `statistics.share_of_look`.
      later: What the looks after it may, for what would decide a pair.
      decided: By the names of their rows, the pairs that looks have decided, this one
        or those before. They are not tested again.
    """

    number: int | None = None
    share: float = 1.0
    later: float = 1.0
    decided: Mapping[frozenset[str], Pair] = field(default_factory=dict)


ONCE = AtLook()
