from __future__ import annotations

import pytest

from seqclf import clock
from seqclf.records.training import Epoch
from seqclf.training.fit import History
from seqclf.training.trial import _phases


@pytest.fixture
def ticking(monkeypatch) -> clock.Clock:
    """A clock for which every look at the time is a second later."""
    seconds = iter(range(100))
    monkeypatch.setattr(clock.time, "perf_counter", lambda: float(next(seconds)))
    return clock.Clock()


def test_phases_are_added_up_in_their_order(ticking):
    for phase in ("data", "training", "data"):
        with ticking.of(phase):
            pass
    ticking.add({"page": 2.5, "training": 0.5})
    assert ticking.seconds == {"data": 2.0, "training": 1.5, "page": 2.5}
    assert [*ticking.seconds] == ["data", "training", "page"]


def test_a_phase_that_fails_counts_too(ticking):
    with pytest.raises(KeyError), ticking.of("data"):
        raise KeyError
    assert ticking.seconds == {"data": 1.0}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ({}, ""),
        ({"data": 0.2, "page": 0.1}, "Took 0 s."),
        ({"data": 1.6, "tuning": 0.4, "training": 35.2},
         "Took 37 s: data 2, training 35."),
    ],
)  # fmt: skip
def test_what_took_long_is_said(seconds, said):
    assert clock.took(seconds) == said


def epoch(number: int, seconds: float) -> Epoch:
    return Epoch(
        epoch=number, loss=1.0, accuracy=0.5, seconds=seconds, tokens_per_second=1.0,
        validation_loss=1.0, validation_accuracy=0.5,
    )  # fmt: skip


def test_the_first_epoch_tells_what_tracing_took():
    epochs = [epoch(1, 7.0), epoch(2, 3.0), epoch(3, 3.0)]
    history = History(epochs, 1, 0.0, [], 1.0)
    found = _phases({"importing": 4.0, "training": 15.0}, history)
    assert found == {
        "importing": 4.0, "training": 9.0, "tracing": 4.0, "validating": 2.0
    }  # fmt: skip
    resumed = _phases(
        {"training": 5.0}, history
    )  # 13 s, most of them before it was cut
    assert resumed == {"training": 1.0, "tracing": 4.0, "validating": 0.0}
    quick = History([epoch(1, 2.0), epoch(2, 3.0)], 1, 0.0, [], 1.0)
    assert _phases({"training": 5.0}, quick)["tracing"] == 0.0
