"""Make the pages of the documentation site out of the repository, for `make docs`.

    python -m tools.docs_pages FOLDER

The pages in docs/ are read on a code host as they are. The site needs more: a navigation, which is made of the lists in
docs/README.md; a page for whatever else they link to (the README, an example, a file of the source); every command with
its options, from the command line itself; and the docstring of every name in docs/api.md.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import posixpath
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tools.cli_reference import commands_page

ROOT = Path(__file__).resolve().parent.parent
START, API, COMMANDS = "docs/README.md", "docs/api.md", "commands.md"
ELSEWHERE = {"README.md": "overview.md", "CONTRIBUTING.md": "contributing.md", "benchmarks/README.md": "benchmarks.md"}
"""Pages of the site that are not in docs/, by their path in the repository."""

LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
NAMED_AS_FILE = re.compile(r"\[[\w./-]+\.md\](?=\([\w./-]+\.md\))")
"""The text of a link to a page that is called as its file is: the site calls it by its title."""
FENCE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
LANGUAGES = {"csv": "text"}
"""What the site has no colours for."""


class Listed(NamedTuple):
    """A page in the lists of docs/README.md: the link as it stands there."""

    title: str
    link: str


# --- the pages -------------------------------------------------------------------------------------------------------


def site() -> dict[str, str]:
    """The text of every page of the site, by its name there."""
    sources = {**{f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}, **ELSEWHERE}
    sources[START] = "index.md"
    pages, shown = {}, set[str]()
    for source, name in sorted(sources.items()):
        text = (ROOT / source).read_text(encoding="utf-8")
        if source == API:
            text = with_docstrings(text)
        pages[name] = outside_fences(functools.partial(linked, source=source, pages=sources, shown=shown), text)
    pages["index.md"] += navigation((ROOT / START).read_text(encoding="utf-8"), sources)
    pages[COMMANDS] = commands_page()
    for path in sorted(shown):
        pages[shown_name(path)] = shown_page(path)
    return pages


def linked(text: str, *, source: str, pages: dict[str, str], shown: set[str]) -> str:
    """The text with its links leading to pages of the site; what is to be shown for them is added to `shown`.

    A link that leads nowhere is left as it is: the generator says so, with its line.
    """

    def leading(found: re.Match[str]) -> str:
        opening, link, rest = found.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if "://" in link or path.startswith("docs/pictures/") or not (ROOT / path).exists():
            return found[0]
        if path not in pages:
            shown.add(path)
        return f"{opening}{pages.get(path) or shown_name(path)}{rest}"

    return LINK.sub(leading, NAMED_AS_FILE.sub("[]", text))


def outside_fences(change: functools.partial[str], text: str) -> str:
    """The text with what stands between its fenced blocks changed."""
    parts, at = [], 0
    for fence in FENCE.finditer(text):
        block = re.sub(r"\A```(\w+)", lambda found: f"```{LANGUAGES.get(found[1], found[1])}", fence[0])
        parts += [change(text[at : fence.start()]), block]
        at = fence.end()
    return "".join([*parts, change(text[at:])])


def shown_name(path: str) -> str:
    """What the page that shows a file or folder of the repository is called."""
    return f"file-{re.sub(r'[^a-z0-9]+', '-', path.lower()).strip('-')}.md"


def shown_page(path: str) -> str:
    """A page that shows a file, or every file of a folder."""
    folder = ROOT / path
    files = sorted(each for each in folder.rglob("*") if each.is_file()) if folder.is_dir() else [folder]
    parts = [f"---\norphan: true\n---\n\n# {path}\n"]
    for file in files:
        if any("cache" in part or part.endswith((".egg-info", ".racewindow")) for part in file.parts):
            continue
        name = file.relative_to(ROOT).as_posix()
        heading = f"\n## {name}\n" if folder.is_dir() else ""
        language = {".py": "python", ".toml": "toml", ".yml": "yaml", ".md": "markdown"}.get(file.suffix, "text")
        parts.append(f"{heading}\n````{language}\n{file.read_text(encoding='utf-8')}````\n")
    return "".join(parts)


# --- the navigation --------------------------------------------------------------------------------------------------


def lists(text: str) -> dict[str, list[Listed]]:
    """The pages that docs/README.md lists, by the heading above them."""
    found: dict[str, list[Listed]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, rest = section.partition("\n")
        pages = [Listed(*each) for each in re.findall(r"^- \[([^\]]+)\]\(([^)#]+)\)", rest, flags=re.MULTILINE)]
        if pages:
            found[heading] = pages
    return found


def navigation(text: str, pages: dict[str, str]) -> str:
    """The lists once more, for the side of every page; all commands come where the page about them is listed."""
    trees = []
    for heading, listed in lists(text).items():
        lines = []
        for each in listed:
            path = posixpath.normpath(posixpath.join("docs", each.link))
            lines.append(f"{each.title} <{pages.get(path, each.link).removesuffix('.md')}>")
            if each.link == "cli.md":
                lines.append(f"Every command and option <{COMMANDS.removesuffix('.md')}>")
        entries = "\n".join(lines)
        trees.append(f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{entries}\n```\n")
    return "".join(trees)


# --- the docstrings --------------------------------------------------------------------------------------------------


def api_names(text: str) -> Iterator[str]:
    """The names that docs/api.md lists, in full: `racewindow.hypothesis.explored`."""
    return (found[1] for found in re.finditer(r"^- `([\w.]+)`", text, flags=re.MULTILINE))


def with_docstrings(text: str) -> str:
    """docs/api.md with the docstring of each name in place of its line in a list."""
    return re.sub(r"^- `([\w.]+)`\n", lambda found: documented(found[1]), text, flags=re.MULTILINE)


def documented(name: str) -> str:
    """The directive that takes a name's docstring, and those of its public methods."""
    module, _, own = name.rpartition(".")
    value = getattr(importlib.import_module(module), own)
    kind, options = "autofunction", ""
    if inspect.isclass(value):
        kind, options = ("autoexception" if issubclass(value, BaseException) else "autoclass"), "   :members:\n"
    return f"```{{eval-rst}}\n.. {kind}:: {name}\n{options}```\n\n"


# --- the folder ------------------------------------------------------------------------------------------------------


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write the pages and the pictures; what has not changed keeps its time, so that it is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
    pictures = ROOT / "docs" / "pictures"
    if pictures.exists():
        shutil.copytree(pictures, folder / "pictures", dirs_exist_ok=True)


def main(arguments: Iterable[str]) -> int:
    """Write the pages to the folder that is named."""
    (folder,) = arguments
    write(Path(folder), site())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
