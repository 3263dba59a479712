from __future__ import annotations

import csv
import dataclasses
import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from seqclf.records.comparison import (
    AccuracySummary,
    ComparisonResult,
    ModelPair,
    Pair,
    Row,
    Superiority,
)
from seqclf.records.dataset import DatasetInfo
from seqclf.records.scores import LabelScores, Scores
from seqclf.records.twins import Check, Tried, Tuned, TwinCard
from seqclf.report import csv_lines, scores, sentences, tables
from seqclf.report.table import Table, to_markdown, to_terminal


def row(name: str, kind: str = "twin", runs: int = 1, **values: object) -> Row:
    cost = {
        "cell": name,
        "recurrent_parameters": 1_234_567,
        "parameters": 12_345_678,
        "seconds_per_epoch": 123.4,
        "tokens_per_second": 54_321.0,
        "milliseconds_per_prediction": 12.34,
        "kernel": "TensorFlow loop",
        "seeds": tuple(range(runs)),
    }
    accuracy = AccuracySummary(
        mean=0.8991, low=0.8953, high=0.9028, least=0.897, most=0.902
    )
    baseline = Row(
        kind="baseline", name=name, n=25_000, runs=("models/x",) * runs,
        accuracy=accuracy, macro_f1=0.8765, log_loss=0.25, seconds_to_best=456.7,
        peak_memory_bytes=1_234_000_000,
    )  # fmt: skip
    if kind == "baseline":
        return baseline
    return replace(baseline, kind=kind, **cost | values)


def pair(a: str, b: str, runs: int) -> Pair:
    model = ModelPair(
        only_a=9, only_b=4, difference=0.0031, low=-0.0042, high=0.0104,
        mcnemar_p=0.0004,
    )  # fmt: skip
    several = {"low": -0.0021, "high": 0.0083, "p": 0.2345} if runs > 1 else {}
    return Pair(
        a=a, b=b, seeds=tuple(range(runs)), difference=0.0031,
        models=(model,) * runs, mcnemar_p=(0.0004,) * runs, **several,
    )  # fmt: skip


def card(*checks: Check) -> TwinCard:
    data = DatasetInfo(name="x", source="x.csv", fingerprint="ab", labels=(), sizes={})
    return TwinCard(equal={}, different=(), dataset=data, checks=checks)


def result(runs: int = 1) -> ComparisonResult:
    baseline = row("tf-idf + logistic regression", "baseline")
    cells = [row(cell, runs=runs) for cell in ("none", "rnn", "gru", "lstm")]
    return ComparisonResult(
        rows=(baseline, *cells),
        pairs=(pair("gru", "lstm", runs), pair("gru", "none", runs)),
        references=(pair("tf-idf + logistic regression", "gru", runs),),
        verdict="GRU is best.",
        missing={"x-rnn-1": "killed"},
        card=card(check("data", True), check("vocabulary", False)),
    )


def of(*rows: Row) -> ComparisonResult:
    return ComparisonResult(rows=rows, verdict="", card=card())


def check(what: str, equal: bool) -> Check:
    return Check(what=what, equal=equal, value="ab", concerns="scores", differing=())


def shown(runs: int = 1, **changes: object) -> str:
    file = io.StringIO()
    console = Console(file=file, width=80)
    asked = replace(result(runs), **changes)
    for table in tables.terminal(asked):
        console.print(table)
    console.print(tables.closing(asked))
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
        True: ("0.3", "−0.2 to 0.8", "0.234", "open"),
        False: ("0.3", "−0.4 to 1.0", "< 0.001", "open"),
    }[runs > 1]
    for figure in shown_of_pair:
        assert figure in pairs[0]
    assert ("not of the cells" in text) == (runs == 1)
    assert "GRU is best." in text
    assert "x-rnn-1: killed" in text
    assert ("89.7–90.2" in text) == (runs > 1)


@pytest.mark.parametrize("runs", [1, 3])
def test_the_short_table_has_score_and_cost_of_each_row(runs):
    file = io.StringIO()
    asked = result(runs)
    Console(file=file, width=80).print(tables.short(asked))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (gru,) = [line for line in lines if line.startswith("│ gru ")]
    cells = [cell.strip() for cell in gru.strip("│").split("│")]
    middle = ["89.7–90.2"] if runs > 1 else []
    assert cells == ["gru", "89.9", "89.5–90.3", *middle, "457", "12.3"]
    assert len(lines) < 20
    for no_row in ("gru, lstm", "nb-svm +", "1,234,567"):
        assert no_row not in file.getvalue()


