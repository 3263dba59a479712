"""From records to plain values of JSON and back, checked by msgspec."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(record: Any) -> Any:
    """Returns a record, or a container of records, as plain values of JSON."""
    import msgspec

    return msgspec.to_builtins(record, str_keys=True)


def from_plain(kind: type[T], values: Any) -> T:
    """Makes a record of plain values.

    Args:
      kind: Its type, such as `Epoch` or `dict[str, Scores]`. A field with a default may
        be missing, as it is in files of earlier versions; others are ignored.
      values: What `json.loads` gives.

    Raises:
      ValueError: If a value is missing or of another type; its place is named.
    """
    import msgspec

    return msgspec.convert(values, kind, str_keys=True)
