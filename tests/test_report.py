from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from seqclf.records.scores import LabelScores, Scores
from seqclf.report import scores, tables


def row(cell: str, kind: str = "recurrent", runs: int = 1) -> dict:
    cost = {
        "recurrent_parameters": 1_234_567,
        "parameters": 12_345_678,
        "seconds_per_epoch": 123.4,
        "tokens_per_second": 54_321.0,
        "milliseconds_per_prediction": 12.34,
        "kernel": "TensorFlow loop",
        "seeds": list(range(runs)),
    }
    return {
        "cell": cell,
        "kind": kind,
        "n": 25_000,
        "runs": ["models/x"] * runs,
        "accuracy": {
            "mean": 0.8991, "low": 0.8953, "high": 0.9028, "least": 0.897, "most": 0.902
        },
        "macro_f1": 0.8765,
        "log_loss": 0.25,
        "seconds_to_best": 456.7,
        "peak_memory_bytes": 1_234_000_000,
    } | (cost if kind == "recurrent" else {})  # fmt: skip


def pair(a: str, b: str, runs: int) -> dict:
    model = {"low": -0.0042, "high": 0.0104}
    several = {"low": -0.0021, "high": 0.0083, "p": 0.2345}
    return {
        "a": a, "b": b, "seeds": list(range(runs)), "difference": 0.0031,
        "models": [model] * runs, "mcnemar_p": [0.0004] * runs,
    } | (several if runs > 1 else dict.fromkeys(several))  # fmt: skip


def result(runs: int = 1) -> dict:
    baseline = row("tf-idf + logistic regression", "baseline")
    cells = [row(cell, runs=runs) for cell in ("none", "rnn", "gru", "lstm")]
    return {
        "rows": [baseline, *cells],
        "pairs": [pair("gru", "lstm", runs), pair("gru", "none", runs)],
        "references": [pair("tf-idf + logistic regression", "gru", runs)],
        "verdict": "GRU is best.",
        "missing": {"x-rnn-1": "killed"},
        "card": {"checks": [check("data", True), check("vocabulary", False)]},
    }


def check(what: str, equal: bool) -> dict:
    return {"what": what, "equal": equal, "value": "ab", "concerns": "scores"}


def shown(runs: int = 1) -> str:
    file = io.StringIO()
    console = Console(file=file, width=80)
    for table in tables.terminal(result(runs)):
        console.print(table)
    console.print(tables.closing(result(runs)))
    return file.getvalue()


@pytest.mark.parametrize("runs", [1, 3])
def test_the_tables_fit_eighty_columns_and_hold_the_numbers(runs):
    text = shown(runs)
    assert max(map(len, text.splitlines())) <= 80
    for number in ("89.9", "89.5–90.3", "87.6", "0.250", "1,234,567", "54k", "1234"):
        assert number in text, number
    # One seed: McNemar and the bootstrap of the models; more: the cells.
    pairs = [line for line in text.splitlines() if "gru, lstm" in line]
    shown_of_pair = {
        True: ("0.3", "−0.2 to 0.8", "0.234", "3 (−2 to 8)"),
        False: ("0.3", "−0.4 to 1.0", "< 0.001", "3 (−4 to 10)"),
    }[runs > 1]
    for figure in shown_of_pair:
        assert figure in pairs[0]
    assert ("not the cells" in text) == (runs == 1)
    assert "GRU is best." in text
    assert "x-rnn-1: killed" in text
    assert ("89.7–90.2" in text) == (runs > 1)


def test_markdown_has_the_same_numbers():
    text = tables.markdown(result(3))
    header = next(line for line in text.splitlines() if line.startswith("| cell"))
    assert header == (
        "| cell | accuracy % | 95 % interval | range over seeds | macro F1 % "
        "| log loss |"
    )
    assert "| gru | 89.9 | 89.5–90.3 | 89.7–90.2 | 87.6 | 0.250 |" in text
    assert "| gru, lstm | 0.3 | −0.2 to 0.8 | 0.234 | 3 (−2 to 8) |" in text
    assert "| tf-idf + logistic regression, gru | 0.3 |" in text
    assert "Missing: x-rnn-1: killed" in text


def test_what_is_held_equal_is_told_and_what_is_not():
    for text in (shown(), tables.markdown(result())):
        assert "Equal in all runs: data. Not equal: vocabulary." in text


