"""One execution, step by step: where one is in it, where one can go, and what is to be seen there.

Pure: a `Walk` is a frozen value that is made once, by running the execution on the record; going back is looking at an
earlier part of it, which is what running it again would give. A `Stepper` takes the words of a person and answers with
text of 80 columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from racewindow.events import Event
from racewindow.failure import Execution, Failure
from racewindow.marks import BROKEN
from racewindow.plain import clock_text, one_line, plain
from racewindow.report_layout import WIDTH, counted, wrap
from racewindow.trace import ADD, READ, WRITE, Step, Trace

_LABEL = 8
_STATE_MAX = 200
_ITEM_LINES_MAX = 3
"""Lines on which one value is told."""
_LINES_MAX = 6
"""Lines of the program that are shown of a step."""


class Other(NamedTuple):
    """A task besides the one that steps: where it stands, and whether it could have gone instead."""

    name: str
    location: str
    ready: bool


class Moment(NamedTuple):
    """One step and what is to be seen of it.

    `start`: location of the statement that it begins with; `source`: its lines with their numbers. `changes`: tracked
    state whose value is another one after it, None for what is gone. `events`: what it emitted.
    """

    step: Step
    start: str = ""
    source: tuple[str, ...] = ()
    others: tuple[Other, ...] = ()
    changes: tuple[tuple[str, str | None], ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """An execution that can be looked at. `failing`: index of the step in which it went wrong, if it did.

    `ending`: what became of it, in a line; `wrong`: what went wrong, in a line, "" if nothing did.
    """

    moments: tuple[Moment, ...]
    ending: str
    wrong: str = ""
    failing: int | None = None

    def state(self, index: int) -> dict[str, str]:
        """The values of tracked state before the step with this index, by name."""
        values: dict[str, str] = {}
        for moment in self.moments[:index]:
            for name, text in moment.changes:
                if text is None:
                    values.pop(name, None)
                else:
                    values[name] = text
        return values


def events_by_step(trace: Trace, events: Sequence[Event]) -> list[tuple[Event, ...]]:
    """The events of each step. They come in the order of the steps, and name task and step."""
    found: list[tuple[Event, ...]] = []
    at = 0
    for step in trace.steps:
        first = at
        while at < len(events) and events[at].task == step.name.partition(" [")[0] and events[at].step == step.number:
            at += 1
        found.append(tuple(events[first:at]))
    return found


def failing_step(execution: Execution, events: Sequence[Sequence[Event]], raised: int | None) -> int | None:
    """Index of the step in which the execution went wrong, as far as it can be told without its checker.

    `raised`: of the step whose exception ended it. A broken property and a violation that names a time are found by
    their events; what only the whole shows, such as a deadlock, is wrong at the end.
    """
    failure = execution.failure
    if failure is None:
        return None
    last = len(execution.trace) - 1
    if failure.kind == "exception" or (failure.kind == "violation" and failure.checker is None):
        return last if raised is None else raised
    if failure.checker is None:
        return last
    return next(_candidates(failure, execution.trace, events), last)


def _candidates(failure: Failure, trace: Trace, events: Sequence[Sequence[Event]]) -> Iterator[int]:
    """Steps at which a checker may have looked, the likeliest first."""
    for index, emitted in enumerate(events):
        if any(each.kind == BROKEN and each.data["name"] == failure.checker for each in emitted):
            yield index
    then = [at for at, emitted in enumerate(events) if any(each.time_ns == failure.time_ns for each in emitted)]
    yield from (at for at in reversed(then) if any(_mentions(each, failure.subject) for each in events[at]))
    yield from reversed(then)
    for index in range(len(trace) - 1, -1, -1):
        if trace.steps[index].time_ns <= failure.time_ns:
            yield index


def _mentions(event: Event, subject: str | None) -> bool:
    """Whether an event is about what a violation happened to: by its task, or anywhere in its data."""
    return subject is not None and (subject == event.task or subject in one_line(plain(dict(event.data))))


# --- moving ----------------------------------------------------------------------------------------------------------

HELP = """\
n, Enter     the next step              b            the step before
e            the next step that emits   t NAME       the next step of a task
v            the step that goes wrong   g N          step number N
s            tracked state              l            the steps around here
h            this help                  q            leave"""
_ALIASES = {"": "n", "next": "n", "back": "b", "event": "e", "task": "t", "violation": "v", "go": "g", "state": "s",
            "list": "l", "help": "h", "?": "h", "quit": "q", "exit": "q"}  # fmt: skip


class Stepper:
    """Where a person is in a walk. `do` takes a line and answers; `done`: the person wants to leave."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.index = 0
        self.done = not walk.moments

    def do(self, line: str) -> str:
        """Do what a line says and tell what is to be seen."""
        word, _, rest = line.strip().partition(" ")
        word, rest = _ALIASES.get(word, word), rest.strip()
        commands: Mapping[str, Callable[[], str]] = {
            "n": lambda: self._go(self.index + 1, "that was the last step"),
            "b": lambda: self._go(self.index - 1, "this is the first step"),
            "e": lambda: self._find(lambda moment: bool(moment.events), "no later step emits an event"),
            "t": lambda: self._task(rest),
            "v": self._violation,
            "g": lambda: self._number(rest),
            "s": self._state,
            "l": self._list,
            "h": lambda: HELP,
            "q": self._leave,
        }
        command = commands.get(word)
        return _cut(f"there is no command {word!r}; h shows those that there are") if command is None else command()

    def here(self) -> str:
        """The step that one is at."""
        return moment_text(self.walk, self.index)

    def _go(self, index: int, otherwise: str) -> str:
        if not 0 <= index < len(self.walk.moments):
            return _cut(otherwise + (f"; {self.walk.ending}" if index > 0 else ""))
        self.index = index
        return self.here()

    def _find(self, wanted: Callable[[Moment], bool], otherwise: str) -> str:
        later = range(self.index + 1, len(self.walk.moments))
        found = next((index for index in later if wanted(self.walk.moments[index])), None)
        return otherwise if found is None else self._go(found, otherwise)

    def _task(self, name: str) -> str:
        names = list(dict.fromkeys(moment.step.name for moment in self.walk.moments))
        if name not in names:
            return "\n".join(wrap(f"t takes the name of a task: {', '.join(names)}", hang=2))
        return self._find(lambda moment: moment.step.name == name, f"{name} takes no later step")

    def _violation(self) -> str:
        if self.walk.failing is None:
            return "nothing goes wrong in this execution"
        return self._go(self.walk.failing, "")

    def _number(self, text: str) -> str:
        count = len(self.walk.moments)
        if not text.isdecimal() or not 1 <= int(text) <= count:
            return f"g takes the number of a step, from 1 to {count}"
        return self._go(int(text) - 1, "")

    def _state(self) -> str:
        values, changes = self.walk.state(self.index), dict(self.walk.moments[self.index].changes)
        lines = [
            f"{name} = {values[name]}" + (f"  (then {_text(changes[name])})" if name in changes else "")
            for name in values
        ]
        lines += [f"{name} is made: {text}" for name, text in changes.items() if name not in values]
        more = [f"… {len(lines) - _STATE_MAX} more"] if len(lines) > _STATE_MAX else []
        return "\n".join(_cut(line) for line in [*lines[:_STATE_MAX], *more]) or "no tracked state"

    def _list(self) -> str:
        around = range(max(0, self.index - 4), min(len(self.walk.moments), self.index + 5))
        return "\n".join(_line(self.walk, index, here=index == self.index) for index in around)

    def _leave(self) -> str:
        self.done = True
        return ""


