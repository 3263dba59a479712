from __future__ import annotations

import io
import json
import os

import pyarrow as pa
import pytest
from conftest import reviews, run_cli
from loopback_hub import LoopbackHub
from pyarrow import parquet

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


def as_parquet(rows: list[tuple[str, int]]) -> bytes:
    texts, labels = zip(*rows, strict=True)
    file = io.BytesIO()
    parquet.write_table(pa.table({"text": texts, "label": labels}), file)
    return file.getvalue()


@pytest.fixture(scope="module")
def hub():
    rows = [(text, int(label == "good")) for text, label in reviews(60)]
    server = LoopbackHub(
        "stanfordnlp/imdb",
        {
            "README.md": CARD,
            "train.parquet": as_parquet(rows[:40]),
            "test.parquet": as_parquet(rows[40:]),
            "unsupervised.parquet": as_parquet([("no label here", -1)] * 3),
        },
    )
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def environment(hub, tmp_path):
    return os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }


def test_imdb_comes_from_the_hub_and_then_from_its_cache(hub, environment, tmp_path):
    command = ["data", "show", "imdb", "--json"]
    first = run_cli(command, tmp_path, env=environment)
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["labels"] == ["neg", "pos"]
    sizes = {name: split["texts"] for name, split in summary["splits"].items()}
    assert sizes == {"train": 36, "validation": 4, "test": 20, "unlabeled": 3}
    assert any(path.endswith("train.parquet") for path in hub.asked)
    asked = len(hub.asked)
    offline = environment | {"HF_HUB_OFFLINE": "1"}
    again = run_cli(command, tmp_path, env=offline)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == summary
    assert len(hub.asked) == asked


def test_offline_without_a_cache_says_what_works(environment, tmp_path):
    offline = environment | {"HF_HUB_OFFLINE": "1"}
    done = run_cli(["data", "show", "imdb"], tmp_path, env=offline)
    assert done.returncode == 1
    assert "--data demo" in done.stderr
    assert "Traceback" not in done.stderr
