"""The documentation site has every page, every public name and every option; `make docs` follows the links."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tools import cli_reference, docs_pages

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = ("racewindow", "racewindow.hypothesis", "racewindow_faults")
NAMES = [f"{module}.{name}" for module in PUBLIC for name in import_module(module).__all__]
PAGES = docs_pages.site()


def methods(value: object) -> Iterator[tuple[str, object]]:
    """The public methods and properties that a class of ours defines itself."""
    if inspect.isclass(value):
        for name, member in vars(value).items():
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if not name.startswith("_") and inspect.isfunction(function):
                yield name, function


def test_every_public_name_is_in_the_reference_once() -> None:
    listed = list(docs_pages.api_names((ROOT / "docs" / "api.md").read_text(encoding="utf-8")))

    assert sorted(listed) == sorted(NAMES), "docs/api.md lists them by subject"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_says_what_it_is(name: str) -> None:
    """It, and each of its methods, has a docstring of its own."""
    module, _, own = name.rpartition(".")
    value = getattr(import_module(module), own)
    silent = [method for method, function in methods(value) if not (function.__doc__ or "").strip()]

    assert (value.__doc__ or "").strip()
    assert silent == []


def test_every_page_is_in_the_navigation() -> None:
    """In exactly one of its lists; files of the repository are shown to those who come by a link."""
    start = PAGES["index.md"]
    listed = re.findall(r" <([\w-]+)>$", start, flags=re.MULTILINE)
    shown = {name for name, text in PAGES.items() if text.startswith("---\norphan: true\n")}

    assert sorted(f"{name}.md" for name in listed) == sorted(PAGES.keys() - shown - {"index.md"})


def test_links_to_files_of_the_repository_lead_to_pages_that_show_them() -> None:
    assert "](file-examples-ci-github-yml.md)" in PAGES["ci.md"]
    assert (ROOT / "examples" / "ci" / "github.yml").read_text(encoding="utf-8") in PAGES[
        "file-examples-ci-github-yml.md"
    ]
    assert "](overview.md#two-commands)" in PAGES["limits.md"]


def test_a_link_that_is_called_as_a_file_is_called_by_the_title_of_the_page() -> None:
    text = "see [x.md](x.md) and [the file](x.md), [x.md](x.md#y)"

    assert docs_pages.linked(text, source="docs/a.md", pages={}, shown=set()) == (
        "see [](x.md) and [the file](x.md), [x.md](x.md#y)"
    )


def test_a_link_that_leads_nowhere_is_left_for_the_generator_to_report() -> None:
    text = "[a](missing.md) and [b](../README.md)\n```\n[c](../README.md)\n```\n"

    assert docs_pages.linked(text, source="docs/x.md", pages={}, shown=set()).startswith(
        "[a](missing.md) and [b](file-"
    )


def test_every_command_and_option_is_there() -> None:
    """Each with what it does; with its default, where it has one."""
    page = PAGES[docs_pages.COMMANDS]

    for words in ("racewindow explore", "racewindow plan check", "racewindow ci"):
        assert f"\n## {words}\n" in page
    assert "\n- `--out DIR`: Folder for the files of failures. Default: `.racewindow/failures`.\n" in page
    assert "\n- `--tries N`: Executions to try at most. Default: 5000.\n" in page
    assert "\n```\nracewindow replay FILE|TARGET [OPTIONS]\n```\n" in page
    assert "\n```\nracewindow plan new [FILE]" in page
    assert "False" not in page


def test_no_option_is_without_help() -> None:
    root = cli_reference.root()
    found = [root, *(command for _, command in cli_reference.commands(root, "racewindow"))]

    assert [row.typed for command in found for row in cli_reference.rows(command) if not row.help] == []


def test_every_variable_of_the_environment_that_is_read_is_on_the_page() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "harness").rglob("*.py"))
    read = set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', sources))
    read |= set(re.findall(r'^\w+_VARIABLE = "(\w+)"', sources, flags=re.MULTILINE))
    table = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").partition("## Environment")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` ", table, flags=re.MULTILINE)) == read
