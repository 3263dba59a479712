"""The runs of many people as one comparison."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from conftest import invoke, seal

from seqclf.comparison.pool import find_finished, pooled
from seqclf.config import of_run, to_dict
from seqclf.errors import RunError
from seqclf.records.plain import to_plain
from seqclf.runs import Run, files
from seqclf.storage import write_json


@pytest.fixture
def hand_in(finished_run, tmp_path):
    """Returns a function that hands the run in as another student's would be."""

    def copied(where: str, seed: int = 0, cell: str = "gru", **others: object) -> Path:
        path = tmp_path / "handed-in" / where
        shutil.copytree(finished_run.path, path)
        config = of_run(json.loads((path / files.CONFIG_FILE).read_text()))
        parts = {
            "training": dataclasses.replace(config.training, seed=seed),
            "model": dataclasses.replace(config.model, cell=cell, **others),
        }
        changed = dataclasses.replace(config, **parts)
        write_json(path / files.CONFIG_FILE, to_dict(changed))
        seal(path)
        return path

    return copied


def below(tmp_path: Path) -> list[Run]:
    return find_finished(tmp_path / "handed-in")


def test_runs_at_any_depth_are_pooled(tmp_path, hand_in):
    paths = [
        hand_in("ada/reviews-gru-0"),
        hand_in("bob/models/reviews-gru-1", seed=1),
        hand_in("cy", seed=2, cell="rnn"),
    ]
    (hand_in("unfinished", seed=9) / files.COMPLETE_FILE).unlink()
    pool = pooled(below(tmp_path))
    assert [run.path for run in pool.runs] == paths
    assert not pool.left_out


def test_those_that_disagree_are_left_out_by_name(tmp_path, hand_in):
    for seed in range(3):
        hand_in(f"s{seed}", seed=seed)
    wide = hand_in("wide", seed=3, units=9)
    other = hand_in("other", seed=4)
    about = dataclasses.replace(Run(other).dataset, fingerprint="of other data")
    write_json(other / files.DATASET_FILE, to_plain(about))
    seal(other)
    spoilt = hand_in("spoilt", seed=5)
    (spoilt / files.METRICS_FILE).write_text("{}")
    pool = pooled(below(tmp_path))
    assert [run.name for run in pool.runs] == ["s0", "s1", "s2"]
    assert pool.left_out[str(wide)] == "disagrees in model.units"
    assert pool.left_out[str(other)] == "disagrees in data"
    assert "is not as it was written" in pool.left_out[str(spoilt)]


def test_twins_of_one_seed_must_have_seen_the_same_batches(tmp_path, hand_in):
    for name, seed, cell in (("a", 0, "gru"), ("b", 1, "gru"), ("c", 1, "lstm")):
        hand_in(name, seed, cell)
    last = tmp_path / "handed-in" / "c"
    proof = dataclasses.replace(Run(last).proof, batches=("0" * 16, "1" * 16))
    write_json(last / files.PROOF_FILE, to_plain(proof))
    seal(last)
    pool = pooled(below(tmp_path))
    assert [run.name for run in pool.runs] == ["a", "b"]
    assert pool.left_out == {str(last): "disagrees in batches and their order, by seed"}


def test_a_copy_counts_once_and_another_training_of_the_seed_is_refused(
    tmp_path, hand_in, monkeypatch
):
    hand_in("a", 0)
    hand_in("b", 1)
    again = hand_in("b-again", 1)
    odd = [hand_in(f"odd{i}", 2, units=9) for i in range(3)]
    pool = pooled(below(tmp_path))
    assert [run.name for run in pool.runs] == ["a", "b"]
    assert pool.copies == [str(again), *map(str, odd[1:])]
    assert [*pool.left_out] == [str(odd[0])]
    for one in odd:
        shutil.rmtree(one)
    monkeypatch.setattr("seqclf.comparison.pool._weights", lambda run: str(run.path))
    with pytest.raises(RunError, match=r"handed-in/b and .*/b-again are both seed 1"):
        pooled(below(tmp_path))


def test_of_two_copies_the_one_that_agrees_counts(tmp_path, hand_in):
    odd = hand_in("a-first-by-name", 1, units=9)
    good = [hand_in("b", 0), hand_in("c", 1)]
    pool = pooled(below(tmp_path))
    assert [run.path for run in pool.runs] == good
    assert [*pool.left_out] == [str(odd)]
    assert not pool.copies


def test_nothing_to_compare_is_refused(tmp_path, hand_in):
    with pytest.raises(RunError, match="is no folder"):
        find_finished(tmp_path / "handed-in")
    (tmp_path / "handed-in").mkdir()
    with pytest.raises(RunError, match="is no finished run"):
        below(tmp_path)
    hand_in("a", 0)
    with pytest.raises(RunError, match="a is the only one"):
        pooled(below(tmp_path))
    hand_in("b", 1, units=9)
    with pytest.raises(RunError, match=r"differ in model\.units"):
        pooled(below(tmp_path))
    hand_in("c", 2)
    hand_in("d", 3, units=9)
    with pytest.raises(RunError, match="none has the most"):
        pooled(below(tmp_path))


def test_options_of_a_training_do_nothing_beside_pool(tmp_path):
    refused = invoke("compare", "--pool", tmp_path, "--epochs=3")
    assert refused.exit_code == 2
    assert "--epochs does nothing when the runs below a folder" in refused.output
    # The microscope takes its twins from the folder of the comparison.
    refused = invoke("compare", "--pool", tmp_path, "--page")
    assert refused.exit_code == 2
    assert "--page does nothing when the runs below a folder" in refused.output


@pytest.mark.slow
def test_a_pool_is_compared_and_kept(workplace, tmp_path, hand_in, monkeypatch):
    for seed, cell in enumerate(("gru", "gru", "rnn", "rnn")):
        hand_in(f"s{seed}", seed, cell)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").symlink_to(workplace / "reviews")
    done = invoke("compare", "--pool=handed-in", "--name=class", "--json")
    assert done.exit_code == 0, done.output
    assert "Pooled 4 runs: 2 of rnn, 2 of gru." in done.stderr
    result = json.loads(done.stdout)
    seeds = {row["name"]: row["seeds"] for row in result["rows"] if row["cell"]}
    assert seeds == {"rnn": [2, 3], "gru": [0, 1]}
    assert result["command"] == "seqclf compare --pool handed-in --name class"
    assert (tmp_path / "models" / "class" / "report.html").exists()
    # Nothing was written into what the students handed in.
    assert {one.name for one in (tmp_path / "handed-in").iterdir()} == {
        f"s{seed}" for seed in range(4)
    }
