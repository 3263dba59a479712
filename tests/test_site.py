"""The documentation as a whole: its size, its links, its pages, its notebooks."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_docs import ROOT, pages

DOCS = ROOT / "docs"
# Written by scripts, or tables of what was measured.
GENERATED = ("commands.md", "exports.md", "results.md")
MOST_WORDS, MOST_OF_README = 25_000, 1_200


def prose(page: str) -> str:
    """Returns what a person wrote to be read: no code, tables or output of scripts."""
    page = re.sub(r"<!-- (\S+).*? -->\n.*?<!-- /\1.*? -->", "", page, flags=re.DOTALL)
    page = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    page = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    return "\n".join(
        line for line in page.splitlines() if not line.startswith(("|", "    "))
    )


def words(text: str) -> int:
    """Returns how many words have a letter or a digit."""
    return len(re.findall(r"\S*\w\S*", text))


def test_a_page_is_counted_without_its_code_tables_and_screens():
    page = (
        "# One two\n\n<!-- a b -->\nx x x\n<!-- /a b -->\n\n    x x\n\n"
        "```\nx x x\n```\n| x | x |\n\nthree – four,\n<!-- x -->\n"
    )
    assert words(prose(page)) == 4


def test_the_docs_can_be_read_in_an_afternoon():
    written = [file for file in DOCS.glob("*.md") if file.name not in GENERATED]
    counted = {file.name: words(prose(file.read_text("utf-8"))) for file in written}
    assert len(counted) > 20
    assert sum(counted.values()) <= MOST_WORDS, counted


def test_the_readme_is_short_and_begins_with_what_to_type():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert words(readme) <= MOST_OF_README
    assert "\nmake demo" in "\n".join(readme.splitlines()[:20])


def anchors(page: str) -> set[str]:
    """Returns the anchors that a page's headings have, as on GitHub."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        kept = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(kept)
    return found


def links(page: str) -> list[str]:
    """Returns where the links and pictures of a page lead."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("path", [*pages(), "CHANGELOG.md", "benchmarks/RESULTS.md"])
def test_every_link_within_the_project_leads_somewhere(path):
    page = ROOT / path
    for link in links(page.read_text("utf-8")):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        there = (page.parent / parts.path).resolve() if parts.path else page
        assert there.exists(), link
        if parts.fragment and there.suffix == ".md":
            assert parts.fragment in anchors(there.read_text("utf-8")), link


class Loads(HTMLParser):
    """Collects what a page loads, and whether one can search."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.has_search = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.loaded.append(named.get("src") or "")
        if tag == "link" and named.get("rel") != "canonical":
            self.loaded.append(named.get("href") or "")
        if tag == "input" and named.get("name") == "q":
            self.has_search = True


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning"]
    done = subprocess.run(
        [*build, "--keep-going", "-c", "docs", ".", str(folder)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_site_has_every_page_and_loads_nothing_from_outside(site):
    for path in pages():
        if path.startswith("docs/") or path in ("SECURITY.md", "CONTRIBUTING.md"):
            assert (site / path).with_suffix(".html").exists(), path
    built = [*site.rglob("*.html")]
    assert len(built) > 35
    for page in built:
        loads = Loads()
        loads.feed(page.read_text("utf-8"))
        outside = [one for one in loads.loaded if urlsplit(one).netloc]
        assert not outside, page
        assert loads.has_search or page.parent == site, page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?https?:", sheet.read_text())


@pytest.mark.slow
def test_the_site_describes_every_name_with_its_docstring(site):
    import seqclf

    api = (site / "docs" / "api.html").read_text("utf-8")
    for name in seqclf.__all__:
        assert f'id="seqclf.{name}"' in api, name
    assert "What ranks the cells" in api  # of `compare`, an argument


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "instead"),
    [("cell", {}), ("compare", {"slice(0, 4500)": "slice(0, 600)",
                                "units=64": "epochs=2, units=64"})],
)  # fmt: skip
def test_a_notebook_runs_and_shows_what_it_shows(name, instead):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import notebooks

    file = notebooks.FOLDER / f"{name}.ipynb"
    before = notebooks.nbformat.read(file, as_version=4)
    assert all(old in str(before.cells) for old in instead)
    after = notebooks.run(file, instead)
    for one, other in zip(before.cells, after.cells, strict=True):
        assert [*map(kinds, one.get("outputs", []))] == [
            *map(kinds, other.get("outputs", []))
        ], one.source


def kinds(output) -> set[str]:
    """Returns in which ways an output is shown."""
    return set(output.get("data", {})) or {output.output_type}
