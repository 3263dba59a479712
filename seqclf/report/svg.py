"""Makes matplotlib's SVG fit for a page with a strict content policy."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from seqclf.report.readings import CURVE

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
INK = "#123456"  # what is drawn in it takes the page's text colour
DROPPED = ("metadata", "style")


def fit_for_page(svg: str, name: str, readings: str = "") -> str:
    """Returns a drawing, from `Figure.savefig`, without style attributes, for a page.

    The page's policy forbids `style` attributes, but allows one attribute per property.
    The name goes before every id, so that the ids of a page are unique; ids that
    nothing refers to are left out. What is drawn of a curve is marked with its name;
    `readings` are what the curves say, see `readings_of`.
    """
    root = _parsed(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rsplit("}", 1)[-1] in DROPPED:
                parent.remove(child)
    referred = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    for element in root.iter():
        if element.get("id") not in referred:
            id_ = element.attrib.pop("id", "")
            if id_.startswith(CURVE):
                element.set("data-curve", id_.removeprefix(CURVE))
        presented = _presentation(element.attrib.pop("style", ""))
        named = {**element.attrib, **presented}
        element.attrib.clear()
        element.attrib.update({k: _of_page(k, v, name) for k, v in named.items()})
    # As many pixels as points, and a quarter more; the page shrinks it where it must.
    width = f"{1.25 * float(root.attrib['viewBox'].split()[2]):.0f}"
    del root.attrib["height"]
    own = {"width": width, "aria-hidden": "true", "focusable": "false"}
    root.attrib.update(own | {"class": "figure"})
    if readings:
        root.set("data-curves", readings)
    return ElementTree.tostring(root, encoding="unicode")


def with_ids_of(svg: str, name: str) -> str:
    """Returns a drawing, fit for a page, with a name before every id once more.

    A page can then have two drawings of one name.
    """
    root = _parsed(svg)
    for element in root.iter():
        for key, value in element.attrib.items():
            element.attrib[key] = _of_page(key, value, name)
    return ElementTree.tostring(root, encoding="unicode")


def _parsed(svg: str) -> ElementTree.Element:
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.fromstring(svg)  # noqa: S314 -- matplotlib wrote it


def _presentation(style: str) -> dict[str, str]:
    """Returns what a style says as attributes; the page sets the font."""
    attributes = {}
    for declaration in filter(str.strip, style.split(";")):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":  # a shorthand that attributes do not know
            size = re.search(r"[\d.]+px", value)
            attributes["font-size"] = size[0] if size else "10px"
        elif key != "font-family":
            attributes[key] = value
    return attributes


def _of_page(key: str, value: str, name: str) -> str:
    """Returns an attribute's value with ids and colours of the page."""
    if key == "id":
        return f"{name}-{value}"
    if key == HREF:
        return value.replace("#", f"#{name}-", 1)
    return value.replace("url(#", f"url(#{name}-").replace(INK, "currentColor")
