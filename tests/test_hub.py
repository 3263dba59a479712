"""Data sets of the Hub, from a hub on this machine: nothing goes beyond it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import reviews, run_cli
from loopback_hub import LoopbackHub, Repository, repository
from pyarrow import parquet

from seqclf.config import DataConfig
from seqclf.data.hub.load import is_saved, read_saved
from seqclf.data.hub.names import HUB_NAMES
from seqclf.data.hub.online import UnreachableError, _within
from seqclf.errors import DataError

OLD, NEW, CONVERTED = "a" * 40, "b" * 40, "c" * 40
NOWHERE = "http://127.0.0.1:9"  # nobody listens there

CARD = b"""---
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': pos
configs:
- config_name: default
  data_files:
  - split: train
    path: train.parquet
  - split: test
    path: test.parquet
  - split: unsupervised
    path: unsupervised.parquet
---
"""

TWO_SUBSETS = b"""---
configs:
- config_name: sentiment
  data_files:
  - split: train
    path: sentiment.parquet
- config_name: irony
  data_files:
  - split: train
    path: irony.parquet
---
"""

ROWS = [(text, int(label == "good")) for text, label in reviews(80)]


def as_parquet(rows: list[tuple[str, int]], label: str = "label") -> bytes:
    texts, labels = zip(*rows, strict=True)
    file = io.BytesIO()
    parquet.write_table(pa.table({"text": texts, label: labels}), file)
    return file.getvalue()


def imdb(train: int) -> dict[str, bytes]:
    return {
        "README.md": CARD,
        "train.parquet": as_parquet(ROWS[:train]),
        "test.parquet": as_parquet(ROWS[60:]),
        "unsupervised.parquet": as_parquet([("no label here", -1)] * 3),
    }


def repositories() -> dict[str, Repository]:
    subsets = {
        "README.md": TWO_SUBSETS,
        "sentiment.parquet": as_parquet(ROWS[:50]),
        "irony.parquet": as_parquet(ROWS[:60]),
    }
    script = {
        "d" * 40: {"README.md": b"", "trec.py": b"raise SystemExit"},
        CONVERTED: {
            "coarse/train/0000.parquet": as_parquet(ROWS[:50]),
            "fine/train/0000.parquet": as_parquet(ROWS[:60]),
        },
    }
    train = {"train.parquet": as_parquet(ROWS)}
    hidden = train | {"test.parquet": as_parquet([(t, -1) for t, _ in ROWS[:20]])}
    numbered = [(text, number) for number, (text, _) in enumerate(ROWS)]
    odd = {"train.parquet": as_parquet(numbered, label="what")}
    branches = {"main": "d" * 40, "refs/convert/parquet": CONVERTED}
    return {
        "stanfordnlp/imdb": Repository(
            {OLD: imdb(40), NEW: imdb(60)}, {"main": NEW, "v1": OLD}
        ),
        "cardiffnlp/tweet_eval": repository(subsets),
        "some/trec": Repository(script, branches),
        "some/gated": repository(train, gated=True),
        "some/hidden": repository(hidden),
        "some/odd": repository(odd),
        "some/testonly": repository({"test.parquet": as_parquet(ROWS)}),
        "some/broken": repository({"train.parquet": b"PAR1, and then nothing"}),
    }


@pytest.fixture(scope="module")
def hub():
    server = LoopbackHub(repositories())
    yield server
    server.close()


@pytest.fixture(scope="module")
def environment(hub, tmp_path_factory):
    """The hub's address, and a cache that all tests here share."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return own | {
        "NO_PROXY": "*",
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path_factory.mktemp("hf")),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }


