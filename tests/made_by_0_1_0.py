"""Made tests/fixtures/0.1.0: what version 0.1.0 wrote, for later versions to open.

Run once with 0.1.0, as ``python tests/made_by_0_1_0.py FOLDER``; a later version need
not run it, and would not write the same. FOLDER was /srv/seqclf-0.1.0, a new one: the
commands below were typed in it, each in a process of its own, and wrote `models/` and
`exports/` there. All was copied from it but pages, pictures and the trainings of the
studies (`NOT_KEPT`), which are made anew where they are wanted, and the weights of one
trial (`LARGE`), which nothing opens. Nothing was written, shortened or changed by hand.
FOLDER itself stands in `two/question.json` alone.

- ``reviews-compare``: four cells, two seeds. Its eight runs, ``reviews-CELL-SEED``, and
  its baselines lie beside it.
- ``tuned``: a tuned comparison of two cells, with its trials in it.
- ``wide``: a GRU of 16 units; ``two`` compares it with ``reviews-gru-0``.
- ``cut``: a training that was killed in its second epoch, with its checkpoint.
- ``saved``: a `SequenceClassifier`, saved from Python; it has no scores.
- ``reviews-studies``: the answer of every study of that data; ``comparisons-studies``:
  that of the study of comparisons.
- ``exports/onnx``: ``reviews-gru-0`` as an ONNX file.
- ``train.toml``, ``compare.toml``: every setting by its name, for ``--config``. They
  are read and not trained with: together the settings make no sense.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import TINY, reviews, write_csv

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import kills

KEPT = Path(__file__).parent / "fixtures" / "0.1.0"
NOT_KEPT = ("*.html", "*.svg", "trials", "data", "timings", "made-up-texts-studies")
LARGE = Path("models", "tuned", "tuning", "gru-2")  # 4 MB, of 192 units; not chosen
STUDIES = (
    "gradients", "memory", "gates", "order", "size", "sensitivity", "depth", "mix",
    "convergence", "cost",
)  # fmt: skip
RECIPE = ["--data=reviews", *TINY, "--epochs=4"]
COMMANDS = [
    ["compare", "--cells=none,rnn,gru,lstm", "--seeds=2", *RECIPE],
    ["compare", "--cells=none,gru", "--seeds=1", "--tune=2", "--name=tuned", *RECIPE],
    ["train", "--cell=gru", "--name=wide", *RECIPE, "--units=16"],
    ["compare", "reviews-gru-0", "wide", "--name=two"],
    ["export", "reviews-gru-0", "--format=onnx", "--output=exports/onnx"],
    *(["study", name, "--quick", *RECIPE] for name in STUDIES),
    ["study", "wins"],
]  # fmt: skip
CUT = ["train", "--cell=gru", "--seed=3", "--name=cut", *RECIPE]
KILLED_AT = "after checkpoint.npz 14"  # there are ten in an epoch
SAVE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import reviews
from seqclf import SequenceClassifier
texts, labels = zip(*reviews(160))
classifier = SequenceClassifier(
    "gru", units=8, embedding_size=8, epochs=4, batch_size=16, min_count=1,
    learning_rate=0.02, random_state=0,
)
classifier.fit(texts, labels).save("models/saved")
"""
TRAIN_TOML = """\
data = "reviews"
revision = "main"
subset = "en"
text-column = "title,text"
label-column = "label"
encoding = "cp1252"
delimiter = ";"
header = true
drop-unlabeled = true
merge-labels = true
min-per-label = 3
other = true
limit = 100
validation-fraction = 0.15
test-fraction = 0.25
split-seed = 1
drop-duplicates = true

vocabulary-size = 5000
min-count = 3
max-length = 50
keep = "head"

cell = "gru"
units = 24
layers = 2
bidirectional = false
embedding-size = 12
embedding-range = 0.03
dropout-rate = 0.25
conv-width = 3
pooling = "attention"

epochs = 7
batch-size = 32
batch-tokens = 900
learning-rate = 0.001
warmup-fraction = 0.2
weight-decay = 0.01
clip-norm = 0.5
word-dropout-rate = 0.1
label-smoothing = 0.05
class-weights = "balanced"
kernel = "loop"
patience = 2
seed = 4

name = "mine"
overwrite = true
fresh = true
models-dir = "my-models"
cache-dir = "my-cache"
require-cudnn = false
json = true
quiet = true
"""
COMPARE_TOML = """\
columns = "label,text"
cells = ["none", "rnn", "gru"]
seeds = 4
match = "parameters"
tune = 5
jobs = 2
csv = true
markdown = false
"""


def main(folder: Path) -> None:
    """Types the commands in a folder that is made for it, and copies what they wrote.

    Raises:
      OSError: If the folder is there already.
      subprocess.CalledProcessError: If a command failed.
    """
    (folder / "reviews").mkdir(parents=True)
    write_csv(folder / "reviews" / "train.csv", reviews(160))
    write_csv(folder / "reviews" / "validation.csv", reviews(40, start=160))
    write_csv(folder / "reviews" / "test.csv", reviews(48, start=200))
    (folder / "train.toml").write_text(TRAIN_TOML)
    (folder / "compare.toml").write_text(COMPARE_TOML)
    for command in COMMANDS:
        _python(folder, "-m", "seqclf", *command)
    _python(folder, "-c", SAVE)
    _train_and_kill(folder)
    shutil.rmtree(KEPT, ignore_errors=True)
    for name in ("reviews", "models", "exports"):
        ignore = shutil.ignore_patterns(*NOT_KEPT)
        shutil.copytree(folder / name, KEPT / name, ignore=ignore)
    for file in (KEPT / LARGE).glob("model.*"):
        file.unlink()
    for file in folder.glob("*.toml"):
        shutil.copy(file, KEPT)


def _train_and_kill(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as site:
        (Path(site) / "sitecustomize.py").write_text(kills.SITE)
        path = os.pathsep.join([site, os.environ.get("PYTHONPATH", "")])
        killing = {"KILL_AT": KILLED_AT, "SEQCLF_CHECKPOINT_SECONDS": "0"}
        environment = os.environ | killing | {"PYTHONPATH": path}
        _python(folder, "-m", "seqclf", *CUT, env=environment, expected=1)
    kills.wait_until_free(folder / "models" / "cut")


def _python(
    folder: Path,
    *arguments: str,
    env: dict[str, str] | None = None,
    expected: int = 0,
) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=env)
    if done.returncode != expected:
        raise subprocess.CalledProcessError(done.returncode, arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
