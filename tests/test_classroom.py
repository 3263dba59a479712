"""Assignments, and how two sets of numbers are held against each other."""

from __future__ import annotations

import io
import json
import types
import zipfile

import numpy as np
import pytest
from conftest import TINY, invoke, reviews, write_csv

from seqclf.classroom.agreement import (
    AGREES,
    DIFFERS,
    UNDECIDED,
    Bounds,
    compared,
    distance,
    first_difference,
    same,
)
from seqclf.classroom.assignment import read_assignment, read_roster
from seqclf.classroom.grade import ALTERED, CANNOT_TELL, HONEST, decisive, verdict
from seqclf.classroom.questions import questions
from seqclf.classroom.states import read_state
from seqclf.config import ModelConfig, RunConfig, of_run
from seqclf.errors import ConfigError, RunError
from seqclf.records.classroom import Assignment, Finding, Grade, Student
from seqclf.training.checkpoint import HISTORY, STATE, state_file
from seqclf.workflows.classroom import tell_students

A = {"w": np.array([1.0, 2.0], np.float32), "n": np.array([3], np.int64)}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    write_csv(tmp_path / "reviews.csv", reviews(60))
    (tmp_path / "names.txt").write_text("Ada Lovelace\n\n Bob  *Star* \nÇelik\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assign(*options: str):
    return invoke("classroom", "assign", "--data=reviews.csv", *TINY, *options)


def test_each_student_gets_a_seed_and_a_cell(desk):
    done = assign("--roster=names.txt", "--cells=gru,none", "--first-seed=40")
    assert done.exit_code == 0, done.output
    made = read_assignment(desk / "assignment")
    assert [(s.name, s.cell, s.seed) for s in made.students] == [
        ("Ada Lovelace", "gru", 40), ("Bob *Star*", "none", 41), ("Çelik", "gru", 42),
    ]  # fmt: skip
    assert of_run(made.recipe).model.units == 8
    names = sorted(path.name for path in (desk / "assignment" / "sheets").iterdir())
    assert names == ["1-ada-lovelace.md", "2-bob-star.md", "3-çelik.md"]
    sheet = (desk / "assignment" / "sheets" / names[0]).read_text("utf-8")
    assert "--cell gru --seed 40 --keep-states" in sheet
    # 3 gates of 8 units: 8 (3 (8 + 8) + 6) weights in each of two directions.
    overview = (desk / "assignment" / "overview.md").read_text("utf-8")
    assert "**864:" in overview
    assert "| Bob \\*Star\\* | none | 41 | sheets/2-bob-star.md |" in overview


def test_the_same_call_writes_the_same_and_another_is_refused(desk):
    def content():
        files = (desk / "assignment").rglob("*.*")
        return {path: path.read_bytes() for path in files}

    assert assign("--students=2").exit_code == 0
    before = content()
    assert len(before) == 4
    assert assign("--students=2").exit_code == 0
    assert content() == before
    refused = assign("--students=3")
    assert refused.exit_code == 1
    assert "another assignment, and was left as it is" in refused.output
    own = desk / "own.md"
    own.write_text("1. Why?\n")
    refused = assign("--students=2", "--questions=own.md")
    assert "has something else, and was left as it is" in refused.output
    assert content() == before
    assert assign("--students=2", "--questions=own.md", "--output=b").exit_code == 0
    assert "1. Why?" in (desk / "b" / "sheets" / "2-student-02.md").read_text()
    assert "## Answers" not in (desk / "b" / "overview.md").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--students N, or --roster"),
        (("--students=2", "--roster=names.txt"), "one of them"),
        (("--students=0",), "--students"),
        (("--students=2", "--first-seed=-1"), "--first-seed"),
        (("--students=2", "--cells=lstn"), "did you mean 'lstm'"),
        (("--students=2", "--questions=none.md"), "none.md could not be read"),
        (("--students=2", "--cells=none"), "units does nothing without recurrence"),
    ],
)
def test_what_cannot_be_assigned_is_refused(desk, options, said):
    refused = assign(*options)
    assert refused.exit_code == 2, refused.output
    assert said in refused.output
    assert not (desk / "assignment").exists()


def test_a_roster_names_everybody_once(tmp_path):
    file = tmp_path / "names.txt"
    for text, said in (("\n \n", "has no name"), ("A  B\nA B\n", "'A B' twice")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=said):
            read_roster(file)


def test_bits_decide_where_the_machine_is_the_same():
    close = A | {"w": np.nextafter(A["w"], np.float32(9))}
    assert compared("x", A, A, None).result == AGREES
    found = compared("x", A, close, None)
    assert found.result == DIFFERS
    assert found.expected == "w [0]: 1"
    assert found.came == "1.00000012, 1 of 2 arrays differ"
    assert compared("x", A, close, Bounds(1e-6, 1)).result == AGREES
    zero = {"w": np.array([0.0])}
    assert compared("x", zero, {"w": np.array([-0.0])}, None).result == DIFFERS


def test_between_the_bounds_nothing_is_decided():
    bounds = Bounds(near=0.1, far=0.5)
    results = [
        compared("x", A, A | {"w": A["w"] + by}, bounds).result
        for by in (0.05, 0.3, 0.5, np.nan)
    ]
    assert results == [AGREES, UNDECIDED, DIFFERS, DIFFERS]
    # Whole numbers are the same on every machine, and shapes are.
    assert compared("x", A, A | {"n": A["n"] + 1}, Bounds(9, 99)).result == DIFFERS
    assert compared("x", A, {"w": A["w"]}, Bounds(9, 99)).result == DIFFERS