def offline(environment: dict[str, str]) -> dict[str, str]:
    # The address leads nowhere, so that a request would be an error and not pass.
    return environment | {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": NOWHERE}


def show(environment: dict[str, str], *arguments: str) -> dict:
    folder = Path(environment["HF_HOME"])
    done = run_cli(["data", "show", *arguments, "--json"], folder, env=environment)
    assert done.returncode == 0, done.stderr
    # Neither the library's log lines nor its bars: nobody watches a terminal.
    assert done.stderr == ""
    return json.loads(done.stdout)


def refused(environment: dict[str, str], *arguments: str) -> str:
    """Runs what must fail, and returns the message in one line."""
    folder = Path(environment["HF_HOME"])
    start = time.monotonic()
    done = run_cli(["data", "show", *arguments], folder, env=environment)
    seconds = time.monotonic() - start
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert seconds < 10, done.stderr  # 5 are promised; this machine may be busy
    return " ".join(done.stderr.split())


def sizes(summary: dict) -> dict[str, int]:
    return {name: split["texts"] for name, split in summary["splits"].items()}


@pytest.fixture(scope="module")
def first(hub, environment):
    """What the first load gives, and what it asked for."""
    start = len(hub.asked)
    summary = show(environment, "imdb")
    return summary, hub.asked[start:]


@pytest.fixture(scope="module")
def pinned(first, environment):
    """An old commit, loaded by its tag."""
    return show(environment, "imdb", "--revision=v1")


def test_first_load_downloads_and_records_the_commit(first):
    summary, asked = first
    assert summary["labels"] == ["neg", "pos"]
    assert summary["revision"] == NEW
    assert sizes(summary) == {
        "train": 54, "validation": 6, "test": 20, "unlabeled": 3
    }  # fmt: skip
    assert any(path.endswith("train.parquet") for path in asked)


def test_second_load_downloads_nothing(hub, environment, first):
    start = len(hub.asked)
    assert show(environment, "imdb") == first[0]
    asked = hub.asked[start:]
    assert asked
    assert not any(path.endswith("parquet") for path in asked)


@pytest.mark.slow
def test_offline_load_takes_the_newest_commit_from_the_cache(
    environment, first, pinned
):
    # The pinned commit was prepared last, and is not what main stands for.
    assert show(offline(environment), "imdb") == first[0]


def test_revision_pins_old_content(first, pinned):
    assert pinned["revision"] == OLD
    assert sizes(pinned)["train"] == 36
    assert pinned["fingerprint"] != first[0]["fingerprint"]


@pytest.mark.parametrize("revision", ["v1", pytest.param(OLD, marks=pytest.mark.slow)])
def test_pinned_revision_loads_offline_by_tag_and_by_commit(
    environment, pinned, revision
):
    assert show(offline(environment), "imdb", f"--revision={revision}") == pinned


@pytest.mark.slow
def test_other_revision_is_never_put_in_its_place_offline(environment, first):
    error = refused(offline(environment), "imdb", f"--revision={'9' * 40}")
    assert f"--revision {NEW}" in error


def test_cache_steps_in_when_the_hub_is_out_of_reach_and_says_so(environment, first):
    away = environment | {"HF_ENDPOINT": NOWHERE}
    folder = Path(environment["HF_HOME"])
    done = run_cli(["data", "show", "imdb"], folder, env=away)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "Connection refused" in said
    assert f"from the cache, commit {NEW}" in said


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        pytest.param(
            {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set", marks=pytest.mark.slow
        ),
        ({"HF_ENDPOINT": NOWHERE}, "Connection refused"),
    ],
)
def test_neither_network_nor_cache_says_what_was_tried_and_what_works(
    environment, changes, cause
):
    error = refused(environment | changes, "ag_news")
    assert cause in error
    assert f"{environment['HF_HOME']}/datasets" in error
    assert "--data demo" in error


@pytest.mark.slow
def test_a_test_split_with_hidden_labels_is_left_aside(environment):
    summary = show(environment, "some/hidden")
    assert sizes(summary) == {"train": 58, "validation": 6, "test": 16}
    for split in summary["splits"].values():
        assert set(split["labels"]) == {"0", "1"}


@pytest.mark.slow
def test_server_that_never_answers_is_given_up_on(environment):
    error = refused(environment, "slow/slow")
    assert "no answer within 3 s" in error


@pytest.mark.slow
def test_server_in_trouble_is_told_by_its_status(hub, environment):
    hub.status = 503
    try:
        assert "answered 503" in refused(environment, "ag_news")
    finally:
        hub.status = None


REFUSALS = [
    ({"source": "some/mispelt"}, "has no data set some/mispelt, or it is private"),
    ({"source": "some/gated"}, "hf auth login"),
    ({"source": "imdb", "revision": "v9"}, "no revision 'v9'"),
    ({"source": "cardiffnlp/tweet_eval"}, "several subsets: sentiment, irony"),
    ({"source": "tweet_sentiment", "subset": "ironie"}, "did you mean 'irony'?"),
    ({"source": "some/trec"}, "--revision refs/convert/parquet"),
    ({"source": "some/trec", "revision": CONVERTED}, "subsets: coarse, fine"),
    ({"source": "some/testonly"}, "has no train split, only test"),
    ({"source": "some/broken"}, "magic bytes"),
    ({"source": "some/odd"}, "--label-column"),
]

