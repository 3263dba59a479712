"""What kind of record each study finds, and of what kind its rows are."""

from __future__ import annotations

from seqclf.records.inside import (
    GateRow,
    GatesFindings,
    GradientRow,
    GradientsFindings,
    MemoryFindings,
    OrderFindings,
)

FINDINGS: dict[str, type] = {
    "gradients": GradientsFindings,
    "gates": GatesFindings,
    "memory": MemoryFindings,
    "order": OrderFindings,
}
# Of the studies whose figure is drawn from their rows.
ROWS: dict[str, type] = {"gradients": GradientRow, "gates": GateRow}
