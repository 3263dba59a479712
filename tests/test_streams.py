"""Rows read as a stream are those that the reader of data sets reads whole."""

from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.bulk.chunks import Options
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import find_source
from seqclf.data.files import read_file
from seqclf.errors import DataError


def opened(file):
    return open_rows(find_source(file), Options())


CSV_BITS = ["a", "text", '"', '""', ",", "\t", "\n", "\r\n", "\r", " ", "é", "\x00"]


@settings(max_examples=300, deadline=None)
@given(
    bits=st.lists(st.sampled_from(CSV_BITS), max_size=30),
    delimiter=st.sampled_from([",", "\t"]),
)
def test_the_stream_and_the_reader_of_data_agree(bits, delimiter, tmp_path_factory):
    """What `read_file` reads comes out as a stream; what it refuses is refused."""
    content = f"text{delimiter}b\n" + "".join(bits)
    file = tmp_path_factory.mktemp("csv") / {",": "x.csv", "\t": "x.tsv"}[delimiter]
    file.write_bytes(content.encode())
    try:
        whole = read_file(file).table
    except DataError as error:
        whole = error
    try:
        found = opened(file)
        streamed = pa.concat_tables([c.table for c in found.read()])
    except DataError as error:
        streamed = error
    except pa.ArrowInvalid:  # no chunk at all: read_file refuses files without rows
        assert "has no rows" in str(whole)
        return
    if isinstance(whole, DataError):
        assert isinstance(streamed, DataError), whole
    else:
        assert streamed.to_pylist() == whole.to_pylist()


KINDS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-9, 9) | st.text()
VALUES = KINDS | st.lists(st.integers(0, 3), max_size=2)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1))
def test_json_lines_as_a_stream_agree_with_the_reader_of_data(rows, tmp_path_factory):
    file = tmp_path_factory.mktemp("json") / "x.jsonl"
    rows = [{"text": "t"} | row for row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    try:
        whole = read_file(file).table.to_pylist()
    except DataError:
        whole = None
    try:
        streamed = [r for c in opened(file).read() for r in c.table.to_pylist()]
    except DataError:
        streamed = None
    assert streamed == whole
