"""One HTML file with its own style, its own script and a policy for nothing else."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from seqclf.offline import part, policy

if TYPE_CHECKING:
    from jinja2 import Template


def render(template: str, **values: Any) -> str:
    """Fills a template of this folder; every value that is no `Markup` is escaped.

    The template extends `base.html`. Beyond what it names itself every page has a
    title, sections (pairs of id and name, for the contents) and studies, see
    `prepared`.
    """
    from markupsafe import Markup

    css = _file("page.css")
    script = "\n".join([_file("page.js"), part("elements.js"), _file("curves.js")])
    return _template(template).render(
        css=Markup(css),  # noqa: S704 -- our own, as is
        script=Markup(script),  # noqa: S704 -- the same
        # A confusion matrix is a small picture in its figure.
        policy=policy(css, script, images="data:"),
        **values,
    )


def fragment(template: str, **values: Any) -> str:
    """Fills a template that is a part of somebody else's page: no style, no script."""
    return _template(template).render(**values)


def _template(name: str) -> Template:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        loader=FunctionLoader(_file),
    )
    return environment.get_template(name)


def trusted(svg: str) -> str:
    """Returns a drawing of our own as something that is not escaped."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 -- drawn here; its texts are escaped in it


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
