"""What a person asks of other machines."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from seqclf.errors import ConfigError

VARIABLE = "SEQCLF_CLUSTER"
AUTO, SLURM = "auto", "slurm"


@dataclass(frozen=True, slots=True)
class Asked:
    """Other machines, and what a task gets of them.

    Attributes:
      address: `auto`, the Ray cluster that this machine is part of; `HOST:PORT`, that
        of this head; `slurm`, jobs of Slurm.
      cpus: Cores, and threads, of a task, at least 1.
      gpus: GPUs of a task, at least 0; a fraction shares one.
      shared: A folder that all machines have under this name.
      insecure: Whether a Ray cluster without a token is used all the same.
      jobs: Tasks at a time; None as many as the machines can.
    """

    address: str
    cpus: int = 1
    gpus: float = 0.0
    shared: Path | None = None
    insecure: bool = False
    jobs: int | None = None

    @property
    def is_slurm(self) -> bool:
        """Whether Slurm is asked, and not Ray."""
        return self.address == SLURM


def asked_of(  # noqa: PLR0913 -- an argument for each option
    cluster: str | None,
    cpus_per_training: int | None = None,
    gpus_per_training: float | None = None,
    shared: Path | None = None,
    insecure_cluster: bool = False,
    jobs: int | None = None,
) -> Asked | None:
    """Returns what was asked for; None if all is to be done here.

    The arguments are the options of those names. None of a cluster takes that of the
    environment, see `VARIABLE`; the empty one and `none` mean this machine.

    Raises:
      ConfigError: If it makes no sense.
    """
    given = os.environ.get(VARIABLE, "") if cluster is None else cluster
    cpus, gpus, insecure = cpus_per_training, gpus_per_training, insecure_cluster
    if given in ("", "none"):
        beside = {
            "--cpus-per-training": cpus is not None,
            "--gpus-per-training": gpus is not None,
            "--shared": shared is not None,
            "--insecure-cluster": insecure,
        }
        if idle := [option for option, is_given in beside.items() if is_given]:
            raise ConfigError(f"{idle[0]} does nothing without --cluster.")
        return None
    _refuse_other_addresses(given)
    if cpus is not None and cpus < 1:
        raise ConfigError(f"--cpus-per-training must be at least 1, got {cpus}.")
    if gpus is not None and not 0 <= gpus < float("inf"):
        raise ConfigError(f"--gpus-per-training must be at least 0, got {gpus:g}.")
    asked = Asked(given, cpus or 1, gpus or 0.0, shared, insecure, jobs)
    if shared is not None and not shared.is_dir():
        raise ConfigError(f"--shared {shared}: there is no such folder.")
    if asked.is_slurm and shared is None:
        raise ConfigError(
            "--cluster slurm needs --shared DIR, a folder that all machines have: jobs "
            "are sent and answered through it."
        )
    if asked.is_slurm and insecure:
        raise ConfigError("--insecure-cluster is of Ray; Slurm knows who asks.")
    return asked


def _refuse_other_addresses(given: str) -> None:
    if given in (AUTO, SLURM):
        return
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"--cluster must be auto, HOST:PORT of a Ray head or slurm, got {given!r}."
        )
