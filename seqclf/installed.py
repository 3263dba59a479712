"""How seqclf was installed, and so what to type to install more of it.

What reads the metadata of packages is imported in functions: a start has no time.
"""

from __future__ import annotations

import json
import re

NAME = "seqclf"


def install_line(extra: str = "") -> str:
    """Returns what installs seqclf from where it came, with an extra, to be typed.

    A checkout or a wheel is named by its path (PEP 610 keeps it); else it came from an
    index, by its name.
    """
    source, is_editable = _source()
    wanted = f"{source}[{extra}]" if extra else source
    return f"pip install {'--editable ' if is_editable else ''}'{wanted}'"


def incomplete_said(error: ModuleNotFoundError) -> str | None:
    """Returns what to type where a package that seqclf asks for is not installed.

    None if the module is of no such package, or is there.
    """
    from importlib.metadata import requires

    top = (error.name or "").partition(".")[0]
    asked = requires(NAME) or []
    names = {re.split(r"[^\w.-]", line)[0].lower() for line in asked if ";" not in line}
    package = MODULES.get(top, top.replace("_", "-"))
    if package not in names:
        return None
    return (
        f"this needs {package}, which is not installed here; an environment for "
        f"predicting alone has less than seqclf asks for. All of it: {install_line()}"
    )


MODULES = {"sklearn": "scikit-learn"}  # whose packages have another name


def _source() -> tuple[str, bool]:
    """Returns the path or the name that pip was given, and whether as editable."""
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        text = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        text = None
    about = json.loads(text) if text else {}
    url = urlsplit(about.get("url", ""))
    if url.scheme != "file":
        return NAME, False
    return url2pathname(url.path), about.get("dir_info", {}).get("editable", False)