def test_what_is_held_equal_is_a_list_of_which_the_items_are_told_apart():
    checks = [check("batches and their order, by seed", True), check("data", True)]
    said = tables.held_equal({"checks": checks})
    assert said == "Equal in all runs: batches and their order, by seed; data."


def test_an_interval_that_decides_nothing_is_marked_in_every_table():
    values = result(3)
    open_ = {"low": 0.0012, "p": 0.12, "p_unadjusted": 0.04, "adjusted_for": 3}
    values["pairs"][0] |= open_
    note = "leaves 0 out, but not after allowing for the 3 pairs compared"
    text = tables.markdown(values)
    assert "| gru, lstm | 0.3 | 0.1 to 0.8\\* | 0.120 |" in text
    assert f"\\* The pair's own interval: it {note}, as p does." in text
    file = io.StringIO()
    for table in tables.terminal(values):
        Console(file=file, width=80).print(table)
    assert "0.1 to 0.8* " in file.getvalue()
    assert note in " ".join(file.getvalue().split())
    assert max(map(len, file.getvalue().splitlines())) <= 80
    (line,) = [one for one in csv.DictReader(io.StringIO(tables.csv(values)))
               if one["name"] == "gru - lstm"]  # fmt: skip
    assert (line["p_unadjusted"], line["adjusted_for"]) == ("0.04", "3")
    assert line["is_decided"] == "False"
    assert "*" not in tables.markdown(result(3))


def test_units_have_a_column_where_they_differ():
    rows = [row("gru") | {"units": 150}, row("lstm") | {"units": 128}]
    values = {"rows": rows, "verdict": "", "card": {}}
    assert "| gru | 150 | 1,234,567 |" in tables.markdown(values)
    rows[0]["units"] = 128
    assert "| gru | 1,234,567 |" in tables.markdown(values)


def test_what_tuning_chose_has_a_table():
    trial = {"learning_rate": 0.0013, "dropout_rate": 0.35, "units": 96,
             "validation_loss": 0.4321, "validation_accuracy": 0.8}  # fmt: skip
    tried = [trial | {"validation_loss": 0.5}, trial]
    values = result() | {"tuning": {"gru": {"trials": tried, "chosen": 2}}}
    text = tables.markdown(values)
    assert "by validation, from 2 trials" in text
    assert "| gru | 0.0013 | 0.35 | 96 | 0.432 | 80.0 |" in text
    values["tuning"] = {"none": {"trials": tried, "chosen": 2}}
    assert "| none | 0.0013 | 0.35 | – | 0.432 | 80.0 |" in tables.markdown(values)


def test_csv_has_the_numbers_whole_and_no_formula():
    values = result(3)
    values["rows"][1]["cell"] = "=1+1"
    lines = list(csv.DictReader(io.StringIO(tables.csv(values))))
    assert [line["kind"] for line in lines] == (
        ["baseline"] + ["recurrent"] * 4 + ["pair"] * 3
    )
    gru = next(line for line in lines if line["name"] == "gru")
    assert float(gru["accuracy"]) == 0.8991
    assert (float(gru["low"]), float(gru["high"])) == (0.8953, 0.9028)
    assert gru["seeds"] == "0 1 2"
    pairs = next(line for line in lines if line["name"] == "gru - lstm")
    assert float(pairs["difference"]) == 0.0031
    assert (float(pairs["low"]), float(pairs["p"])) == (-0.0021, 0.2345)
    assert pairs["mcnemar_p"] == "0.0004 0.0004 0.0004"
    assert lines[1]["name"] == "'=1+1"


def test_different_kernels_are_named_by_cell():
    rows = [row("rnn"), row("gru") | {"kernel": "cuDNN"}]
    text = tables.markdown({"rows": rows, "verdict": "", "card": {}})
    assert "rnn: TensorFlow loop; gru: cuDNN" in text


def test_labels_are_data_and_no_markup():
    of_label = LabelScores(
        label="[bold]x[/bold]", precision=1, recall=1, f1=1, support=1
    )
    found = Scores(
        n=1, accuracy=1, accuracy_low=0.2, accuracy_high=1, macro_f1=1, log_loss=0,
        roc_auc=None, calibration_error=0, per_label=(of_label,),
        confusion_matrix=((1,),), by_length=(),
    )  # fmt: skip
    file = io.StringIO()
    for table in scores.tables(found):
        Console(file=file, width=80).print(table)
    assert file.getvalue().count("[bold]x[/bold]") == 3
