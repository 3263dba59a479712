"""How numbers are written."""

import pytest

from seqclf import wording


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.percent(0.8991), "89.9"),
        (wording.signed(-0.42), "−0.4"),
        (wording.joined(["gru"]), "gru"),
        (wording.joined(["none", "gru", "lstm"]), "none, gru and lstm"),
        (wording.counted(1, "seed"), "1 seed"),
        (wording.counted(1500, "text"), "1,500 texts"),
        (wording.p_value(0.0009), "< 0.001"),
        (wording.p_value(0.012), "0.012"),
        (wording.p_value(0.0496), "0.0496"),
        (wording.p_value(0.04996), "0.04996"),
        (wording.p_value(0.05), "0.050"),
        (wording.signed(-0.0004), "0.0"),
        (wording.interval(-0.004, 0.01), "−0.4 to 1.0"),
        (wording.interval(-0.0003, 0.019), "−0.03 to 1.90"),
        (wording.interval(0.000004, 0.019), "0.0 to 1.9"),
        (wording.interval(0.0, 0.01), "0.0 to 1.0"),
        (wording.interval(-0.004, 0.01, 1000, 0), "−4 to 10"),
        (wording.interval(None, None), "–"),
        (wording.span(0.8953, 0.9028), "89.5–90.3"),
        (wording.with_interval(0.899, 0.891, 0.906), "89.9 (89.1 to 90.6)"),
        (wording.points(0.003), "0.3 points"),
        (wording.points(0.003, -0.004, 0.01), "0.3 points (−0.4 to 1.0)"),
        (
            wording.points_at_length(0.003, -0.004, 0.01),
            "0.3 points (95 % interval −0.4 to 1.0)",
        ),
    ],
)
def test_numbers_are_written_alike_everywhere(written, expected):
    assert written == expected
