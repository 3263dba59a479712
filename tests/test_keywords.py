"""From Python, messages name keyword arguments and not options."""

from __future__ import annotations

import pytest
from conftest import write_csv

from seqclf import load_dataset
from seqclf.errors import DataError
from seqclf.keywords import in_python


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("--limit 5000 takes all.", "limit=5000 takes all."),
        ("Try --learning-rate 0.001.", "Try learning_rate=0.001."),
        ("--merge-labels takes them for one", "merge_labels=True takes them for one"),
        ("--no-header reads it", "header=False reads it"),
        ("--text-column names it", "text_column names it"),
        ("give --text-column 'Review Text'.", "give text_column='Review Text'."),
        ("--columns label,title,text.", "columns='label,title,text'."),
        ("--encoding cp1252 does", "encoding='cp1252' does"),
        ("pass --text-column NAME", "pass text_column=NAME"),
        ("--overwrite replaces it", "overwrite=True replaces it"),
        ("type seqclf study gates --limit 9.", "type seqclf study gates --limit 9."),
        ("seqclf data show x; --limit 9", "seqclf data show x; limit=9"),
    ],
)
def test_options_become_keywords(said, expected):
    assert in_python(said) == expected


def test_an_error_from_python_speaks_of_keywords(tmp_path):
    file = write_csv(tmp_path / "x.csv", [("a", "b")])
    file.write_text("one,two,three\n" + "x,y,z\n" * 20)
    with pytest.raises(DataError) as caught:
        load_dataset(file)
    assert "text_column" in str(caught.value)
    assert "--" not in str(caught.value)