def test_the_distance_is_relative_to_the_way():
    before = {"w": np.array([0.0, 0.0])}
    expected, came = {"w": np.array([3.0, 4.0])}, {"w": np.array([3.0, 4.5])}
    assert distance(expected, came) == 0.5
    assert distance(expected, came, before) == 0.1
    assert distance(expected, before, before) == 1
    matrix = np.arange(6).reshape(2, 3)
    other = matrix.copy()
    other[1, 2] = 9
    assert first_difference(matrix, other) == (1, 2)


def test_no_number_agrees_with_nothing():
    nothing = {"a": np.zeros(3), "b": np.full(3, np.nan)}
    for order in ("ab", "ba"):
        expected = {name: np.zeros(3) for name in order}
        assert np.isnan(distance(expected, nothing))


def test_an_answer_for_the_lecturer_is_right_for_this_network():
    about = types.SimpleNamespace(
        has_several=True, tokens={}, labels=("a", "b"), sizes={"test": 100},
        label_counts={"train": [6, 2], "test": [60, 40]},
    )  # fmt: skip

    def asked(**model):
        return " ".join(one.text for one in questions(of_model(**model), about))

    def of_model(**model):
        return RunConfig(model=ModelConfig(cell="none", **model))

    assert "always answering" not in asked()  # of several labels a text
    assert "can it not tell apart" in asked()
    assert "can it not tell apart" not in asked(pooling="last")
    about.has_several = False
    assert "always answering" in asked()


def test_what_differs_is_named_part_by_part():
    found = same("x", {"a": [1, 2.0], "b": None}, {"a": [1, 2.5]})
    assert (found.expected, found.came) == ("a 1 2.0, b None", "a 1 2.5, b –")
    assert same("x", ("a", 1.0), ["a", 1.0 + 1e-12], tolerance=1e-9).result == AGREES
    assert same("x", 1.0, 1.0 + 1e-12).result == DIFFERS


def test_one_difference_is_enough_for_altered():
    def findings(*results):
        return tuple(Finding(what=f"{i}", result=r) for i, r in enumerate(results))

    cases = {
        (AGREES, AGREES): (HONEST, None),
        (AGREES, UNDECIDED, AGREES): (CANNOT_TELL, "1"),
        (UNDECIDED, AGREES, DIFFERS): (ALTERED, "2"),
    }
    for results, (expected, what) in cases.items():
        found = findings(*results)
        assert verdict(found) == expected
        grade = Grade(run="r", student=None, verdict=expected, findings=found)
        rests_on = decisive(grade)
        assert (rests_on and rests_on.what) == what


def test_who_handed_in_twice_or_nothing_is_named():
    said: list[str] = []
    students = tuple(
        Student(name=name, cell="gru", seed=seed)
        for seed, name in enumerate(("Ada", "Bob", "Cy", "Di"))
    )
    asked = Assignment(
        data="x", fingerprint="y", recipe={}, students=students, versions={}
    )
    grades = [
        Grade(run=f"r{place}", student=student, verdict=HONEST, findings=())
        for place, student in enumerate(("Ada", "Bob", "Ada", None))
    ]
    tell_students(grades, asked, types.SimpleNamespace(insist=said.append))
    assert said == ["Handed in more than once, Ada: r0, r2.", "No run of Cy, Di."]


def variable(shape, dtype="float32"):
    return types.SimpleNamespace(shape=shape, dtype=dtype)


def write_state(folder, save=np.savez, **arrays):
    said = {HISTORY: [], "batches": ["0"]}
    text = np.frombuffer(json.dumps(said).encode(), np.uint8)
    folder.mkdir(exist_ok=True)
    save(state_file(folder, 1), **{STATE: text} | arrays)


def test_a_state_is_read_as_numbers(tmp_path):
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_state(tmp_path, model_0=value, model_1=np.int64(7))
    found = read_state(tmp_path, 1, [variable((2, 3)), variable((), "int64")])
    assert np.array_equal(found.values[0], value)
    assert found.values[1] == 7
    assert (found.history, found.batches) == ((), ("0",))


@pytest.mark.parametrize(
    ("arrays", "save"),
    [
        ({"model_0": np.zeros((3, 2), np.float32)}, np.savez),
        ({"model_0": np.zeros((2, 3), np.float64)}, np.savez),
        ({"model_0": np.array([[{}] * 3] * 2)}, np.savez),
        ({"model_0": np.zeros((2, 3), np.float32)}, np.savez_compressed),
        ({}, np.savez),
    ],
)
def test_what_is_no_state_is_refused(tmp_path, arrays, save):
    write_state(tmp_path, save, **arrays)
    with pytest.raises(RunError, match="is no kept state"):
        read_state(tmp_path, 1, [variable((2, 3))])


def test_a_header_that_asks_for_more_than_the_model_has_is_refused(tmp_path):
    header = io.BytesIO()
    huge = {"descr": "<f4", "fortran_order": False, "shape": (10**13,)}
    np.lib.format.write_array_header_1_0(header, huge)
    write_state(tmp_path)
    with zipfile.ZipFile(state_file(tmp_path, 1), "a") as archive:
        archive.writestr("model_0.npy", header.getvalue())
    with pytest.raises(RunError, match="is no kept state"):
        read_state(tmp_path, 1, [variable((2, 3))])


def test_replay_takes_a_number_or_all(tmp_path):
    for replay in ("0", "-1", "some"):
        refused = invoke("classroom", "grade", tmp_path, f"--replay={replay}")
        assert refused.exit_code == 2
    refused = invoke("classroom", "grade", tmp_path)
    assert refused.exit_code == 1
    assert "is no run of seqclf" in refused.output
