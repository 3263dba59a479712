"""What this machine has, and what will run where."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from seqclf.engine import Cluster
from seqclf.model import backend
from seqclf.system import cores, free_memory, total_memory
from seqclf.versions import package_versions

# Below it, masked LSTM and GRU kernels gave corrupted results:
# https://github.com/tensorflow/tensorflow/issues/60192
FIRST_SOUND_CUDNN = (8, 9, 1)

# Bytes; on IMDB a training peaks at 1.9 GB (docs/results.md).
MEMORY_OF_A_TRAINING = 2_500_000_000


def examine(models: Path, cache: Path, network: bool) -> dict[str, Any]:
    """Looks at versions, devices, memory, the folders of runs and of encoded data.

    With `network` it also tries to reach the Hub, for at most 3 seconds.

    Returns:
      Findings by name: plain values, lists of lines, or versions by package.
    """
    backend.import_keras()
    import tensorflow as tf

    gpus = backend.gpus()
    build = tf.sysconfig.get_build_info()
    kernels = "cuDNN on the GPU" if gpus else "TensorFlow loop on the CPU"
    return {
        "versions": package_versions(),
        "python": platform.python_version(),
        "backend": "tensorflow",
        "cores": cores(),
        "memory": memory(),
        "gpu": gpus or ["none seen by TensorFlow"],
        "cudnn": _cudnn(build, bool(gpus)),
        "runs_where": [f"rnn, gru, lstm: {kernels}", *_several(len(gpus))],
        "models": _folder(models),
        "cache": _folder(cache),
        "network": _network() if network else "not tried (--no-network)",
    }


def _several(gpus: int) -> list[str]:
    """Says what several GPUs are for."""
    if gpus < 2:
        return []
    return [
        f"compare puts a training on each of the {gpus} GPUs; one training takes one "
        f"GPU, for more of them would change its numbers (docs/scale.md)"
    ]


def jobs_for(trials: int) -> int:
    """Returns how many trainings at a time suit the cores and the free memory.

    On a machine with GPUs one on each, which trainings would only share.
    """
    if gpus := backend.gpus():
        return max(min(trials, len(gpus)), 1)
    wanted, free = min(trials, cores()), free_memory()
    if free is None:  # as many as the cores: what cannot be read is no reason for one
        return max(wanted, 1)
    return max(min(wanted, free // MEMORY_OF_A_TRAINING), 1)


def jobs_of(asked: int | None, trials: int, cluster: Cluster | None) -> int:
    """Returns how many of so many trainings there are at a time.

    As a cluster can, or as asked, or as suits this machine, see `jobs_for`.
    """
    return cluster.jobs if cluster else asked or jobs_for(trials)


def memory() -> str:
    """Returns the memory that there is and what of it is free, as far as is known."""
    said = {"GiB": total_memory(), "GiB free": free_memory()}
    known = [f"{n / 2**30:.1f} {unit}" for unit, n in said.items() if n is not None]
    return ", ".join(known) or "unknown on this system"


def processor() -> str:
    """Returns the name of the processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def _cudnn(build: dict[str, Any], has_gpu: bool) -> str:
    version = str(build.get("cudnn_version") or "")
    if not version:
        return "this TensorFlow is built without it"
    text = f"TensorFlow is built for cuDNN {version}"
    parts = tuple(int(part) for part in version.split(".") if part.isdigit())
    if has_gpu and parts < FIRST_SOUND_CUDNN[: len(parts)]:
        text += "; before 8.9.1 masked GRU and LSTM can be wrong: update it"
    return text


def _folder(path: Path) -> str:
    whole = path.absolute()
    there = next(one for one in (whole, *whole.parents) if one.exists())
    state = "" if path.exists() else ", not made yet"
    writable = "writable" if os.access(there, os.W_OK) else "NOT writable"
    return f"{path} ({writable}{state})"


def _network() -> str:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return "HF_HUB_OFFLINE is set: the Hub is not asked"
    parsed = urlparse(endpoint)
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    try:
        socket.create_connection((parsed.hostname or "", port), timeout=3).close()
    except OSError as error:
        return f"{endpoint} cannot be reached ({error}); --data demo and files work"
    return f"{endpoint} can be reached"
