"""The machines that Slurm gives, a job an errand, by way of a shared folder."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import time
import uuid
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from seqclf.cluster.asked import Asked
from seqclf.cluster.dispatch import LostError
from seqclf.cluster.errand import Errand, Returned, perform
from seqclf.cluster.extra import require_extra
from seqclf.cluster.parcels import digest_of
from seqclf.errors import ConfigError
from seqclf.storage import write_bytes

MINUTES = 24 * 60  # of a job, unless SBATCH_TIMELIMIT says otherwise
ROOM = 64  # jobs at a time, as the progress bar guesses: Slurm does not tell
TIME_LIMIT = "SBATCH_TIMELIMIT"
JOBS = "jobs"


class SlurmMachines:
    """Jobs of Slurm; a `dispatch.Machines`.

    What Slurm itself has to know (partition, account, time) it reads from its own
    variables, `SBATCH_PARTITION` and so on.
    """

    def __init__(self, asked: Asked, insist: Callable[[str], None]) -> None:
        """Prepares jobs; `insist` hears which machines are left out.

        Raises:
          ConfigError: If there is no Slurm.
        """
        require_extra("slurm")
        if asked.shared is None:
            raise ConfigError("--cluster slurm needs --shared DIR.")
        if shutil.which("srun") is None:
            raise ConfigError(
                "--cluster slurm: there is no srun here; type the command on a login "
                "node of Slurm."
            )
        import submitit

        self._asked, self._insist = asked, insist
        self._shared = asked.shared.resolve()
        self._folder = self._shared / JOBS / uuid.uuid4().hex[:12]
        self._folder.mkdir(parents=True, mode=0o700)
        self._left_out: list[str] = []
        self._executor = submitit.AutoExecutor(folder=self._folder, cluster="slurm")
        self._executor.update_parameters(
            name="seqclf",
            timeout_min=minutes_of(os.environ.get(TIME_LIMIT, "")),
            cpus_per_task=asked.cpus,
            **({"gpus_per_node": 1} if asked.gpus else {}),
        )
        self._numbers: dict[Hashable, int] = {}  # of the errands that are out
        self._reports: dict[int, int] = {}  # of these, how far they were heard

    @property
    def shared(self) -> Path | None:
        """The folder that all machines have."""
        return self._shared

    def room(self) -> int:
        """Returns how many errands may be done at a time."""
        return self._asked.jobs or ROOM

    def put(self, content: bytes) -> Any:
        """Writes bytes into the shared folder, each once."""
        file = self._folder / f"{digest_of(content)}.tar"
        if not file.exists():
            write_bytes(file, content)
        return file

    def submit(self, errand: Errand, contents: Sequence[Any]) -> Hashable:
        """Asks Slurm for a job."""
        reports = self._folder / f"{errand.number}.reports"
        try:
            asked = (_perform, errand, contents, reports)
            handle: Hashable = self._executor.submit(*asked)
        except RuntimeError as error:  # sbatch said no: a limit of jobs, above all
            raise LostError(f"Slurm did not take it: {_last_line(error)}") from None
        self._numbers[handle], self._reports[errand.number] = errand.number, 0
        return handle

    def done(self, handles: Sequence[Any], seconds: float) -> list[Hashable]:
        """Returns the jobs that have ended."""
        ended = [one for one in handles if one.done()]
        if not ended:
            time.sleep(seconds)
        return ended

    def returned(self, handle: Any) -> Returned:
        """Returns what a job wrote as its result, all of its reports among it."""
        self._reports.pop(self._numbers.pop(handle, -1), None)
        try:
            returned: Returned = handle.result()
        except RuntimeError as error:  # submitit's own are such
            why = _last_line(error)
            raise LostError(f"job {handle.job_id} of Slurm failed: {why}") from None
        return returned

    def heard(self) -> list[tuple[int, Any]]:
        """Returns what jobs have appended to their reports."""
        found = []
        for number, place in list(self._reports.items()):
            for report, end in _reports(self._folder / f"{number}.reports", place):
                found.append((number, report))
                self._reports[number] = end
        return found

    def leave_out(self, returned: Returned) -> None:
        """Has Slurm send nothing more to a machine that refused."""
        if returned.node in self._left_out:  # it was sent before, with many others
            return
        self._left_out.append(returned.node)
        self._executor.update_parameters(slurm_exclude=",".join(self._left_out))
        self._insist(f"Nothing is sent to {returned.node}: {returned.refused}.")

    def cancel(self, handles: Sequence[Any]) -> None:
        """Cancels jobs."""
        for handle in handles:
            handle.cancel(check=False)

    def close(self) -> None:
        """Removes what was sent and answered."""
        shutil.rmtree(self._folder, ignore_errors=True)


def minutes_of(limit: str) -> int:
    """Returns the minutes of a time limit as Slurm writes it, at least 1.

    `MINUTES`, `MIN:SEC`, `H:MIN:SEC`, and behind days, `D-H`, `D-H:MIN`, `D-H:MIN:SEC`;
    of what is no such limit the usual ones.
    """
    days, dash, rest = limit.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdigit() for part in [*parts, *([days] if dash else [])]):
        return MINUTES
    numbers = [int(part) for part in parts]
    if not dash and len(numbers) < 3:
        numbers = [0, *numbers]
    hours, minutes, seconds = [*numbers, 0, 0][:3]
    whole = (24 * int(days or 0) + hours) * 60 + minutes + seconds // 60
    return max(whole, 1)


def _last_line(error: Exception) -> str:
    """Returns what an error of submitit's says last of its reason."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("-", "You can"))]
    return told[-1] if told else "no reason is known"


def _reports(file: Path, place: int) -> Iterator[tuple[Any, int]]:
    """Yields the reports of a file from a place on, and where each ends."""
    # It may not be there yet, or end within a report that is being written.
    nothing_more = (OSError, EOFError, pickle.UnpicklingError)
    with contextlib.suppress(*nothing_more), file.open("rb") as opened:
        opened.seek(place)
        while True:
            yield pickle.load(opened), opened.tell()  # noqa: S301


def _perform(errand: Errand, contents: Sequence[Path], reports: Path) -> Returned:
    """Does an errand in a job."""
    with reports.open("ab", buffering=0) as file:

        def tell(report: Any) -> None:
            file.write(pickle.dumps(report))

        return perform(errand, [one.read_bytes() for one in contents], tell)
