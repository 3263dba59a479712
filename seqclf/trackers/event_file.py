"""TensorBoard's event files, written and read without TensorBoard or TensorFlow.

TensorFlow is not loaded in the process that watches trainings: it takes seconds and
half a gigabyte. An event file is a row of records, each with its length and two
checksums (TFRecord, tensorflow/core/lib/io/record_writer.h), and each record is an
`Event` as protocol buffers encode it (tensorflow/core/util/event.proto and
framework/summary.proto), of which numbers need five fields.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

VERSION = b"brain.Event:2"
# Fields by number: of Event, of Summary, of Summary.Value.
_TIME, _STEP, _VERSION, _SUMMARY = 1, 2, 3, 5
_VALUE = 1
_TAG, _NUMBER = 1, 2
# How a field is encoded.
_VARINT, _EIGHT_BYTES, _SOME_BYTES, _FOUR_BYTES = 0, 1, 2, 5
_LENGTH, _CHECKSUM, _FLOAT = map(struct.Struct, ("<Q", "<I", "<f"))
MOST = (2 - 2**-23) * 2.0**127  # of float32
_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), bits reversed
_MOST_BYTES = 1 << 24  # of a record; those written here have hundreds


def begin(file: BinaryIO) -> None:
    """Writes what an event file begins with: its version."""
    _write(file, _time() + _field(_VERSION, VERSION))


def write(file: BinaryIO, step: int, values: Mapping[str, float]) -> None:
    """Writes one event: numbers by tag, float32, at a step, with the time of now."""
    summary = b"".join(
        _field(_VALUE, _field(_TAG, tag.encode()) + _number(value))
        for tag, value in values.items()
    )
    at = _varint(_STEP << 3 | _VARINT) + _varint(step)
    _write(file, _time() + at + _field(_SUMMARY, summary))


def read(file: Path) -> tuple[list[tuple[str, int, float]], int]:
    """Reads what `write` wrote: tag, step and value of each number, in order.

    Returns:
      These, and how many bytes of the file are whole; what is behind them was cut off,
      or is not ours.
    """
    found, whole = [], 0
    for data, end in _records(file.read_bytes()):
        try:
            found += list(_numbers(data))
        except (IndexError, ValueError, struct.error):
            break
        whole = end
    return found, whole


def _time() -> bytes:
    return _varint(_TIME << 3 | _EIGHT_BYTES) + struct.pack("<d", time.time())


def as_float32(value: float) -> float:
    """Returns a number as an event file has it; one that is too large is infinite."""
    if abs(value) > MOST:
        return math.copysign(math.inf, value)
    rounded: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    return rounded


def _number(value: float) -> bytes:
    return _varint(_NUMBER << 3 | _FOUR_BYTES) + _FLOAT.pack(as_float32(value))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _SOME_BYTES) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """Encodes a number of at least 0, seven bits a byte, the lowest first."""
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _write(file: BinaryIO, data: bytes) -> None:
    length = _LENGTH.pack(len(data))
    file.write(length + _checksum(length) + data + _checksum(data))
    file.flush()  # TensorBoard reads along


def _records(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields the whole records of a file, and where each ends."""
    start, before = 0, _LENGTH.size + _CHECKSUM.size
    while len(content) >= start + before:
        length = content[start : start + _LENGTH.size]
        size = _LENGTH.unpack(length)[0]
        data = content[start + before :][:size] if size <= _MOST_BYTES else b""
        end = start + before + size + _CHECKSUM.size
        checksums = content[start + _LENGTH.size :][:4], content[end - 4 : end]
        if checksums != (_checksum(length), _checksum(data)):
            return
        yield data, end
        start = end


def _numbers(event: bytes) -> Iterator[tuple[str, int, float]]:
    parts = dict(_fields(event))
    step = parts.get(_STEP, 0)
    for _, value in _fields(parts.get(_SUMMARY, b"")):
        one = dict(_fields(value))
        yield one[_TAG].decode(), step, _FLOAT.unpack(one[_NUMBER])[0]


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yields the fields of a message: number, and its value or its bytes."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind, size = key & 7, {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(key & 7, 0)
        if kind == _VARINT:
            value, at = _read_varint(message, at)
            yield key >> 3, value
            continue
        if kind == _SOME_BYTES:
            size, at = _read_varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while message[at] > 0x7F:
        number |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | message[at] << shift, at + 1


def _table() -> Iterable[int]:
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        yield value


_TABLE = tuple(_table())


def _checksum(data: bytes) -> bytes:
    """Returns the masked CRC-32C of TFRecord, see tensorflow/tsl/lib/hash/crc32c.h."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return _CHECKSUM.pack(masked)
