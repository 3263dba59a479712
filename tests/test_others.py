"""Answers of other systems beside the twins: read, matched, compared and kept."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from conftest import TINY, invoke, reviews, write_csv
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from sklearn.metrics import f1_score
from test_comparison import copy

import seqclf
from seqclf.comparison import rows as rows_of
from seqclf.comparison.design import Design
from seqclf.comparison.others.given import as_options, given_files, named_files
from seqclf.comparison.others.given import question as question_of
from seqclf.comparison.others.other import keep_answers, read_others
from seqclf.comparison.pairs import accuracy_interval, compare_pairs, right_answers
from seqclf.comparison.rows import compare_runs
from seqclf.config import DataConfig, RunConfig
from seqclf.data.dataset import TEST
from seqclf.data.load import load_dataset
from seqclf.errors import ConfigError, DataError
from seqclf.records.comparison import ComparisonResult
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.reading import Reading
from seqclf.report import csv_lines, tables
from seqclf.report.page.comparison_page import page
from seqclf.text.encoding import Examples, encode_dataset

LABELS = ("bad", "good", "so so")
# Ten test texts of which two are alike; the answers have seven right.
TEXTS = (
    "a fine film", "a dull film", "fine", "dull", "it is there", "so it goes",
    "again", "again", "a  long\nfilm ", "«quoted», with commas",
)  # fmt: skip
TRUE = (1, 0, 1, 0, 2, 2, 1, 0, 1, 0)
SAID = (1, 0, 1, 0, 2, 2, 1, 1, 0, 2)
NAMES = tuple(LABELS[i] for i in SAID)
PROBABILITIES = tuple(
    tuple(0.7 if j == i else 0.1 if j == (i + 1) % 3 else 0.2 for j in range(3))
    for i in SAID
)


def data_of(labels: tuple[str, ...] = LABELS, **reading: str) -> SimpleNamespace:
    """Returns what reading answers asks of encoded data."""
    about = DatasetInfo(
        name="x",
        source="x",
        fingerprint="x",
        labels=labels,
        sizes={},
        reading=Reading(**reading) if reading else None,
    )
    n = len(TEXTS)
    split = Examples(np.ones(n, np.int32), np.arange(n + 1), np.array(TRUE, np.int32))
    return SimpleNamespace(
        texts=lambda split: pa.chunked_array([pa.array(TEXTS)]),
        splits={TEST: split},
        labels=labels,
        about=about,
    )


def write(file: Path, columns: dict[str, object]) -> Path:
    """Writes columns as the suffix says."""
    rows = pa.table(columns)
    if file.suffix == ".parquet":
        parquet.write_table(rows, file)
    elif file.suffix == ".jsonl":
        lines = [json.dumps(row) for row in rows.to_pylist()]
        file.write_text("\n".join(lines), "utf-8")
    else:
        delimiter = "\t" if file.suffix == ".tsv" else ","
        options = arrow_csv.WriteOptions(delimiter=delimiter)
        arrow_csv.write_csv(rows, file, options)
    return file


def read(file: Path, metric: str = "auto", **others: object):
    """Returns the one system of a file."""
    given = given_files([("x", file)])
    (found,) = read_others(given, data_of(**others), metric)
    return found


def answers(file: Path, **others: object) -> list[int]:
    return read(file, **others).predictions[0].answers.tolist()


def beside(file: Path, columns: dict[str, object]) -> list[int]:
    return answers(write(file, columns))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_says_the_same_in_any_order(suffix, tmp_path):
    order = [9, 3, 0, 1, 2, 4, 5, 6, 7, 8]  # of the two alike the first stays first
    for name, rows in (("a", range(10)), ("b", order)):
        columns = {
            "text": [TEXTS[i] for i in rows],
            "label": ["bad" if i in (6, 7) else NAMES[i] for i in rows],
        }
        found = read(write(tmp_path / f"{name}.{suffix}", columns))
        assert found.predictions[0].answers.tolist() == [*SAID[:6], 0, 0, *SAID[8:]]
        assert found.files[0].rows == 10
    assert found.notes == (
        f"x: 10 answers in {tmp_path}/b.{suffix}, column 'label', matched by text.",
    )


def test_the_scores_of_ten_texts_are_those_by_hand(tmp_path):
    columns = {"text": TEXTS}
    columns |= {x: [p[i] for p in PROBABILITIES] for i, x in enumerate(LABELS)}
    found = read(write(tmp_path / "a.csv", columns))
    (scores,) = found.scores
    assert scores.accuracy == 0.7
    assert scores.macro_f1 == pytest.approx(f1_score(TRUE, SAID, average="macro"))
    # Right seven times with 0.7; of the three wrong ones 0 after 1 and 1 after 0 get
    # 0.2 and 0.1, and 0 after 2 gets 0.1.
    by_hand = -(7 * math.log(0.7) + math.log(0.2) + 2 * math.log(0.1)) / 10
    assert scores.log_loss == pytest.approx(by_hand)
    assert found.has_probabilities


@pytest.mark.parametrize(
    "columns",
    [
        {"predicted_label": NAMES, "label": [LABELS[i] for i in TRUE]},
        {"prediction": NAMES, "label": TRUE},
        {"Predicted": [f" {name} " for name in NAMES]},
        {"label": SAID},  # the numbers of the labels, as in `predictions/`
        {"label": [float(i) for i in SAID]},
        {"probabilities": PROBABILITIES, "label": TRUE, "length": TRUE},
        {"probabilities": PROBABILITIES, "label": NAMES},
        {"probabilities": [dict(zip(LABELS, p, strict=True)) for p in PROBABILITIES]},
        {"probabilities": PROBABILITIES, "prediction": NAMES},
    ],
    ids=lambda columns: "-".join(columns),
)
def test_answers_are_found_whichever_way_they_stand(columns, tmp_path):
    assert beside(tmp_path / "a.parquet", {"text": TEXTS, **columns}) == [*SAID]


def test_labels_that_are_numbers_go_by_their_names_first(tmp_path):
    file = write(tmp_path / "a.csv", {"text": TEXTS, "label": [i + 1 for i in SAID]})
    assert answers(file, labels=("1", "2", "3")) == [*SAID]
    file = write(tmp_path / "b.csv", {"text": TEXTS, "label": SAID})
    assert answers(file, labels=("1", "2", "3")) == [*SAID]
    file = write(tmp_path / "c.jsonl", {"text": TEXTS, "label": [*map(float, SAID)]})
    assert answers(file, labels=("0", "1", "2")) == [*SAID]


def test_the_columns_of_the_data_set_are_known(tmp_path):
    said = {"head": ["", *TEXTS[1:]], "body": ["a fine film", *[""] * 9]}
    columns = said | {"stars": [LABELS[i] for i in TRUE], "label": NAMES}
    file = write(tmp_path / "a.jsonl", columns)
    reading = {"text_column": "head,body", "label_column": "stars"}
    assert answers(file, **reading) == [*SAID]
    # Alone, the data set's own name is that of the answers.
    file = write(tmp_path / "b.jsonl", said | {"stars": NAMES})
    assert answers(file, **reading) == [*SAID]


@pytest.mark.parametrize("name", ["id", "row"])
def test_places_in_the_test_split_do_without_texts(name, tmp_path):
    rows = [*range(9, -1, -1)]
    columns = {name: rows, "label": [NAMES[i] for i in rows]}
    assert beside(tmp_path / "a.csv", columns) == [*SAID]
    # With the texts, other programs' numbers mean nothing.
    columns = {name: [7] * 10, "text": TEXTS, "label": NAMES}
    assert beside(tmp_path / "b.csv", columns) == [*SAID]


def test_texts_that_are_alike_are_matched_in_order_or_by_one_answer(tmp_path):
    # 6 and 7 are one text, and have other answers where they are in order.
    told = ["bad", "good"]
    names = [*NAMES[:6], *told, *NAMES[8:]]
    assert beside(tmp_path / "a.csv", {"text": TEXTS, "label": names})[6:8] == [0, 1]
    turned = {"text": TEXTS[::-1], "label": names[::-1]}
    with pytest.raises(DataError, match=r"row \d+ has the text of row \d+ and another"):
        beside(tmp_path / "b.csv", turned)
    same = [*NAMES[:6], "good", "good", *NAMES[8:]][::-1]
    found = beside(tmp_path / "c.csv", {"text": TEXTS[::-1], "label": same})
    assert found == [*SAID[:6], 1, 1, *SAID[8:]]
    unsure = [(p[0], p[1], p[2]) for p in PROBABILITIES]
    unsure[7] = (0.1, 0.8, 0.1)  # the same answer, surer
    columns = {"text": TEXTS[::-1], "probabilities": unsure[::-1]}
    with pytest.raises(DataError, match="and another answer"):
        beside(tmp_path / "d.parquet", columns)


def without(row: int) -> dict[str, object]:
    return {
        "text": [*TEXTS[:row], *TEXTS[row + 1 :]],
        "label": [*NAMES[:row], *NAMES[row + 1 :]],
    }


def changed(column: str, row: int, value: object) -> dict[str, object]:
    columns = {"text": [*TEXTS], "label": [*NAMES], "id": [*range(10)]}
    columns[column][row] = value
    return columns


def of_label(first: object) -> dict[str, object]:
    return {"text": TEXTS, "label": [first, *NAMES[1:]]}


def of_probabilities(*first: float | None) -> dict[str, object]:
    return {"text": TEXTS, "probabilities": [first, *PROBABILITIES[1:]]}


REFUSED = [
    (without(3), "has 9 rows, and the test split has 10; .* is text 3 of test, 'du"),
    (without(7), "text 7 of test, 'again'"),
    ({"text": [*TEXTS, "dull"], "label": [*NAMES, "bad"]},
     "row 11: the text 'dull' is there more often than in the test split"),
    (changed("text", 4, "it was there"),
     "row 5: the text 'it was there' is none of the test split. In the order of test "
     "'it is there' would be here"),
    (of_label("god"), "row 1: unknown label 'god'; did you mean 'good'"),
    (of_label(None), "row 1: no answer in column 'label'"),
    (of_label(" "), "row 1: no answer in column 'label'"),
    ({"text": TEXTS, "label": [7, *SAID[1:]]}, "row 1: unknown label '7'"),
    ({"text": TEXTS, "verdict": NAMES}, "no column of answers, only 'text', 'verdict'"),
    ({"label": NAMES}, r"neither the texts \(a column 'text'\) nor their places"),
    ({"id": [*range(9), 3], "label": NAMES}, "row 10: 3 in column 'id' is there bef"),
    ({"id": [*range(1, 11)], "label": NAMES}, "10 in column 'id' is no place .* to 9"),
    ({"id": [*range(9)], "label": NAMES[:9]}, "without an answer is that of 'id' 9"),
    ({"id": [*"012345678", "x"], "label": NAMES}, "row 10: 'x' in column 'id' is no"),
    (of_probabilities(0.5, 0.6, 0.1), "row 1: 0.5, 0.6, 0.1 are no .* sum to 1.2"),
    (of_probabilities(1.2, -0.1, -0.1), "row 1: 1.2, -0.1, -0.1 are no probabilities"),
    (of_probabilities(math.nan, 0.5, 0.5), "row 1: nan, 0.5, 0.5 are no probabilities"),
    (of_probabilities(None, 0.5, 0.5), "row 1: nan, 0.5, 0.5 are no probabilities"),
    ({"text": TEXTS, "probabilities": [(0.5, 0.5)] * 10}, "takes a list of 3 numbers"),
    ({"text": TEXTS, "bad": ["?"] * 10, "good": SAID, "so so": SAID},
     "row 1: '\\?' in column 'bad' is no probability"),
    ({"text": TEXTS, "probabilities": PROBABILITIES, "prediction": ["bad"] * 10},
     "row 1: 'bad' is the answer .* the greatest probability is that of 'good'"),
    ({"text": TEXTS, "prediction": NAMES, "label": [LABELS[i] for i in TRUE[::-1]]},
     "row 1: column 'label' has 'bad' where the test split has 'good'"),
    ({"text": TEXTS, "probabilities": PROBABILITIES, "label": ["bad"] * 10},
     "row 1: column 'label' has 'bad' where the test split has 'good'"),
    ({"text": [], "label": []}, "has no rows"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_file_that_does_not_answer_each_text_is_refused(columns, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "a.parquet", columns))


def test_the_row_of_a_table_is_the_line_that_an_editor_shows(tmp_path):
    file = write(tmp_path / "a.csv", changed("label", 9, "god"))
    with pytest.raises(DataError, match="row 12: unknown label 'god'"):
        read(file)  # the header is line 1, and the ninth text has two


def test_an_empty_file_and_one_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match="is empty"):
        read(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"gone\.csv could not be read: No such file"):
        read(tmp_path / "gone.csv")


def test_the_true_labels_alone_look_too_good(tmp_path):
    columns = {"text": TEXTS, "label": [LABELS[i] for i in TRUE]}
    (doubt,) = read(write(tmp_path / "a.csv", columns)).doubts
    assert "all 10 answers" in doubt
    assert "true labels?" in doubt
    assert not read(write(tmp_path / "b.csv", {"text": TEXTS, "label": NAMES})).doubts


def test_log_loss_needs_probabilities(tmp_path):
    file = write(tmp_path / "a.csv", {"text": TEXTS, "label": NAMES})
    with pytest.raises(ConfigError, match="needs probabilities, and x has labels"):
        read(file, "log-loss")
    file = write(tmp_path / "b.jsonl", {"text": TEXTS, "probabilities": PROBABILITIES})
    assert read(file, "log-loss").has_probabilities


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("roberta", "--with takes NAME=FILE"), ("roberta=", "--with takes NAME=FILE"),
        ("=a.csv", "needs a name"), ("a\nb=a.csv", "needs a name"),
        ("gru=a.csv", "gru is what another row is called; .* --with my-gru=FILE"),
        ("SimpleRNN=a.csv", "what another row"), ("majority=a.csv", "what another row"),
        ("tf-idf + logistic regression=a.csv", "what another row"),
        ("lstm + nb-svm=a.csv", "what another row"),
        ("gru, mean of 3=a.csv", "what another row"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_or_another_rows_is_refused(asked, message):
    with pytest.raises(ConfigError, match=message):
        given_files(named_files([asked]))


def test_a_comparison_is_another_one_with_other_answers(tmp_path):
    one = write(tmp_path / "a=1.csv", {"text": TEXTS, "label": NAMES})
    two = write(tmp_path / "b.csv", {"text": TEXTS, "label": NAMES[::-1]})
    given = given_files(named_files([f"x={one}", f"x={two}"]))
    assert as_options(given) == ["--with", f"x={one}", "--with", f"x={two}"]

    def question(files):
        design = Design(config=RunConfig(), cells=("gru",), seeds=(0,), others=files)
        return design.question("beef")

    assert question(given) == question(given[::-1])
    assert question(given) != question(given[:1]) != question(())
    assert "with" not in question(())  # as before there were such files
    with pytest.raises(ConfigError, match="are the same answers of x; name them once"):
        given_files([("x", one), ("x", one)])
    two.write_text(two.read_text() + "\n")
    assert question_of(given) != question_of(given_files([("x", one), ("x", two)]))


@pytest.fixture(scope="module")
def encoded(workplace, tmp_path_factory):
    """The data of the run in the workplace."""
    config = DataConfig(source=str(workplace / "reviews"))
    cache = tmp_path_factory.mktemp("cache")
    return encode_dataset(load_dataset(config), config, RunConfig().text, cache)


def test_a_runs_own_predictions_are_equal_to_it(finished_run, encoded, monkeypatch):
    monkeypatch.setattr(rows_of, "failed_seeds", lambda *_: ())
    file = finished_run.path / "predictions" / "test.parquet"
    others = read_others(given_files([("again", file)]), encoded, "auto")
    for metric in ("accuracy", "macro-f1", "log-loss"):
        result = compare_runs([finished_run], metric=metric, others=others)
        twin, other = result.rows
        assert (other.kind, other.runs, other.seeds) == ("other", (), ())
        for field in ("n", "accuracy", "macro_f1", "log_loss", "by_metric"):
            assert to_plain(getattr(other, field)) == pytest.approx(
                to_plain(getattr(twin, field))
            ), field
    result = compare_runs([finished_run], others=others)
    (pair,) = result.references
    assert (pair.a, pair.b, pair.difference) == ("gru", "again", 0)
    assert (pair.mcnemar_p, pair.p_models, pair.adjusted_for) == ((1.0,), 1.0, 1)
    assert "other system again cannot be told apart from the best" in result.verdict


def told(encoded, file: Path, wrong: int) -> Path:
    """Writes labels that are right but for every so manieth text."""
    true = encoded.splits[TEST].label_ids
    ids = np.where(np.arange(len(true)) % wrong == 0, 1 - true, true)
    rows = zip(encoded.texts(TEST).to_pylist(), ids, strict=True)
    return write_csv(file, [(text, encoded.labels[i]) for text, i in rows])


ONE = "<b>one</b>"  # names are data


@pytest.fixture
def compared(finished_run, encoded, tmp_path, monkeypatch):
    """A cell of two seeds, a system of two files and one of a single file."""
    monkeypatch.setattr(rows_of, "failed_seeds", lambda *_: ())
    runs = [finished_run, copy(finished_run, tmp_path / "b", training__seed=1)]
    files = [told(encoded, tmp_path / f"{n}.csv", n) for n in (5, 7, 9)]
    given = given_files(zip(("two", "two", ONE), files, strict=True))
    others = read_others(given, encoded, "auto")
    return compare_runs(runs, others=others), runs, others


def test_several_files_are_seeds_and_one_is_as_a_baseline(compared):
    result, runs, (two, one) = compared
    rows = {row.name: row for row in result.rows}
    right = {i: said.right for i, said in enumerate(two.predictions)}
    assert rows["two"].seeds == (0, 1)
    ends = rows["two"].accuracy.low, rows["two"].accuracy.high
    assert ends == accuracy_interval(right)
    assert rows["two"].accuracy.mean == pytest.approx(1 - (10 / 48 + 7 / 48) / 2)
    assert (rows[ONE].seeds, rows[ONE].accuracy.mean) == ((), 1 - 6 / 48)
    assert rows["two"].log_loss is None
    assert rows["two"].failed is None
    pairs = {pair.a: pair for pair in result.references}
    # Two trainings of a cell would be compared by the same numbers.
    (as_cells,) = compare_pairs({"two": right, "gru": right_answers(runs)}, [])
    assert pairs["two"].p_unadjusted == as_cells.p_unadjusted
    assert (pairs["two"].low, pairs["two"].high) == (as_cells.low, as_cells.high)
    assert {pair.adjusted_for for pair in pairs.values()} == {2}
    repeated = dict.fromkeys((0, 1), one.predictions[0].right)
    (as_cells,) = compare_pairs({"one": repeated, "gru": right_answers(runs)}, [])
    assert pairs[ONE].p_unadjusted == as_cells.p_unadjusted


def test_files_beside_a_twin_of_one_seed_that_is_not_0(finished_run, encoded, tmp_path):
    run = copy(finished_run, tmp_path / "b", training__seed=5)
    files = [told(encoded, tmp_path / f"{n}.csv", n) for n in (5, 7)]
    others = read_others(given_files([("x", f) for f in files]), encoded, "auto")
    (pair,) = compare_runs([run], others=others).references
    assert pair.seeds == (5,)  # the first file stands for it
    assert pair.difference == pytest.approx(1 - 10 / 48 - run.test_accuracy)


def test_other_systems_stand_in_all_that_is_shown(compared, tmp_path):
    result, _, others = compared
    kept = json.loads(json.dumps(to_plain(result)))
    assert from_plain(ComparisonResult, kept) == result
    del kept["card"]["answer_files"]  # as before there were such files
    assert from_plain(ComparisonResult, kept).card.answer_files == ()
    found = tables.tables_of(result)
    names = [row[0] for row in found["quality"].rows]
    assert names == ["gru", "two", ONE]
    assert found["quality"].rows[1][-1] == "–"  # no log loss of labels alone
    assert found["quality"].rows[2][3] == "–"  # no range of one file
    assert [row[0] for row in found["cost"].rows] == ["gru"]
    shown = tables.markdown(result)
    first, second, third = (one.file for one in result.card.answer_files)
    assert (
        f"not trained here: two from {first} and {second}; {ONE} from {third}." in shown
    )
    lines = list(csv.DictReader(csv_lines.csv(result).splitlines()))
    kinds = {line["name"]: (line["kind"], line["seeds"]) for line in lines}
    assert kinds["two"] == ("other", "0 1")
    assert (kinds[ONE], kinds[f"{ONE} - gru"]) == (("other", ""), ("pair", "0 1"))
    html = page(result)
    assert all(one.digest in html for one in result.card.answer_files)
    assert ONE not in html
    assert ONE in found["pairs"].rows[-1][0]
    for name in ("two", ONE):
        assert f"The other system {name} " in result.verdict


def test_kept_answers_can_be_given_again(compared, encoded, tmp_path):
    _, _, others = compared
    keep_answers(tmp_path, others)
    files = [tmp_path / "answers" / f"{i}.parquet" for i in range(3)]
    again = read_others(given_files([("x", f) for f in files]), encoded, "auto")
    every = [one for other in others for one in other.predictions]
    for one, kept in zip(every, again[0].predictions, strict=True):
        assert (one.answers == kept.answers).all()


def test_kept_probabilities_are_the_same_to_the_last_digit(
    finished_run, encoded, tmp_path
):
    file = finished_run.path / "predictions" / "test.parquet"
    others = read_others(given_files([("x", file)]), encoded, "log-loss")
    keep_answers(tmp_path, others)
    kept = tmp_path / "answers" / "0.parquet"
    (again,) = read_others(given_files([("x", kept)]), encoded, "log-loss")
    one, other = others[0].predictions[0], again.predictions[0]
    assert (one.probabilities == other.probabilities).all()


def test_a_finished_comparison_takes_no_more_answers(workplace, tmp_path):
    file = write_csv(tmp_path / "a.csv", reviews(48, start=200))
    refused = invoke("compare", workplace, "--with", f"x={file}")
    assert refused.exit_code == 2
    assert "--with does nothing when a finished comparison is shown" in refused.output


@pytest.mark.slow
def test_from_predict_to_a_comparison_and_again_without_the_file(
    workplace, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").symlink_to(workplace / "reviews")
    shutil.copytree(workplace / "models", tmp_path / "models")
    done = invoke("predict", "--input=reviews/test.csv", "--output=gru.csv")
    assert done.exit_code == 0, done.output
    asked = ["compare", "--data=reviews", "--cells=none,gru", "--seeds=1", *TINY]
    (tmp_path / "c.toml").write_text('with = ["system=gru.csv"]\n')
    with_file = [*asked, "--config=c.toml", "--json"]
    done = invoke(*with_file)
    assert done.exit_code == 0, done.stderr
    assert "system: 48 answers in gru.csv, column 'predicted_label'" in done.stderr
    assert "reused: reviews-gru-0." in done.stderr
    result = json.loads(done.stdout)
    rows = {row["name"]: row for row in result["rows"]}
    for score in ("mean", "least", "most"):
        assert rows["system"]["accuracy"][score] == rows["gru"]["accuracy"][score]
    assert "--with system=gru.csv" in result["command"]
    folder = tmp_path / "models" / "reviews-compare"
    assert (folder / "report.html").exists()
    # Nothing is trained or timed again, and the place is the same.
    before = (folder / "timing.json").read_bytes()
    again = json.loads(invoke(*with_file).stdout)
    assert again["rows"] == result["rows"]
    assert (folder / "timing.json").read_bytes() == before
    assert not (tmp_path / "models" / "reviews-compare-2").exists()
    # Other answers are another comparison; under its name they are refused.
    other = told(encoded_of(tmp_path), tmp_path / "other.csv", 5)
    named = [*asked, "--name=reviews-compare", f"--with=system={other}"]
    refused = invoke(*named)
    assert refused.exit_code == 1
    assert "already holds another comparison" in refused.stderr
    # Finished runs, several files, from Python.
    found = seqclf.compare_runs(
        "reviews-gru-0", "reviews-none-0", name="x", metric="macro-f1",
        with_={"system": ["gru.csv", other], "kept": folder / "answers" / "0.parquet"},
    )  # fmt: skip
    assert [row.name for row in found.rows if row.kind == "other"] == ["system", "kept"]
    (tmp_path / "gru.csv").unlink()
    shown = invoke("compare", "reviews-compare", "--json")
    assert json.loads(shown.stdout)["rows"] == result["rows"]
    refused = invoke(*asked, "--with=system=gru.csv")
    assert refused.exit_code == 1
    assert "gru.csv could not be read" in refused.stderr


def encoded_of(folder: Path):
    config = DataConfig(source=str(folder / "reviews"))
    return encode_dataset(load_dataset(config), config, RunConfig().text, folder / "c")
