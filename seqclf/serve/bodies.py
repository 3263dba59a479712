"""Bodies of requests and answers: JSON that is read strictly, and errors."""

from __future__ import annotations

from typing import Any

import msgspec

from seqclf.serve.refusal import RefusedError

JSON = "application/json"


def read(body: bytes) -> dict[str, Any]:
    """Returns the JSON object of a body.

    Raises:
      RefusedError: If it is none.
    """
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RefusedError(400, f"the body is no JSON: {error}.") from error
    if not isinstance(values, dict):
        raise RefusedError(
            422, f"the body is a JSON {_kind(values)}; an object was expected."
        )
    return values


def written(values: Any) -> bytes:
    """Returns plain values as JSON."""
    return msgspec.json.encode(values)


def texts_in(values: Any, where: str, most: int) -> list[str]:
    """Returns a list of texts.

    Raises:
      RefusedError: If it is none, or has more than `most`; `where` names it.
    """
    if not isinstance(values, list):
        raise RefusedError(
            422, f"{where} is a JSON {_kind(values)}; a list of texts was expected."
        )
    refuse_too_many(len(values), most)
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise RefusedError(
                422, f"{where}[{place}] is a JSON {_kind(value)}; a text was expected."
            )
    return values


def refuse_too_many(texts: int, most: int) -> None:
    """Raises RefusedError if a request has more texts than it may have."""
    if texts > most:
        raise RefusedError(
            413,
            f"the request has {texts:,} texts, and may have {most:,}; send several "
            f"requests, or start the server with a larger --max-texts.",
        )


def one_of(values: dict[str, Any], *names: str) -> str:
    """Returns which of some fields an object has.

    Raises:
      RefusedError: If it has none of them, or several.
    """
    there = [name for name in names if name in values]
    if len(there) != 1:
        wanted = " or ".join(repr(name) for name in names)
        has = " and ".join(repr(name) for name in there) or "neither"
        raise RefusedError(422, f"the body needs {wanted}; it has {has}.")
    return there[0]


def _kind(value: Any) -> str:
    """Returns what JSON calls the kind of a value."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean"}
    return "null" if value is None else names.get(type(value), "number")
