"""Each row of the table in docs/data.md, tried."""

from __future__ import annotations

import io
import os
import re
import sys
import types
from pathlib import Path

import pytest
import test_hub
from data_matrix import CASES, DOCUMENT, IN_TEST_HUB, Case, table

from seqclf.config import DataConfig
from seqclf.data.load import load_dataset, read_source
from seqclf.errors import SeqclfError


@pytest.fixture
def someone_else():
    """Gives up the rights of the administrator, who may read everything."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield
    if is_root:
        os.seteuid(0)


def read(case: Case, request: pytest.FixtureRequest):
    """Reads a case's data as a person would, from within its folder."""
    options = dict(case.options)
    is_whole, is_forbidden = (options.pop(k, False) for k in ("load", "forbidden"))
    if is_forbidden:
        Path(str(options["source"])).chmod(0)
        request.getfixturevalue("someone_else")
    config = DataConfig(**options)
    return load_dataset(config) if is_whole else read_source(config)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_matrix_says_is_what_happens(case, tmp_path, monkeypatch, request):
    for name, content in case.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    piped = io.BytesIO(case.files.get("stdin", b""))
    stdin = types.SimpleNamespace(buffer=piped, isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    if case.error is not None:
        with pytest.raises(SeqclfError, match=f"(?s){case.error}"):
            read(case, request)
        return
    raw = read(case, request)
    train = raw.splits["train"]
    if case.rows is not None:
        names = [raw.labels[i] for i in train["label"].to_pylist()]
        assert list(zip(train["text"].to_pylist(), names, strict=True)) == case.rows
    if case.labels is not None:
        assert raw.labels == case.labels
    if case.sizes is not None:
        assert {n: t.num_rows for n, t in raw.splits.items()} == case.sizes
    if case.note is not None:
        assert any(re.search(case.note, note) for note in raw.notes)
    claims = (case.rows, case.labels, case.sizes)
    assert any(claim is not None for claim in claims)


def test_no_two_cases_are_one():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_the_document_holds_every_case():
    assert table() in DOCUMENT.read_text("utf-8")


@pytest.mark.parametrize("test", sorted({row[-1] for row in IN_TEST_HUB}))
def test_the_cases_of_the_hub_have_their_tests(test):
    assert callable(getattr(test_hub, test))
