"""CI tests everything: what is skipped there has failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Another test file, written by the test below: a test of each way to be skipped, which
# CI has to count as failed.
SKIPPED = """
import pytest

def test_that_runs(): pass

@pytest.mark.skipif(True, reason="never")
def test_of_a_mark(): pass

def test_from_within(): pytest.skip("no data here")

@pytest.mark.parametrize("value", [])
def test_of_nothing(value): pass
"""
MODULE = 'import pytest\npytest.importorskip("no_such_package_anywhere")\n'


@pytest.mark.parametrize(
    ("ci", "said"), [("", "1 passed, 4 skipped"), ("true", "3 errors")]
)
def test_a_skipped_test_fails_in_ci_alone(ci, said, tmp_path):
    (tmp_path / "test_some.py").write_text(SKIPPED)
    (tmp_path / "test_module.py").write_text(MODULE)
    (tmp_path / "conftest.py").write_text(
        (Path(__file__).parent / "conftest.py").read_text("utf-8"), "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors",
         "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ | {"CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
    )  # fmt: skip
    assert said in done.stdout.splitlines()[-1]
    if ci:
        assert "1 failed, 1 passed, 3 errors" in done.stdout
        assert "in CI no test may be skipped" in done.stdout
