"""What a server counts, for Prometheus: requests, texts, seconds, who waits."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds: one text takes less than a millisecond, a thousand long ones a second.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counted:
    """The counts of one server; no text and no name of a client is among them."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        """Counts from 0; `waiting` tells how many requests wait now."""
        self._registry = CollectorRegistry()
        own = self._registry
        self.requests = Counter(
            "seqclf_requests", "Requests.", ["asked", "status"], registry=own
        )
        self.seconds = Histogram(
            "seqclf_request_seconds",
            "From the head of a request to its answer.",
            ["asked"],
            buckets=BUCKETS,
            registry=own,
        )
        self.texts = Counter("seqclf_texts", "Texts answered.", registry=own)
        self.taken = Counter("seqclf_models_taken", "Models replaced.", registry=own)
        waits = Gauge("seqclf_waiting_requests", "Requests that wait.", registry=own)
        waits.set_function(waiting)

    def page(self) -> bytes:
        """Returns the counts in Prometheus's text format."""
        return generate_latest(self._registry)
