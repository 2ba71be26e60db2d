"""Reads as much of YAML as the files of `examples/ci` use, and refuses the rest, so that they stay plain.

Mappings, lists of scalars or mappings, plain and double-quoted scalars, `|` blocks, comments. All scalars are text.
"""

from __future__ import annotations

import re
from typing import Any

_ENTRY = re.compile(r"(?P<key>[A-Za-z][\w:./-]*?):(?:\s+(?P<value>.*))?")


def read_yaml(text: str) -> dict[str, Any]:
    """The mapping that `text` is; raises ValueError, with the line, for anything that this is too small for."""
    lines = [(n, line.rstrip()) for n, line in enumerate(text.splitlines(), start=1)]
    value, rest = _block([(n, line) for n, line in lines if line.strip() and not line.lstrip().startswith("#")], 0)
    if rest or not isinstance(value, dict):
        raise ValueError(f"line {rest[0][0] if rest else 1}: not one mapping")
    return value


Lines = list[tuple[int, str]]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block(lines: Lines, indent: int) -> tuple[Any, Lines]:
    """What is indented so far, and the lines behind it."""
    if lines and lines[0][1].lstrip().startswith("- "):
        items = []
        while lines and _indent(lines[0][1]) == indent and lines[0][1].lstrip().startswith("- "):
            number, line = lines[0]
            inner = line[indent + 2 :]
            if _ENTRY.fullmatch(_bare(inner)):
                item, lines = _block([(number, " " * (indent + 2) + inner), *lines[1:]], indent + 2)
            else:
                item, lines = _scalar(inner, number), lines[1:]
            items.append(item)
        return items, lines
    found: dict[str, Any] = {}
    while lines and _indent(lines[0][1]) == indent:
        number, line = lines[0]
        entry = _ENTRY.fullmatch(_bare(line.strip()))
        if entry is None or entry["key"] in found:
            raise ValueError(f"line {number}: no key, or one that comes twice: {line.strip()}")
        lines = lines[1:]
        if entry["value"] == "|":
            inside = [each for each in lines if _indent(each[1]) > indent]
            found[entry["key"]] = "\n".join(text.strip() for _, text in inside)
            lines = lines[len(inside) :]
        elif entry["value"]:
            found[entry["key"]] = _scalar(entry["value"], number)
        elif lines and _indent(lines[0][1]) > indent:
            found[entry["key"]], lines = _block(lines, _indent(lines[0][1]))
        else:
            found[entry["key"]] = None
    return found, lines


def _bare(text: str) -> str:
    """Without a comment at the end."""
    return re.sub(r"\s+#.*", "", text)


def _scalar(text: str, number: int) -> str:
    text = _bare(text)
    if re.fullmatch(r'"[^"\\]*"', text):
        return text[1:-1]
    if re.match(r"[\[{&*!|>'\"%@`?]", text) or ": " in text:
        raise ValueError(f"line {number}: more than a plain scalar: {text}")
    return text
