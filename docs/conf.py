"""Configuration of the manual. Tables and references are written from the installed package at build time."""

from __future__ import annotations

import sys
from pathlib import Path

import memfeat

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project = "memfeat"
author = "the memfeat authors"
copyright = "2026, the memfeat authors"
version = release = memfeat.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "generate",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_generated/*.inc.md"]

html_theme = "furo"
html_title = f"memfeat {release}"
html_static_path = ["_static"]
html_css_files = ["memfeat.css"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# What a folder re-exports is described where it is defined.
autodoc_default_options = {"members": True, "show-inheritance": True, "ignore-module-all": True}
numpydoc_show_class_members = False
# A bare class name in an annotation fits every class of that name, such as the two called Plan.
suppress_warnings = ["ref.python"]
# numpydoc's class template repeats attributes that autodoc documents in place.
numpydoc_class_members_toctree = False