def test_markdown_has_the_same_numbers():
    text = tables.markdown(result(3))
    header = next(line for line in text.splitlines() if line.startswith("| cell"))
    assert header == (
        "| cell | accuracy % | 95 % interval | range over seeds | macro F1 % "
        "| log loss |"
    )
    assert "| gru | 89.9 | 89.5–90.3 | 89.7–90.2 | 87.6 | 0.250 |" in text
    assert "| gru, lstm | 0.3 | −0.2 to 0.8 | 0.234 | open |" in text
    assert "| tf-idf + logistic regression, gru | 0.3 |" in text
    assert "Missing: x-rnn-1: killed" in text


def test_what_is_held_equal_is_told_and_what_is_not():
    for text in (shown(), tables.markdown(result())):
        assert "Equal in all runs: data. Not equal: vocabulary." in text


def test_what_is_held_equal_is_a_list_of_which_the_items_are_told_apart():
    checks = [check("batches and their order, by seed", True), check("data", True)]
    said = sentences.held_equal(card(*checks))
    assert said == "Equal in all runs: batches and their order, by seed; data."


def test_an_interval_that_decides_nothing_is_marked_in_every_table():
    values = result(3)
    open_ = {"low": 0.0012, "p": 0.12, "p_unadjusted": 0.04, "adjusted_for": 3}
    first, *others = values.pairs
    values = replace(values, pairs=(replace(first, **open_), *others))
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
    (line,) = [one for one in csv.DictReader(io.StringIO(csv_lines.csv(values)))
               if one["name"] == "gru - lstm"]  # fmt: skip
    assert (line["p_unadjusted"], line["adjusted_for"]) == ("0.04", "3")
    assert line["is_decided"] == "False"
    assert "*" not in tables.markdown(result(3))


def test_units_have_a_column_where_they_differ():
    lstm = row("lstm", units=128)
    text = tables.markdown(of(row("gru", units=150), lstm))
    assert "| gru | 150 | 1,234,567 |" in text
    text = tables.markdown(of(row("gru", units=128), lstm))
    assert "| gru | 1,234,567 |" in text


def test_what_tuning_chose_has_a_table():
    trial = Tried(learning_rate=0.0013, dropout_rate=0.35, units=96, epochs=7,
                  clip_norm=0.5, warmup_fraction=0.25, losses=(0.4, 0.4642),
                  validation_loss=0.4321, validation_accuracy=0.8)  # fmt: skip
    tuned = Tuned(trials=(replace(trial, validation_loss=0.5), trial), chosen=2)
    text = tables.markdown(replace(result(), tuning={"gru": tuned}))
    assert "chosen by validation loss from 2 trials" in text
    assert "| gru | 0.0013 | 0.35 | 96 | 7 | 0.5 | 0.25 | 0.432 | 80.0 |" in text
    assert "| cell | learning rate | dropout | units | epochs | clip norm |" in text
    widest = replace(trial, learning_rate=0.00062, units=128, warmup_fraction=0.25)
    five = Tuned(trials=(widest,), chosen=1)
    text = shown(tuning={"dense": five, "lstm": five})
    assert "0.00062" in text
    assert "…" not in text  # 80 columns cut no heading and no number
    text = tables.markdown(replace(result(), tuning={"none": tuned}))
    assert "| none | 0.0013 | 0.35 | – | 7 | 0.5 | 0.25 | 0.432 | 80.0 |" in text


def test_a_pair_is_said_to_be_better_equal_or_open():
    one, _ = result(3).pairs
    small = {"p": 0.01, "p_equal": 0.01}
    for change, word in (
        ({"p": 0.2, "p_equal": 0.06}, "open"),
        ({"p": 0.2, "p_equal": 0.04}, "equal"),
        ({"p": 0.01, "p_equal": 0.2}, "a better"),
        (small, "a better, by little"),
    ):
        changed = dataclasses.replace(
            result(3), pairs=(dataclasses.replace(one, **change),), margin=0.02
        )
        text = tables.markdown(changed)
        assert re.search(rf"\| gru, lstm \|.*\| {word} \|", text)
        told = "Equal, or by little: apart by less than 2 points." in text
        assert told == (change["p_equal"] < 0.05)


