"""From Python, messages name keyword arguments and not options."""

from __future__ import annotations

import pytest
from conftest import write_csv

from seqclf import compare, compare_runs, load_dataset
from seqclf.errors import ConfigError, DataError
from seqclf.keywords import in_python, of_network


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


def test_keywords_of_a_function_itself_are_spoken_of_too(tmp_path):
    with pytest.raises(ConfigError, match="^seeds must be a whole number"):
        compare(tmp_path, seeds=0)
    with pytest.raises(ConfigError, match="^overwrite=True .*name"):
        compare_runs("a", "b", overwrite=True, models_dir=tmp_path)
    assert in_python("--with NAME", {"with_": dict}) == "with_=NAME"
    assert in_python("--with NAME") == "--with NAME"


def test_fields_of_a_network_are_told_from_other_keywords():
    given = {"units", "seed", "cell", "limit", "models_dir", "name", "vectors"}
    assert of_network(given) == {"units", "seed", "cell"}


def test_an_error_from_python_speaks_of_keywords(tmp_path):
    file = write_csv(tmp_path / "x.csv", [("a", "b")])
    file.write_text("one,two,three\n" + "x,y,z\n" * 20)
    with pytest.raises(DataError) as caught:
        load_dataset(file)
    assert "text_column" in str(caught.value)
    assert "--" not in str(caught.value)
