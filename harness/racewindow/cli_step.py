"""`racewindow replay FILE --step`: reads commands from a terminal, a file or a pipe, and prints what is to be seen."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from racewindow.cli_output import emit
from racewindow.stepping import Stepper, Walk, introduction

_PROMPT = "step> "


def step_through(walk: Walk) -> None:
    """Until the person leaves or the input ends. From a file or a pipe, each command is printed before its answer."""
    stepper = Stepper(walk)
    typed = sys.stdin.isatty()
    emphasis = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    emit(introduction(walk))
    if not stepper.done:
        emit(f"h shows what can be typed.\n\n{_shown(stepper.here(), emphasis=emphasis)}")
    while not stepper.done:
        line = _next_line(sys.stdin, typed=typed)
        if line is None:
            break
        answer = stepper.do(line)
        if answer:
            emit(_shown(answer, emphasis=emphasis))


def _next_line(stream: TextIO, *, typed: bool) -> str | None:
    """The next command, None at the end of the input or on Ctrl-C."""
    try:
        if typed:
            return input(f"\n{_PROMPT}")
        line = stream.readline()
    except (EOFError, KeyboardInterrupt):
        emit("")
        return None
    if not line:
        return None
    emit(f"\n{_PROMPT}{line.rstrip()}".rstrip())
    return line


def _shown(text: str, *, emphasis: bool) -> str:
    """With the first line in bold, on a terminal that is not told otherwise."""
    if not emphasis or not text.startswith("Step "):
        return text
    first, newline, rest = text.partition("\n")
    return f"\033[1m{first}\033[0m{newline}{rest}"
