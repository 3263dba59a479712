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
      gpus: GPUs of a task, in [0, 1]: none, a share of one, or one, for a training
        takes no more.
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
    asked = Asked(
        given, 1 if cpus is None else cpus, gpus or 0.0, shared, insecure, jobs
    )
    _refuse(asked)
    return asked


def refuse_followers(asked: Asked | None, **followers: object) -> None:
    """Refuses what follows the files of a training as it goes on; by option's name."""
    given = [name for name, value in followers.items() if value is not None]
    if asked is not None and given:
        option = f"--{given[0].replace('_', '-')}"
        raise ConfigError(
            f"{option} follows trainings of this machine, whose files it sees; leave "
            f"it or --cluster out."
        )


def _refuse(asked: Asked) -> None:
    if asked.cpus < 1:
        raise ConfigError(f"--cpus-per-training must be at least 1, got {asked.cpus}.")
    if not 0 <= asked.gpus <= 1:
        raise ConfigError(
            f"--gpus-per-training must be from 0 to 1, got {asked.gpus:g}: a training "
            f"takes one GPU at most."
        )
    if asked.shared is not None and not asked.shared.is_dir():
        raise ConfigError(f"--shared {asked.shared}: there is no such folder.")
    if asked.is_slurm:
        _refuse_of_slurm(asked)


def _refuse_of_slurm(asked: Asked) -> None:
    if asked.shared is None:
        raise ConfigError(
            "--cluster slurm needs --shared DIR, a folder that all machines have: jobs "
            "are sent and answered through it."
        )
    if asked.gpus not in (0, 1):
        raise ConfigError(
            f"--gpus-per-training must be 0 or 1 with Slurm, got {asked.gpus:g}: it "
            f"gives whole GPUs."
        )
    if asked.insecure:
        raise ConfigError("--insecure-cluster is of Ray; Slurm knows who asks.")


def _refuse_other_addresses(given: str) -> None:
    if given in (AUTO, SLURM):
        return
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"--cluster must be auto, HOST:PORT of a Ray head or slurm, got {given!r}."
        )
