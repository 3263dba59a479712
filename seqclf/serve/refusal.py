"""Why a request is not answered."""

from __future__ import annotations


class RefusedError(Exception):
    """A request that is not answered.

    Attributes:
      status: The HTTP status, 4xx or 503.
      sentence: What came, what was expected, what to do.
      retry_after: Seconds after which to ask again; None if that would not help.
    """

    def __init__(
        self, status: int, sentence: str, retry_after: int | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after = retry_after