# --- telling ---------------------------------------------------------------------------------------------------------


def moment_text(walk: Walk, index: int) -> str:
    """All that is to be seen of one step, headline first."""
    moment, before = walk.moments[index], walk.state(index)
    step, changes = moment.step, dict(moment.changes)
    lines = [
        f"Step {index + 1} of {len(walk.moments)}, {clock_text(step.time_ns)}: {step.name}, its step {step.number}",
        f"  from {moment.start or ('code that is not yours' if step.number else 'its start')}",
        *(f"  {line}" for line in _few(moment.source)),
        *_labelled("STRUCK", step.faults),
        *_labelled("reads", (_read(a.key, before) for a in step.accesses if a.mode == READ and a.key in before)),
        *_labelled("writes", _written(step, before, changes)),
        *_labelled("touches", _touched(step, before, changes)),
        *_labelled("emits", (_event_text(event) for event in moment.events)),
        *_labelled("chooses", [", ".join(map(str, step.choices))] if step.choices else []),
        *_labelled(
            "then",
            [
                "it has ended"
                if step.location == "end"
                else f"waits at {step.location}"
                if step.location
                else "waits in code that is not yours"
            ],
        ),
        *_labelled("others", (_other_text(other) for other in moment.others)),
        *_labelled("WRONG", [walk.wrong] if index == walk.failing else []),
    ]
    return "\n".join(_cut(line) for line in lines)


