"""How seqclf was installed, and so what to type to install more of it.

What reads the metadata of packages is imported in functions: a start has no time.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import Any

NAME = "seqclf"
MODULES = {"sklearn": "scikit-learn"}  # whose packages have another name


def install_line(extra: str = "") -> str:
    """Returns what installs seqclf from where it came, with an extra, to be typed.

    A checkout or a wheel is named by its path or address (PEP 610 keeps it); else it
    came from an index, by its name.
    """
    about = _origin()
    url, wanted = about.get("url", ""), f"[{extra}]" if extra else ""
    if url.startswith("file:"):
        what = [f"{_path_of(url)}{wanted}"]
    elif url:
        system = about.get("vcs_info", {})
        if system:
            url = f"{system['vcs']}+{url}@{system['commit_id']}"
        what = [f"{NAME}{wanted} @ {url}"]
    else:
        what = [f"{NAME}{wanted}"]
    if about.get("dir_info", {}).get("editable"):
        what.insert(0, "--editable")
    words = [sys.executable, "-m", "pip", "install", *what]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def incomplete_said(error: ModuleNotFoundError) -> str | None:
    """Returns what to type where a package that seqclf asks for is not installed.

    None if the module is of no such package, or if the package is there and only a
    part of it is missing.
    """
    from importlib.metadata import PackageNotFoundError, requires

    module = error.name or ""
    try:
        asked = requires(NAME) or []
    except PackageNotFoundError:
        return None
    names = {re.split(r"[^\w.-]", line)[0].lower() for line in asked if ";" not in line}
    package = MODULES.get(module, module.replace("_", "-"))
    if package not in names:
        return None
    return (
        f"this needs {package}, which is not installed here; an environment for "
        f"predicting alone has less than seqclf asks for. All of it: {install_line()}"
    )


def _origin() -> dict[str, Any]:
    """Returns what pip noted of where seqclf came from; {} if from an index."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        text = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        text = None
    return json.loads(text) if text else {}


def _path_of(url: str) -> str:
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    parts = urlsplit(url)
    server = f"//{parts.netloc}" if parts.netloc else ""
    return url2pathname(server + parts.path)
