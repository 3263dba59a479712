"""What one request, and all that wait, may take of the machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seqclf.config import require_count
from seqclf.config.checks import require


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a server.

    Attributes:
      texts: Of one request, at most; also of what is answered at once.
      bytes: Of the body of a request, at most.
      queue: Requests that wait, at most, of one model.
      timeout: Seconds in which a request has to come, and in which it is answered.

    Raises:
      ConfigError: If one of them is not above 0.
    """

    texts: int = 1024
    bytes: int = 1_000_000
    queue: int = 1000
    timeout: float = 10.0

    def __post_init__(self) -> None:
        require_count("--max-texts", self.texts)
        require_count("--max-bytes", self.bytes)
        require_count("--queue", self.queue)
        is_time = 0 < self.timeout < math.inf
        require(is_time, "--timeout", "a number of seconds above 0", self.timeout)