def _read(key: str, before: Mapping[str, str]) -> str:
    return f"{key} = {before[key]}"


def _written(step: Step, before: Mapping[str, str], changes: Mapping[str, str | None]) -> list[str]:
    """What has another value now, and what was written and has not: in a lost update, that is the loss."""
    lines = [f"{name}: {_difference(before.get(name), text)}" for name, text in changes.items()]
    same = [a.key for a in step.accesses if a.mode == WRITE and a.key not in changes and a.key in before]
    return [*lines, *(f"{name}: {before[name]}, which it was before" for name in same)]


def _difference(before: str | None, after: str | None) -> str:
    """From what to what; of records only the fields that differ, because the rest would hide them."""
    if before is not None and after is not None and before.startswith("{") and after.startswith("{"):
        old, new = json.loads(before), json.loads(after)
        fields = [name for name in {**old, **new} if old.get(name, _MISSING) != new.get(name, _MISSING)]
        return ", ".join(f"{name} {_field(old, name)} -> {_field(new, name)}" for name in fields)
    return f"{_text(before)} -> {_text(after)}"


_MISSING = object()


def _field(record: Mapping[str, object], name: str) -> str:
    return one_line(record[name]) if name in record else "nothing"


def _touched(step: Step, before: Mapping[str, str], changes: Mapping[str, str | None]) -> list[str]:
    """What has no value to show: trio's objects but for cancel scopes, which every step reads; the clock; shapes."""
    valued = {*before, *changes}
    words = [
        f"{_MODES[access.mode]} {access.key}"
        for access in step.accesses
        if access.key not in valued and "CancelScope" not in access.key
    ]
    return [", ".join(words)] if words else []


_MODES = {READ: "reads", ADD: "adds to", WRITE: "writes"}


def _event_text(event: Event) -> str:
    data = "".join(f" {name}={one_line(plain(value))}" for name, value in event.data.items())
    return f"{event.kind}{data}"


def _other_text(other: Other) -> str:
    return f"{other.name} {'could run' if other.ready else 'waits'}{f', at {other.location}' if other.location else ''}"


def _line(walk: Walk, index: int, *, here: bool) -> str:
    moment = walk.moments[index]
    wrong = "  wrong here" if index == walk.failing else ""
    mark = ">" if here else " "
    source = moment.source[-1][4:].strip() if moment.source else moment.start or "-"
    return _cut(f"{mark} {index + 1:>4}  {moment.step.name}: {source}{wrong}")


def _labelled(label: str, items: Iterable[str]) -> list[str]:
    """Each item on at most a few lines, the first of all behind the label."""
    lines: list[str] = []
    for item in items:
        told = wrap(item, 2 + _LABEL, 2) or [""]
        lines += (
            told if len(told) <= _ITEM_LINES_MAX else [*told[: _ITEM_LINES_MAX - 1], f"{told[_ITEM_LINES_MAX - 1]} …"]
        )
    return [f"  {label:<{_LABEL}}{lines[0][2 + _LABEL :]}", *lines[1:]] if lines else []


def _few(lines: Sequence[str]) -> list[str]:
    """The first and the last lines, where there are many."""
    if len(lines) <= _LINES_MAX:
        return list(lines)
    return [*lines[: _LINES_MAX - 3], "      …", *lines[-2:]]


def _text(value: str | None) -> str:
    return "nothing" if value is None else value


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def introduction(walk: Walk) -> str:
    """What the person is about to walk through."""
    ending = f"{walk.ending}, in {counted(len(walk.moments), 'step')}"
    return "\n".join([*wrap(ending, hang=2), *wrap(walk.wrong, 2, 2)])
