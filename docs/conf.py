"""The documentation site: what Sphinx reads.

`make site` builds it into build/site. The sources are these pages and a few beside them
in the root, so that a link which works in the repository works here as well.
"""

import seqclf

project = "seqclf"
copyright = "the seqclf authors, Apache-2.0"  # noqa: A001 - Sphinx's name for it
release = version = seqclf.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "benchmarks/RESULTS.md",
]
# What is excluded is not walked through.
exclude_patterns = [".*", "build", "data", "models", "docs/_templates", "**/.ipynb*"]
templates_path = ["_templates"]

nitpicky = True  # a link to nothing is an error; `make site` makes warnings errors
nitpick_ignore_regex = [("py:.*", ".*")]  # the types of other projects' pages
myst_heading_anchors = 4  # the anchors that a link in the repository has
nb_execution_mode = "off"  # their outputs are written by `make notebooks`

autodoc_typehints = "none"  # the signature has them
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "seqclf"
html_copy_source = False
html_show_sourcelink = False
html_additional_pages = {"index": "to_docs.html"}  # the address of the site itself
