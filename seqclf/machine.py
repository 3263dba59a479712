"""What this machine has, and what will run where."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from seqclf.engine import cores
from seqclf.model import backend
from seqclf.training.trial import package_versions

# Below it, masked LSTM and GRU kernels gave corrupted results:
# https://github.com/tensorflow/tensorflow/issues/60192
FIRST_SOUND_CUDNN = (8, 9, 1)

# Bytes; on IMDB a training peaks at 1.9 GB (docs/results.md).
MEMORY_OF_A_TRAINING = 2_500_000_000


def examine(models: Path, cache: Path, network: bool) -> dict[str, Any]:
    """Looks at versions, devices, memory, folders and, if asked, the network.

    Args:
      models: Folder of the runs.
      cache: Folder of the encoded data sets.
      network: Whether to try to reach the Hub, for at most 3 seconds.

    Returns:
      Findings by name: plain values, lists of lines, or versions by package.
    """
    backend.import_keras()
    import tensorflow as tf

    gpus = [
        str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    build = tf.sysconfig.get_build_info()
    return {
        "versions": package_versions(),
        "python": platform.python_version(),
        "backend": "tensorflow",
        "cores": cores(),
        "memory": memory(),
        "gpu": gpus or ["none seen by TensorFlow"],
        "cudnn": _cudnn(build, bool(gpus)),
        "runs_where": _kernels(bool(gpus)),
        "models": _folder(models),
        "cache": _folder(cache),
        "network": _network() if network else "not tried (--no-network)",
    }


def jobs_for(trials: int) -> int:
    """Returns how many trainings at a time suit the cores and the free memory.

    One on a machine with a GPU, which trainings would only share.
    """
    if Path("/dev/nvidia0").exists():
        return 1
    fitting = int(free_memory() // MEMORY_OF_A_TRAINING)
    return max(1, min(trials, cores(), fitting))


def free_memory() -> int:
    """Returns the bytes that new processes may take; 0 where that cannot be read."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable:"))
        return 1024 * int(available.split()[1])
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def memory() -> str:
    """Returns the machine's memory and what of it is free, where that can be read."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = os.sysconf("SC_PHYS_PAGES") * page
        free = os.sysconf("SC_AVPHYS_PAGES") * page
    except (AttributeError, ValueError, OSError):
        return "unknown on this system"
    return f"{total / 2**30:.1f} GiB, {free / 2**30:.1f} GiB free"


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
    if has_gpu and _parts(version) < FIRST_SOUND_CUDNN[: len(_parts(version))]:
        text += "; before 8.9.1 masked GRU and LSTM can be wrong: update it"
    return text


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _kernels(has_gpu: bool) -> list[str]:
    if has_gpu:
        return ["rnn, gru, lstm: cuDNN on the GPU"]
    return ["rnn, gru, lstm: TensorFlow loop on the CPU"]


def _folder(path: Path) -> str:
    there = (
        path
        if path.exists()
        else next(p for p in path.absolute().parents if p.exists())
    )
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
