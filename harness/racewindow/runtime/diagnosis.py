"""Endings in words: who waits for what and where, what keeps repeating, what did not come back.

Everything here is free of addresses and of wall-clock time, so that the same schedule gives the same text. The same
Python text, that is: the wording of exceptions is Python's own and moves between its versions.
"""

from __future__ import annotations

import linecache
import os
import re
import traceback
from collections import Counter
from collections.abc import Iterable
from types import CodeType
from typing import Any

import trio

from racewindow.runtime.execution import Stack
from racewindow.runtime.gates import held_by
from racewindow.runtime.location import Locator
from racewindow.runtime.recorder import display_names
from racewindow.runtime.task import SimTask
from racewindow.trace import READ, Access, Trace

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")
_LAST_STEPS = 1000
_KEYS_SHOWN = 3


def scrub(text: str) -> str:
    """`text` without memory addresses."""
    return _ADDRESS.sub("0x…", text)


def flatten(error: BaseException) -> list[BaseException]:
    """The exceptions inside nested exception groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in flatten(each)]
    return [error]


def error_text(error: BaseException, locator: Locator) -> str:
    """One exception: its type, its message, and the user's line that raised it."""
    head = scrub("".join(traceback.format_exception_only(error)).strip())
    where, line = raised_at(error, locator)
    if isinstance(error, AssertionError) and line:
        head = f"assertion failed: {line}" + (f"\n  {scrub(str(error))}" if str(error) else "")
    return f"{head}\n  at {where}" if where else head


def raised_at(error: BaseException, locator: Locator) -> tuple[str, str]:
    """(location, source text) of the innermost frame of the user's code in the traceback; empty if there is none."""
    found = ("", "")
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        text = locator.text(code, step.tb_lineno)
        if text is not None:
            found = (text, source_line(code.co_filename, text))
        step = step.tb_next
    return found


def source_line(filename: str, location: str) -> str:
    """The source text of a location in the words of the program, "" if it cannot be read."""
    number = location.partition(" ")[0].rpartition(":")[2]
    return linecache.getline(filename, int(number)).strip() if number.isdecimal() else ""


def deadlock_text(left: tuple[SimTask, ...], stacks: tuple[Stack, ...], locator: Locator) -> str:
    """Every task that is left, with what it waits for and where."""
    names = display_names(list(left))
    lines = ["deadlock: no task can run, and no deadline is pending."]
    for task, stack in sorted(zip(left, stacks, strict=True), key=lambda pair: pair[0].order):
        what, where, line = waits(stack, locator)
        held = held_by(task)
        what = "is held back" if held else f"waits in {what}"
        lines.append(f"  {names[task.path]} {what}" + (f" at {where}" if where else ""))
        if line:
            lines.append(f"      {line}")
        lines += [f"      by the constraint: {each}" for each in held]
    return "\n".join(lines)


def waits(stack: Stack, locator: Locator) -> tuple[str, str, str]:
    """(operation, location, source text) of what a suspended task waits for."""
    what, where, line = "", "", ""
    for code, number in stack:
        text = locator.text(code, number)
        if text is not None:
            where, line, what = text, source_line(code.co_filename, text), ""
        else:
            what = what or _operation(code)
    return what or "an await", where, line


_TRIO = os.path.dirname(trio.__file__)  # noqa: PTH120
_PLAIN_NAMES = {
    "hooked": "",  # a footprint hook in front of the real method
    "lean_acquire": "trio.Lock.acquire",
    "main": "the end of the services that it started",
    "NurseryManager.__aexit__": "the end of a nursery, for its children",
    "pause_until": "racewindow.until",
    "until": "racewindow.until",
    "lean_checkpoint": "trio.lowlevel.checkpoint",
    "lean_sleep": "trio.sleep",
    "lean_sleep_until": "trio.sleep_until",
}


def _operation(code: CodeType) -> str:
    """The library call that the user's code awaits, by its name; "" for a frame that is not worth a name."""
    short = code.co_qualname.rpartition("<locals>.")[2]
    return _PLAIN_NAMES.get(short, f"trio.{short}" if code.co_filename.startswith(_TRIO) else short)


def livelock_text(
    trace: Trace, limit: int, left: tuple[SimTask, ...], stacks: tuple[Stack, ...], locator: Locator
) -> str:
    """What repeats: the steps of the last stretch before the limit, the most frequent first; and who gets no turn."""
    steps = trace.steps[-_LAST_STEPS:]
    recent = Counter((step.name, step.location) for step in steps)
    lines = [f"livelock: the limit of {limit:,} steps was reached, and tasks can still run."]
    lines.append(f"  Of the last {len(steps):,} steps:")
    for (name, location), count in sorted(recent.items(), key=lambda item: (-item[1], item[0]))[:5]:
        touched = {access: None for s in steps if (s.name, s.location) == (name, location) for access in s.accesses}
        lines.append(f"  {count:6,} × {name} at {location}{_only_looks_at(touched)}")
    names, stepped = display_names(list(left)), {step.task for step in steps}
    for task, stack in sorted(zip(left, stacks, strict=True), key=lambda pair: pair[0].order):
        if task.path not in stepped:
            what, where, _ = waits(stack, locator)
            lines.append(f"  Meanwhile {names[task.path]} is in {what}" + (f" at {where}" if where else ""))
    lines.append("  A task that polls without sleeping does this; wait with racewindow.until or an event instead,")
    lines.append("  or raise the limit (--step-limit) if the scenario is that long.")
    return "\n".join(lines)


def _only_looks_at(touched: Iterable[Access]) -> str:
    """What steps that change nothing look at, besides the scopes around them."""
    if any(access.mode != READ for access in touched):
        return ""
    keys = [access.key for access in touched if ":CancelScope" not in access.key]
    more = f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""
    return f", looks at {', '.join(keys[:_KEYS_SHOWN])}{more}" if keys else ""


def hang_text(task: SimTask | None, seconds: float, locator: Locator) -> str:
    """The task that did not come back, and the outermost function of the user's that it is in."""
    name = "a task" if task is None else display_names([task])[task.path]
    where = ""
    coro: Any = None if task is None else task.coro
    if coro is not None:
        code = coro.cr_code
        text = locator.text(code, code.co_firstlineno)
        where = f"\n  in {text}" if text else ""
    return (
        f"hang: a step of {name} ran for more than {seconds:g} s without a checkpoint.{where}\n"
        "  While it does, no other task can run. Add a checkpoint to the loop, or raise step_timeout."
    )
