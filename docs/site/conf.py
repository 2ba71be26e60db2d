"""How Sphinx makes the documentation site; `make docs` gives it the pages that tools/docs_pages.py writes."""

from __future__ import annotations

import re
from typing import Any

import racewindow

project = "racewindow"
html_title = project
author = "the racewindow authors"
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
pygments_dark_style = "a11y-high-contrast-dark"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5f8b", "color-brand-content": "#1f5f8b"},
    "dark_css_variables": {"color-brand-primary": "#8cc4f0", "color-brand-content": "#8cc4f0"},
}

ITEM = re.compile(r"(?:^|(?<=[.):;] ))(?=`\w+`(?:(?:,| and|, and) `\w+`)*: )")
"""Where a paragraph of a docstring comes to speak of the next parameter or field."""
RAISES = re.compile(r"(?<=\.) (?=Raises )")


def as_list(_app: Any, _what: str, _name: str, _value: object, _options: Any, lines: list[str]) -> None:
    """Put each parameter and field that a docstring explains into an item of a list."""
    lines[:] = "\n\n".join(itemised(paragraph) for paragraph in "\n".join(lines).split("\n\n")).splitlines()


def itemised(paragraph: str) -> str:
    """The paragraph, or a list of what it explains, with what is raised behind it."""
    flowing = " ".join(paragraph.split("\n"))
    if paragraph.startswith(" ") or not ITEM.search(flowing):
        return paragraph
    explained, *raised = RAISES.split(flowing, maxsplit=1)
    first, *items = ITEM.split(explained)
    return "\n\n".join([first, "\n".join(f"* {item}" for item in items), *raised])


def parsable(_app: Any, _what: str, _name: str, _value: object, _options: Any, *signature: Any) -> tuple[Any, Any]:
    """The signature without what is no Python: a default that a function makes, or that is one."""
    arguments, returned = signature
    return arguments and re.sub(r"<built-in function (\w+)>", r"\1", arguments.replace("<factory>", "...")), returned


def setup(app: Any) -> None:
    """Load every public name, so that the types in signatures are found under it, and mend the docstrings."""
    for name in racewindow.__all__:
        getattr(racewindow, name)
    app.connect("autodoc-process-docstring", as_list)
    app.connect("autodoc-process-signature", parsable)
