"""HTML and SVG by construction: whatever is not made by `tag` is text, and text is escaped.

So no page can forget it. What is shown comes from explored programs and from files of others.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

_EMPTY = frozenset(("meta", "br", "input", "line", "circle", "polygon", "polyline"))
"""Elements without content; the slash closes those of SVG, and means nothing in HTML."""
_UNSEEN = {each: f"\\u{each:04x}" for each in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
_UNSEEN |= {each: f"\\x{each:02x}" for each in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))}
"""Characters that a page must not hold, or that turn the direction of writing: shown as what they are."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Part = str | None | Iterable["Part"]


def text(value: str) -> Html:
    """A text as markup."""
    plain = value.encode("utf-8", "backslashreplace").decode("utf-8").translate(_UNSEEN)
    return Html(html.escape(plain, quote=True))


def join(*parts: Part) -> Html:
    """Several parts after each other; None is nothing."""
    found: list[str] = []
    for part in parts:
        if part is None:
            continue
        if isinstance(part, Html):
            found.append(part)
        elif isinstance(part, str):
            found.append(text(part))
        else:
            found.append(join(*part))
    return Html("".join(found))


def tag(name: str, /, *parts: Part, **attributes: str | float | bool | None) -> Html:
    """An element. `class_` and `for_` stand for the words of Python, `_` for `-`; None and False leave one out."""
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        written.append(f" {word}" if value is True else f' {word}="{text(str(value))}"')
    opened = f"<{name}{''.join(written)}>"
    return Html(f"{opened[:-1]}/>" if name in _EMPTY and not parts else f"{opened}{join(*parts)}</{name}>")
