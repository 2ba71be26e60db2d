"""Every command of `racewindow` with its arguments, options and defaults, in Markdown, from the command line itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import typer.main

from racewindow.cli import app

HEAD = """# Every command and option

Made from the program, so it is what `racewindow COMMAND --help` says too. [The command line](cli.md) has what goes for
all of them: targets, exit status, what goes where, the environment, the JSON.
"""
STATED_DEFAULT = re.compile(r"\s*\[default: (.*?)\]$")
"""A default that an option words itself, at the end of its help."""


class Row(NamedTuple):
    """An argument or option: how it is typed, what it is without, and its help."""

    typed: str
    default: str
    help: str


def commands_page() -> str:
    """The page."""
    parts = [HEAD, section("racewindow", root())]
    parts += [section(name, command) for name, command in commands(root(), "racewindow")]
    return "\n".join(parts)


def root() -> Any:
    """The command of which all others are part."""
    return typer.main.get_command(app)


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group with its full name, in the order of the help."""
    for own, command in group.commands.items():
        full = f"{name} {own}"
        yield full, command
        if hasattr(command, "commands"):
            yield from commands(command, full)


def rows(command: Any) -> list[Row]:
    """The arguments of a command, and then its options."""
    return [row(each) for each in sorted(command.params, key=lambda each: each.param_type_name)]


def row(param: Any) -> Row:
    """One of them."""
    text = param.help or ""
    stated = STATED_DEFAULT.search(text)
    text = STATED_DEFAULT.sub("", text)
    shown = param.show_default and param.default not in {None, False}
    default = stated[1] if stated else f"`{param.default}`" if shown else ""
    if param.param_type_name == "argument":
        return Row(metavar(param), default, text)
    takes = "" if param.is_flag else f" {metavar(param)}"
    return Row(f"{', '.join([*reversed(param.opts), *param.secondary_opts])}{takes}", default, text)


def metavar(param: Any) -> str:
    """What stands for the value, with brackets around what may be left out."""
    name: str = param.metavar or param.name.upper()
    if param.param_type_name == "option" or param.required or name.startswith("["):
        return name
    return f"[{name}...]" if param.nargs == -1 else f"[{name}]"


def section(name: str, command: Any) -> str:
    """A command: its help, and a list of what it takes."""
    found = rows(command)
    typed = " ".join([name, *(each.typed for each in found if not each.typed.startswith("-"))])
    options = " [OPTIONS]" if any(each.typed.startswith("-") for each in found) else ""
    parts = [f"## {name}\n", f"```\n{typed}{options}\n```\n", f"{command.help or ''}\n"]
    return "\n".join([*parts, *(item(each) for each in found), ""])


def item(found: Row) -> str:
    """An argument or option as an item of a list."""
    default = f" Default: {found.default}." if found.default else ""
    return f"- `{found.typed}`: {found.help}{default}"
