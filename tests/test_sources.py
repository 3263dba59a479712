"""The same rows from every kind of source give the same comparison."""

from __future__ import annotations

import gzip
import json
import os

import pytest
from conftest import TINY, reviews, run_cli
from data_matrix import as_json_lines, as_parquet, as_tsv
from loopback_hub import LoopbackHub, repository


@pytest.mark.slow
def test_a_tree_a_gzipped_tsv_a_pipe_and_the_hub_give_the_same_table(tmp_path):
    rows = sorted(reviews(160), key=lambda row: row[1])  # as the tree will be read
    for number, (text, label) in enumerate(rows):
        path = tmp_path / "tree" / label / f"{number:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "zipped.tsv.gz").write_bytes(gzip.compress(as_tsv(rows)))
    files = {"train.parquet": as_parquet(rows)}
    hub = LoopbackHub({"someone/reviews": repository(files)})
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }
    results = [
        compare("tree", tmp_path),
        compare("zipped.tsv.gz", tmp_path),
        compare("-", tmp_path, input=as_json_lines(rows).decode()),
        compare("someone/reviews", tmp_path, env=environment),
    ]
    hub.close()
    tables = [
        [
            {key: row[key] for key in ("cell", "accuracy", "macro_f1", "log_loss")}
            for row in result["rows"]
        ]
        for result in results
    ]
    fingerprints = {result["card"]["dataset"]["fingerprint"] for result in results}
    assert len(fingerprints) == 1
    assert [row["cell"] for row in tables[0]] == [None, None, None, "none", None]
    assert all(table == tables[0] for table in tables)


def compare(source, folder, **options):
    command = ["compare", f"--data={source}", "--cells=none", "--seeds=1", "--json"]
    tiny = [option for option in TINY if "units" not in option]
    done = run_cli([*command, *tiny], folder, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
