"""What `flow` found: the gradients of networks that nobody trained, under dials."""

from __future__ import annotations

from dataclasses import dataclass

from seqclf.records.inside import WayBack


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPoint:
    """A cell with one dial moved, and the others as usual.

    Attributes:
      dial: Name of the dial, a key of `studies.inside.flow.DIALS`.
      value: Where it stands.
      is_usual: Whether that is where Keras, with this recipe, leaves it.
      way: Its gradient on its way back.
      by_memory: The factor that the formula of the memory's own way gives: the kept
        share of the state, or the slope of tanh times the recurrent matrix. None of a
        cell whose formula is not known.
    """

    dial: str
    value: float
    is_usual: bool
    way: WayBack
    by_memory: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFindings:
    """What `flow` found: by cell, a point for each place of each dial.

    Attributes:
      span: Tokens that factors and verdicts are over.
      networks: Of each setting, with weights of their own.
      units: Of each network, and inputs.
      memory: By cell, the state that is kept from token to token.
    """

    span: int
    networks: int
    units: int
    memory: dict[str, str]
    cells: dict[str, tuple[FlowPoint, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """A point of a curve: the factor over a distance, the geometric mean."""

    cell: str
    dial: str
    value: float
    distance: int
    factor: float