# One process for all of these, as most of the time goes into starting one.
LOAD_EACH = """
import json, sys, time
from seqclf.config import DataConfig
from seqclf.data.load import load_dataset
from seqclf.errors import DataError
said = []
for settings in json.loads(sys.argv[1]):
    start = time.monotonic()
    try:
        load_dataset(DataConfig(**settings))
    except DataError as error:
        said.append((str(error), time.monotonic() - start))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(environment):
    """Messages and seconds of `REFUSALS`, in their order."""
    settings = json.dumps([settings for settings, _ in REFUSALS])
    done = subprocess.run(
        [sys.executable, "-c", LOAD_EACH, settings],
        env=environment,
        cwd=environment["HF_HOME"],
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("index", range(len(REFUSALS)))
def test_error_comes_soon_and_names_the_next_step(said, index):
    message, seconds = said[index]
    assert REFUSALS[index][1] in message
    assert seconds < 5


def test_refusal_is_one_sentence_and_an_exit_code(environment):
    assert "hf auth login" in refused(environment, "some/gated")


@pytest.mark.slow
def test_subset_is_loaded_and_no_other_offline(environment):
    loaded = show(environment, "tweet_sentiment")
    assert loaded["name"] == "tweet_sentiment"
    assert sum(sizes(loaded).values()) == 50
    error = refused(offline(environment), "tweet_sentiment", "--subset=irony")
    assert "only sentiment" in error


@pytest.mark.slow
def test_parquet_of_the_hubs_own_making_stands_in_for_a_script(environment):
    arguments = ("some/trec", "--subset=fine")
    loaded = show(environment, *arguments, "--revision=refs/convert/parquet")
    assert loaded["revision"] == CONVERTED
    assert loaded["name"] == "trec-fine"
    assert sum(sizes(loaded).values()) == 60
    again = show(offline(environment), *arguments, f"--revision={CONVERTED}")
    assert again == loaded


def test_call_that_hangs_is_left_after_its_time():
    start = time.monotonic()
    with pytest.raises(UnreachableError, match=r"no answer within 0\.1 s"):
        _within(0.1, HUB_NAMES["imdb"], None, lambda: time.sleep(3))
    assert time.monotonic() - start < 2


def test_short_names_stand_in_the_documents():
    text = (Path(__file__).parents[1] / "docs" / "hub.md").read_text()
    for name, entry in HUB_NAMES.items():
        assert f"| `{name}` | {entry.id} |" in text
        assert name == name.lower()
        DataConfig(source=name)


@pytest.fixture
def splits():
    import datasets

    names = datasets.ClassLabel(names=["bad", "good"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})

    def split(rows: list[tuple[str, int]]) -> datasets.Dataset:
        texts, labels = zip(*rows, strict=True)
        return datasets.Dataset.from_dict(
            {"text": texts, "label": labels}, features=features
        )

    return datasets.DatasetDict({"train": split(ROWS[:40]), "dev": split(ROWS[40:])})


def test_saved_folder_is_read_with_its_splits_and_names(splits, tmp_path):
    splits.save_to_disk(str(tmp_path / "mine"), num_shards={"train": 2, "dev": 1})
    assert is_saved(tmp_path / "mine")
    assert not is_saved(tmp_path)
    found = read_saved(tmp_path / "mine")
    assert found.name == "mine"
    assert found.label_names == {"label": ("bad", "good")}
    rows = {
        name: pa.concat_tables(p.table for p in found.parts[name])
        for name in found.parts
    }
    assert rows["train"]["text"].to_pylist() == [text for text, _ in ROWS[:40]]
    assert rows["validation"]["label"].to_pylist() == [label for _, label in ROWS[40:]]


def test_saved_dataset_alone_is_train(splits, tmp_path):
    splits["train"].filter(lambda row: row["label"] == 1).save_to_disk(
        str(tmp_path / "mine")
    )
    assert is_saved(tmp_path / "mine")
    found = read_saved(tmp_path / "mine")
    assert list(found.parts) == ["train"]
    assert found.parts["train"][0].table["label"].to_pylist() == [1] * 20


@pytest.mark.parametrize("broken", ["state.json", "data-00000-of-00001.arrow"])
def test_damaged_saved_folder_is_named(splits, tmp_path, broken):
    splits.save_to_disk(str(tmp_path / "mine"))
    file = tmp_path / "mine" / "dev" / broken
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match="mine could not be read"):
        read_saved(tmp_path / "mine")
