"""Stand-ins for the commands of Slurm: jobs are processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HOME = "STAND_IN_SLURM"  # names the folder of what was submitted
COMMANDS = ("sbatch", "srun", "sacct", "scancel")


def install(folder: Path) -> dict[str, str]:
    """Writes the commands into a folder; returns the environment that finds them."""
    (folder / "bin").mkdir(parents=True)
    for name in COMMANDS:
        file = folder / "bin" / name
        file.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(HERE)!r})\n"
            f"import stand_in_slurm\nstand_in_slurm.{name}(sys.argv[1:])\n"
        )
        file.chmod(0o755)
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", HOME: str(folder)}


HERE = Path(__file__).parent


def sbatch(arguments: list[str]) -> None:
    """Starts a job; keeps its script and the number of its process."""
    home, script = Path(os.environ[HOME]), Path(arguments[-1])
    number = 1001 + len([*home.glob("*.sh")])
    (home / f"{number}.sh").write_text(script.read_text())
    own = {"JOB_ID": f"{number}", "NTASKS": "1", "JOB_NUM_NODES": "1", "NODEID": "0",
           "PROCID": "0", "LOCALID": "0", "JOB_NODELIST": "here"}  # fmt: skip
    process = subprocess.Popen(
        ["bash", str(script)],
        env=os.environ | {f"SLURM_{name}": value for name, value in own.items()},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (home / f"{number}.pid").write_text(str(process.pid))
    sys.stdout.write(f"Submitted batch job {number}\n")


def srun(arguments: list[str]) -> None:
    """Becomes the command behind the options, with its outputs where they say."""
    while arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option in ("--output", "--error"):
            place = arguments.pop(0)
            for letter, name in (("%j", "JOB_ID"), ("%t", "PROCID")):
                place = place.replace(letter, os.environ[f"SLURM_{name}"])
            file = os.open(place, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            os.dup2(file, 1 if option == "--output" else 2)
    os.execvp(arguments[0], arguments)


def sacct(arguments: list[str]) -> None:
    """Says of each job whether it still runs."""
    sys.stdout.write("JobID|State|NodeList\n")
    for option, number in zip(arguments, arguments[1:], strict=False):
        if option == "-j":
            state = "RUNNING" if _lives(number) else "COMPLETED"
            sys.stdout.write(f"{number}|{state}|here\n")


def scancel(arguments: list[str]) -> None:
    """Ends jobs, first with a request."""
    for number in arguments:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if _lives(number):
                os.killpg(_process(number), kind)
                time.sleep(0.3)


def _process(number: str) -> int:
    return int((Path(os.environ[HOME]) / f"{number}.pid").read_text())


def _lives(number: str) -> bool:
    try:
        os.killpg(_process(number), 0)
    except (OSError, ValueError):
        return False
    return True
