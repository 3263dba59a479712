"""HTML files that open without a network and may do nothing but show themselves.

The files beside this one are what several such pages have in common: their frame and
style, and JavaScript for arrays, elements and the steps of cells.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any


def policy(style: str, script: str, images: str = "'none'") -> str:
    """Returns a content security policy that allows this style and script alone.

    `images` says where pictures may come from, such as `data:`.
    """
    return (
        f"default-src 'none'; style-src {_hashed(style)}; "
        f"script-src {_hashed(script)}; img-src {images}; "
        "base-uri 'none'; form-action 'none'"
    )


def page(template: str, *, title: str, style: str, script: str, data: Any) -> str:
    """Returns the HTML of a page that a script fills from data.

    Args:
      template: Jinja, which extends `base` (`page.html`).
      title: At the top and in the tab.
      style: CSS, behind that of all pages.
      script: JavaScript; it begins with what all pages share.
      data: Plain values, which the script finds as JSON in `#data`. It may hold any
        text: nothing in it ends the element that it is in.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    pages = DictLoader({"base": part("page.html"), "page": template})
    environment = Environment(autoescape=True, undefined=StrictUndefined, loader=pages)
    style = part("page.css") + style
    script = f'"use strict";\n{script}'
    return environment.get_template("page").render(
        title=title,
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 -- our own, as is
        script=Markup(script),  # noqa: S704 -- the same
        data=Markup(escaped(data)),  # noqa: S704 -- see there
    )


def part(name: str) -> str:
    """Returns a file of those that pages share, such as `arrays.js`."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def escaped(values: Any) -> str:
    """Returns JSON that can stand in an HTML element and does not end it."""
    text = json.dumps(values, allow_nan=False)
    return text.replace("<", "\\u003c")


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
