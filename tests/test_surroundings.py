"""Full disks, odd paths, other locales: an answer or a sentence, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TINY, not_here, reviews, run_cli, run_in, write_csv

from seqclf.runs import Run

# As root, which CI may be, no folder is read-only; a file in the place of a folder is.
ODD = """a 'quoted' "folder", ünïcødé 漢字 🙂 $HOME `id` %s #1""" + "x" * 140


@pytest.mark.slow
def test_odd_paths_another_locale_and_no_home_change_nothing(
    tmp_path, workplace, finished_run
):
    folder = tmp_path / ODD
    folder.mkdir()
    shutil.copytree(workplace / "reviews", folder / "reviews")
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    surroundings = kept | {
        "LC_ALL": "C", "LANG": "C", "TZ": "Pacific/Kiritimati",
        "HOME": str(tmp_path / "nowhere"),
    }  # fmt: skip
    done = run_cli(
        ["train", "--cell=gru", "--data=reviews", *TINY], folder, env=surroundings
    )
    assert done.returncode == 0, done.stderr
    run = Run(folder / "models" / "reviews-gru-0")
    assert run.metrics == finished_run.metrics
    assert run.complete.time.endswith("+00:00")
    write_csv(folder / "Ω 'rows'.csv", reviews(5))
    for command, said in (
        (["predict", "a good film"], "good"),
        (["predict", "--input", "Ω 'rows'.csv", "--output", '漢 "字".jsonl'], ""),
        (["compare", "--cells=gru", "--seeds=1", "--data=reviews", *TINY], "gru"),
        (["runs", "list"], "reviews-gru-0"),
        (["export", "reviews-gru-0", "--format=onnx", "--output=ex 'port' ü"], "onnx"),
    ):
        done = run_cli(command, folder, env=surroundings)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    rows = (folder / '漢 "字".jsonl').read_text("utf-8").splitlines()
    assert len(rows) == 5
    assert (folder / "models" / "reviews-compare" / "report.html").stat().st_size
    assert (folder / "ex 'port' ü" / "model.onnx").stat().st_size


def test_a_clock_that_went_back_loses_no_run(finished_run, tmp_path):
    from conftest import seal

    from seqclf.runs.comparisons import default_run

    for name, time in (("old", "2099-01-01T00:00:00+00:00"), ("new", "2020-01-01")):
        shutil.copytree(finished_run.path, tmp_path / name)
        seal(tmp_path / name, time=time)
    assert default_run(tmp_path).name == "old"  # the latest by what is written
    assert Run(tmp_path / "new").is_finished


@pytest.mark.parametrize("option", ["--cache-dir", "--models-dir"])
def test_a_folder_that_cannot_be_made_is_named(option, workplace, tmp_path):
    (tmp_path / "file").write_text("this is a file")
    place = tmp_path / "file" / "inside"
    done = run_in(workplace, "train", "--data=reviews", f"{option}={place}", *TINY)
    assert done.exit_code == 1
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def mounted(folder: Path, kilobytes: int) -> list[str]:
    """Returns what runs a command with a small file system at `folder`."""
    mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs '{folder}'"
    keep = f"cp -r '{folder}' '{folder}.kept'"
    script = f'{mount} && "$@"; rc=$?; {keep}; exit $rc'
    ways = (["--mount"], ["--user", "--map-root-user", "--mount"])
    starts = [["unshare", *options, "sh", "-c"] for options in ways]
    tried = [subprocess.run([*start, mount], capture_output=True) for start in starts]
    works = [s for s, t in zip(starts, tried, strict=True) if t.returncode == 0]
    if not works:
        not_here(f"no file system can be mounted here: {tried[-1].stderr.decode()}")
    return [*works[0], script, "sh"]


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [8, 40, 90])
def test_a_full_disk_is_said_and_what_stood_there_stays(
    kilobytes, workplace, finished_run, tmp_path
):
    models = tmp_path / "models"
    models.mkdir()
    command = mounted(models, kilobytes)
    write_csv(tmp_path / "rows.csv", reviews(200))
    train = [sys.executable, "-m", "seqclf", "train", "--cell=gru", "--data=rows.csv",
             f"--models-dir={models}", *TINY]  # fmt: skip
    done = subprocess.run(
        [*command, *train],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    for run in Path(f"{models}.kept").iterdir():
        assert not Run(run).is_finished
