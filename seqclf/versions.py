"""What of the software matters for the numbers."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "seqclf", "keras", "tensorflow", "numpy", "onnxruntime", "pyarrow", "scikit-learn",
)  # fmt: skip


def package_versions() -> dict[str, str]:
    """Returns the versions of the packages that matter for the numbers, by name."""
    return {name: version(name) for name in PACKAGES}


@functools.cache
def code_digest() -> str:
    """Returns the first 12 hex digits of the SHA-256 of seqclf's own Python files.

    Two checkouts of one version may differ.
    """
    folder, digest = Path(__file__).parent, hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
