"""The former place of `seqclf.wording`, which studies still go by."""

from __future__ import annotations

from seqclf.wording import joined as joined
from seqclf.wording import percent as percent
from seqclf.wording import signed as signed
