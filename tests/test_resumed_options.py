"""Each option of what a network knows or reads: cut and resumed, and as ONNX."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import TINY, invoke, reviews, tasks_in_this_process

from seqclf.runs import Run
from seqclf.runs.files import CHECKPOINT_FILE
from seqclf.training import trial as trials
from seqclf.training.checkpoint import Checkpoints

pytestmark = pytest.mark.slow
TINY = [option for option in TINY if "units" not in option]
WITHOUT_SIZE = [option for option in TINY if "embedding-size" not in option]
OPTIONS = {
    "vectors": ["--vectors=words.vec", *WITHOUT_SIZE],
    "frozen": ["--vectors=words.vec", "--freeze-embedding", *WITHOUT_SIZE],
    "init": ["--init-from=reviews-gru-0", *WITHOUT_SIZE],
    "svd": ["--pretrain=svd", *TINY],
    "lm": ["--pretrain=lm", *TINY],
    "taught": ["--teach=reviews-nb-svm", *TINY],
    "grown": ["--grow-word-dropout", "--word-dropout-rate=0.3", *TINY],
    "far": ["--max-length=6", "--predict-length=12", *TINY],
    "char": ["--tokens=char", *TINY],
    "subword": ["--tokens=subword", *TINY],
    "groups": ["--group-column=film", *TINY],
    "rmsprop": ["--optimizer=rmsprop", *TINY],
    "momentum": ["--optimizer=momentum", "--clip-norm=0", *TINY],
    "irnn": ["--activation=relu", "--recurrent-init=identity", *TINY],
    "several": ["--label-column=nice,late", *TINY],
    "taught_several": ["--label-column=nice,late", "--teach=several-nb-svm", *TINY],
    "chrono": ["--chrono=9", "--optimizer=adam", *TINY],
}


class PowerCut(BaseException):  # noqa: N818 -- no error that anything may catch
    """Stands for the power going off."""


@pytest.fixture(scope="module")
def place(workplace, tmp_path_factory) -> Path:
    """Reviews with films, unlabelled ones, vectors, a run and a teacher."""
    folder = tmp_path_factory.mktemp("options")
    shutil.copytree(workplace, folder, dirs_exist_ok=True)
    for name in ("train", "test"):
        file = folder / "reviews" / f"{name}.csv"
        head, *lines = file.read_text().splitlines()
        more = [f"{line},{i % 20},{i % 3 // 2},{i % 2}" for i, line in enumerate(lines)]
        file.write_text("\n".join([f"{head},film,nice,late", *more]) + "\n")
    texts = [f'"{text}"' for text, _ in reviews(60, start=300)]
    (folder / "reviews" / "unlabeled.csv").write_text("\n".join(["text", *texts]))
    (folder / "words.vec").write_text("good 1 2 3\nbad 3 -2 1\nfilm 0 0 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = invoke("train", "--baseline=nb-svm", "--data=reviews")
        assert done.exit_code == 0, done.output
        several = ["--label-column=nice,late", "--name=several-nb-svm"]
        done = invoke("train", "--baseline=nb-svm", "--data=reviews", *several)
        assert done.exit_code == 0, done.output
    return folder


def typed(name: str, folder: Path, cut_behind: int | None = None) -> Run:
    """Types `train` with the options of a name; the training is of this process.

    Raises:
      PowerCut: Behind so many checkpoints.
    """
    save, saved = Checkpoints.save, []

    def cutting(self, model, standing):
        save(self, model, standing)
        if self.path.name == CHECKPOINT_FILE:  # and not of its language model
            saved.append(standing)
        if len(saved) == cut_behind:
            raise PowerCut

    with pytest.MonkeyPatch.context() as patch, tasks_in_this_process():
        patch.chdir(folder)
        patch.setattr(Checkpoints, "save", cutting)
        patch.setenv(trials.CHECKPOINT_VARIABLE, "0")
        # A checkpoint holds the same things whatever the cell; these need one.
        cell = {"init": "gru", "lm": "gru", "irnn": "rnn", "chrono": "lstm"}.get(name)
        options = [f"--cell={cell}", "--units=8"] if cell else ["--cell=none"]
        done = invoke("train", *options, "--data=reviews", "--json", *OPTIONS[name])
        assert done.exit_code == 0, done.output
        return Run(folder / json.loads(done.stdout)["run"])


def numbers(run: Run) -> dict[str, object]:
    """Returns all that a training gives, but the time it took."""
    history = [
        (one.loss, one.validation_loss, one.validation_accuracy) for one in run.history
    ]
    return {
        "proof": run.proof,
        "metrics": run.metrics,
        "history": history,
        "answers": run.predictions("test").probabilities.tobytes(),
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_cut_and_resumed_it_ends_with_the_same_numbers_and_exports(
    name, place, tmp_path, monkeypatch
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    shutil.copytree(place, whole)
    shutil.copytree(place, cut)
    run = typed(name, whole)
    with pytest.raises(PowerCut):
        typed(name, cut, cut_behind=3)
    resumed = typed(name, cut)
    assert (run.environment.cuts, resumed.environment.cuts) == (0, 1)
    assert numbers(resumed) == numbers(run)
    monkeypatch.chdir(cut)
    done = invoke("export", resumed.name, "--format=onnx", "--output=out", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
