"""How Sphinx makes the documentation site; `make docs` gives it the pages that tools/docs_pages.py writes."""

from __future__ import annotations

import re
from typing import Any

import racewindow

project = "racewindow"
html_title = project
author = "the racewindow authors"
project_copyright = "Apache License 2.0"
version = release = "0.1.0"
extensions = ["myst_parser", "sphinx.ext.autodoc"]

# Every warning fails the build (-W): a page that no list names, a link or an anchor that leads nowhere.
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types in signatures: not all of them are public names
myst_heading_anchors = 4
myst_links_external_new_tab = False
highlight_language = "text"
smartquotes = False

# Docstrings are written in Markdown's manner: `code` in single backticks.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
add_module_names = False

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5f8b", "color-brand-content": "#1f5f8b"},
    "dark_css_variables": {"color-brand-primary": "#8cc4f0", "color-brand-content": "#8cc4f0"},
}

ITEM = re.compile(r"(?:^|(?<=[.):] ))(?=`\w+`(?:(?:,| and|, and) `\w+`)*: )")
"""Where a paragraph of a docstring comes to speak of the next parameter or field."""


def as_list(_app: Any, _what: str, _name: str, _value: object, _options: Any, lines: list[str]) -> None:
    """Put each parameter and field that a docstring explains into an item of a list."""
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(itemised(paragraph) for paragraph in paragraphs).splitlines()


def itemised(paragraph: str) -> str:
    """The paragraph, or a list of what it explains."""
    if paragraph.startswith(" "):
        return paragraph
    first, *items = ITEM.split(" ".join(paragraph.split("\n")))
    if not items:
        return paragraph
    return "\n".join([first, *([""] if first else []), *(f"* {item}" for item in items)])


def setup(app: Any) -> None:
    """Load every public name, so that the types in signatures are found under it, and mend the docstrings."""
    for name in racewindow.__all__:
        getattr(racewindow, name)
    app.connect("autodoc-process-docstring", as_list)