def test_the_note_names_the_number_of_the_pairs_that_it_is_about():
    _, second = result(3).pairs
    # The one has a McNemar's p that its interval does not bear out, the other its own
    # interval undone by Holm.
    models = pair("gru", "lstm", 1)
    border = dataclasses.replace(models, by="models", adjusted_for=6, p_models=0.0004)
    undone = dataclasses.replace(second, low=0.001, p=0.12, adjusted_for=3)
    both = dataclasses.replace(result(3), pairs=(border, undone))
    text = tables.markdown(both)
    assert "but not after allowing for the 3 pairs compared, as p does." in text
    alone = dataclasses.replace(result(3), pairs=(border,), references=())
    assert "Interval and McNemar's test disagree" in tables.markdown(alone)


def test_a_cell_that_failed_has_its_median_and_a_pair_its_ranks():
    whole = result(3)
    rows = [
        dataclasses.replace(
            row, accuracy=dataclasses.replace(
                row.accuracy, low=None, high=None, median=0.8123
            )
        ) if row.name == "gru" else row
        for row in whole.rows
    ]  # fmt: skip
    told = Superiority(ahead=8.5, pairs=9, p=0.1)
    one, _ = whole.pairs
    by_ranks = dataclasses.replace(
        one, by="ranks", low=None, high=None, p=0.1, superiority=told, settled_by=None
    )
    failed = dataclasses.replace(whole, rows=tuple(rows), pairs=(by_ranks,))
    text = tables.markdown(failed)
    assert "| gru | 81.2† | – | 89.7–90.2 |" in text
    assert "| gru, lstm | 0.3 | 8.5 of 9† | 0.100 | open |" in text
    assert "† The median, for trainings failed" in text
    assert "† Pairs of trainings in which a is ahead" in text
    lines = list(csv.DictReader(io.StringIO(csv_lines.csv(failed))))
    line = next(one for one in lines if one["name"] == "gru - lstm")
    assert (line["low"], line["high"], line["by"]) == ("", "", "ranks")
    (line,) = [one for one in lines if one["name"] == "gru"]
    assert (line["low"], line["high"]) == ("", "")


def test_csv_has_the_numbers_whole_and_no_formula():
    values = result(3)
    first, second, *others = values.rows
    one, other = values.pairs
    values = replace(
        values,
        rows=(first, replace(second, name="=1+1"), *others),
        pairs=(one, replace(other, b="=1+1")),
    )
    lines = list(csv.DictReader(io.StringIO(csv_lines.csv(values))))
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
    text = tables.markdown(of(row("rnn"), row("gru", kernel="cuDNN")))
    assert "rnn: TensorFlow loop; gru: cuDNN" in text


def test_labels_are_data_and_no_markup():
    label = LabelScores(
        label="[bold]x[/bold]", precision=1.0, recall=1.0, f1=1.0, support=1
    )
    found = Scores(
        n=1, accuracy=1.0, accuracy_low=0.2, accuracy_high=1.0, macro_f1=1.0,
        log_loss=0.0, roc_auc=None, calibration_error=0.0, per_label=(label,),
        confusion_matrix=((1,),), by_length=(),
    )  # fmt: skip
    file = io.StringIO()
    for table in scores.tables(found):
        Console(file=file, width=80).print(table)
    assert file.getvalue().count("[bold]x[/bold]") == 3


def test_a_table_says_which_columns_are_numbers_or_looks_for_itself():
    rows = (("x|y", "1.0*", "a * b"), ("z", "–", "c\\d"))
    table = Table(header=("what", "of\nit", "why"), rows=rows, title="T")
    assert to_markdown(table) == (
        "| what | of it | why |\n| --- | ---: | ---: |\n"
        "| x\\|y | 1.0\\* | a * b |\n| z | – | c\\\\d |"
    )
    assert table.words == [2]  # one number is enough
    file = io.StringIO()
    Console(file=file, width=80).print(to_terminal(table))
    assert "what" in file.getvalue()
    assert "1.0*" in file.getvalue()
    told = replace(table, numbers=())
    assert to_markdown(told).splitlines()[1] == "| --- | --- | --- |"
    assert told.words == [1, 2]


def test_scores_that_only_some_labels_have_stand_in_a_table_of_their_own():
    assert "further" not in tables.tables_of(result())
    with_more = [
        dataclasses.replace(row, further={"micro_f1": 0.5, "quadratic_kappa": -0.25})
        for row in result().rows
    ]
    table = tables.tables_of(dataclasses.replace(result(), rows=tuple(with_more)))
    further = table["further"]
    assert further.header == ("cell", "micro\nF1 %", "quadratic\nkappa")
    assert {row[1:] for row in further.rows} == {("50.0", "-0.250")}
