"""How reports are laid out: 80 columns, plain text, sections under a line that ends in a colon.

The width is fixed and not the terminal's, so that the same failure gives the same text everywhere.
"""

from __future__ import annotations

import math
import shlex
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 80


def wrap(text: str, indent: int = 0, hang: int = 0) -> list[str]:
    """`text` in lines of at most 80 columns, but for words that are longer.

    Each line of `text` keeps its own indentation, on top of `indent`; what does not fit goes on `hang` columns deeper.
    """
    lines: list[str] = []
    for line in text.splitlines():
        lead = " " * (indent + len(line) - len(line.lstrip()))
        lines += textwrap.wrap(
            line.strip(),
            WIDTH,
            initial_indent=lead,
            subsequent_indent=lead + " " * hang,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return lines


def message(text: str) -> str:
    """The text of an error: what happened, `Why:`, `Do:`; a command in it stays on one line, to be pasted."""
    lines: list[str] = []
    for line in text.splitlines():
        is_command = line.startswith(("Do:  racewindow ", "Do:  pip ")) and "," not in line
        lines += [line] if is_command else wrap(line, hang=5 if line.startswith(("Why: ", "Do:  ", "Note:")) else 2)
    return "\n".join(lines)


def section(title: str, lines: Iterable[str]) -> list[str]:
    """A blank line, the title, and the lines, two columns deeper; nothing at all if there are none."""
    body = [f"  {line}".rstrip() for line in lines]
    return ["", f"{title}:", *body] if body else []


def numbered(items: Sequence[str], most: int, rest: str) -> list[str]:
    """The items with their numbers, at most `most` of them; `rest` says where the others are."""
    digits = len(str(min(len(items), most)))
    lines = []
    for number, item in enumerate(items[:most], start=1):
        mark = f"{number:>{digits}}. "
        first, *more = wrap(item, 2 + len(mark), 2) or [""]
        lines += [mark + first.strip(), *(line[2:] for line in more)]
    if len(items) > most:
        lines.append(f"… {len(items) - most} more{rest}")
    return lines


def bulleted(items: Sequence[str], most: int) -> list[str]:
    """The items with a dash each, at most `most` of them."""
    lines = []
    for item in items[:most]:
        first, *more = wrap(item, 4) or [""]
        lines += ["- " + first.strip(), *(line[2:] for line in more)]
    if len(items) > most:
        lines.append(f"… {len(items) - most} more")
    return lines


def command(words: Sequence[str], more: Sequence[str] = ()) -> list[str]:
    """A command that can be pasted, to stand two columns in; too wide for 80 columns, it goes on with `more` below."""
    whole = shlex.join([*words, *more])
    if len(whole) + 2 <= WIDTH or not more:
        return [whole]
    return [f"{shlex.join(words)} \\", f"  {shlex.join(more)}"]


def counted(number: int, noun: str, many: str = "") -> str:
    """`1 execution`, `2,000 executions`; `many`: the plural, where it does not just end in an s."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def two_digits(log10: float) -> tuple[float, int]:
    """A number rounded to two digits, from its logarithm, as a number from 1.0 to 9.9 and a power of ten."""
    power = math.floor(log10)
    digits = round(10 ** (log10 - power), 1)
    return (digits, power) if digits < 10 else (1.0, power + 1)


def about_as_many(log10: float) -> str:
    """The same in writing: from a million on as a power of ten."""
    digits, power = two_digits(log10)
    return f"{digits * 10**power:,.0f}" if power < 6 else f"{digits} × 10^{power}"
