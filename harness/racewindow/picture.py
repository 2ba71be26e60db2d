"""A failure as it is drawn: its execution and one that passes, step by step, with who touched what and who saw whose.

Frozen values, made once by `picturing` and laid out by each format in its own way (`page_failure`, `picture_text`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from racewindow.display import NOTHING_SHOWN, Shown
from racewindow.events import Event
from racewindow.explanation import Explanation, RacingPair
from racewindow.failing_run import OF_TRIO_ALONE, rank_of
from racewindow.failure_file import StoredFailure
from racewindow.plain import clock_text, one_line, plain
from racewindow.stepping import Moment, Walk
from racewindow.story import sentence
from racewindow.trace import ADD, READ, WRITE, Step

FIRST, SECOND = "first", "second"
"""Roles: the two steps of the racing pair, in the order in which the failing execution has them."""
_VALUE_MAX, _BRIEF_MAX = 400, 44
_DOES = {READ: "reads", WRITE: "writes", ADD: "adds to"}


class Touch(NamedTuple):
    """What a step does to one object. `value`: what it sees, or leaves; "" if none is known. `tracked`: has values."""

    mode: str
    key: str
    value: str
    tracked: bool

    @property
    def text(self) -> str:
        """In words."""
        return f"{_DOES[self.mode]} {self.key}{f': {self.value}' if self.value else ''}"

    @property
    def brief(self) -> str:
        """The same with no more than the beginning of a long value."""
        value = self.value if len(self.value) <= _BRIEF_MAX else f"{self.value[: _BRIEF_MAX - 1]}…"
        return self._replace(value=value).text


class Arrow(NamedTuple):
    """What a step has from another task: `source`, the index of that one's step; `what`: an object, or a start."""

    source: int
    what: str


class Act(NamedTuple):
    """One step. `at`: its index in the execution; `lane`: name of its task; `rank`: 0 for what matters most.

    `role`: in the racing pair, or ""; `wrong`: it is here that the execution goes wrong. `story`: its events in words.
    `place`: the line that it begins at; `source`: the lines from there; `then`: where it ends. `landmarks`: words for
    what readers find their way by, such as a block.
    """

    at: int
    lane: str
    number: int
    time_ns: int
    rank: int
    role: str
    wrong: bool
    story: tuple[str, ...]
    touches: tuple[Touch, ...]
    arrows: tuple[Arrow, ...]
    faults: tuple[str, ...]
    place: str
    source: tuple[str, ...]
    then: str
    landmarks: tuple[str, ...] = ()

    @property
    def time(self) -> str:
        """Virtual time, as a story has it."""
        return clock_text(self.time_ns)

    def headline(self, key: str = "") -> str:
        """What it does, in a line; what it does to the object `key` if it is one of the racing pair."""
        if self.role:
            about = [touch for touch in self.touches if touch.key == key]
            if about:
                return _strongest(about).brief
        if self.faults:
            return f"struck by {', '.join(self.faults)}"
        if self.story:
            return self.story[0]
        valued = [touch for touch in self.touches if touch.tracked]
        if valued:
            return _strongest(valued).brief
        return "starts" if self.number == 0 else self.then


@dataclass(frozen=True, slots=True)
class Line:
    """One execution as it is drawn. `ending`: what became of it, in a line; `command`: what runs it again.

    `failing`: it is the one that the picture is about; `passes`: nothing fails in it. `wait`: the ordering constraint
    without which this order cannot be had, "" if there is none.
    """

    acts: tuple[Act, ...]
    failing: bool
    passes: bool
    ending: str
    command: str
    wait: str = ""

    @property
    def name(self) -> str:
        """Which of the two orders it is."""
        return "the failing order" if self.failing else "the order reversed"

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of the tasks, in the order of their first steps."""
        return tuple(dict.fromkeys(act.lane for act in self.acts))


@dataclass(frozen=True, slots=True)
class Picture:
    """A failure with all that is known of it.

    `reversed_`: an execution with the first pair in the other order that does not fail in this way, if one was found.
    `unexplained`: why there is no explanation, "" if there is one. `facts`: under which conditions, by name.
    `shown`: values and consequences that the scenario declares.
    """

    stored: StoredFailure
    failing: Line
    reversed_: Line | None
    explanation: Explanation | None
    unexplained: str
    facts: Mapping[str, str]
    shown: Shown = NOTHING_SHOWN

    @property
    def pair(self) -> RacingPair | None:
        """The racing pair that is shown."""
        return self.explanation.pairs[0] if self.explanation is not None and self.explanation.pairs else None


Narrator = Callable[[Event], str | None]


def line_of(
    walk: Walk,
    pair: RacingPair | None,
    narrate: Narrator | None,
    *,
    failing: bool,
    wrong: int | None,
    passes: bool,
    command: str,
    held: Collection[int] = (),
    wait: str = "",
    landmarks: Mapping[str, str] | None = None,
) -> Line:
    """A walk as it is drawn. `wrong`: index of the step in which it goes wrong, None if it does not.

    `held`: indices of steps that are none of the program, and left out; `landmarks`: kinds of event, each with a word;
    the others as in `Line`.
    """
    sides = (
        {} if pair is None else {(s.path, s.number): (r, s) for r, s in ((FIRST, pair.first), (SECOND, pair.second))}
    )
    key = "" if pair is None else pair.key
    state: dict[str, str] = {}
    sources = _Sources()
    acts: list[Act] = []
    places = places_without([moment.step for moment in walk.moments], held)
    for index, (moment, place) in enumerate(zip(walk.moments, places, strict=True)):
        if place is None:
            continue
        step, at = moment.step, len(acts)
        role, side = sides.get(place, ("", None))
        touches = _touches(moment, state)
        if side is not None and failing and side.value is not None:
            touches = tuple(
                each._replace(value=_cut(side.value)) if each.key == key and each.mode == side.mode else each
                for each in touches
            )
        story = tuple(text for event in moment.events if (text := sentence(event, narrate)))
        passed = (
            tuple(dict.fromkeys(landmarks[e.kind] for e in moment.events if e.kind in landmarks)) if landmarks else ()
        )
        _apply(state, moment)
        acts.append(
            Act(
                at=at,
                lane=step.name,
                number=place[1],
                time_ns=step.time_ns,
                rank=_rank(step, story, touches, key, marked=bool(role) or index == wrong, passed=bool(passed)),
                role=role,
                wrong=index == wrong,
                story=story,
                touches=touches,
                arrows=tuple(sources.of(at, step)),
                faults=step.faults,
                place=moment.start,
                source=moment.source,
                then="ends" if step.location == "end" else f"waits at {step.location}" if step.location else "waits",
                landmarks=passed,
            )
        )
    return Line(tuple(acts), failing, passes, walk.ending, command, wait)


def places_without(steps: Sequence[Step], held: Collection[int]) -> Iterator[tuple[str, int] | None]:
    """Path and own number of each step as they are without the steps that are held; None for these."""
    waited: Counter[str] = Counter()
    for index, step in enumerate(steps):
        if index in held:
            waited[step.task] += 1
            yield None
        else:
            yield step.task, step.number - waited[step.task]


def _apply(state: dict[str, str], moment: Moment) -> None:
    for name, text in moment.changes:
        if text is None:
            state.pop(name, None)
        else:
            state[name] = text


def _rank(step: Step, story: Collection[str], touches: Sequence[Touch], key: str, *, marked: bool, passed: bool) -> int:
    """How much a step matters to a reader."""
    if marked:
        return 0
    if passed or step.faults or (key and any(touch.key == key for touch in touches)):
        return 1
    if story:
        return 2
    return 3 if any(touch.tracked for touch in touches) else 4


def chosen(line: Line, most: int) -> list[Act]:
    """The steps to draw: those that matter most, and of these the ones nearest to the racing pair or the failure."""
    acts = line.acts
    centres = [act.at for act in acts if act.role or act.wrong] or [len(acts) - 1]
    near = sorted(acts, key=lambda act: (act.rank, min(abs(act.at - centre) for centre in centres), act.at))
    return sorted(near[:most])


def _touches(moment: Moment, before: Mapping[str, str]) -> tuple[Touch, ...]:
    changes = dict(moment.changes)
    found = []
    for access in moment.step.accesses:
        key = access.key
        if rank_of(key) == OF_TRIO_ALONE:
            continue
        after = changes.get(key, before.get(key))
        value = before.get(key) if access.mode == READ else after
        tracked = key in before or key in changes or (access.mode == READ and rank_of(key) == 0)
        text = _cut(value) if value is not None else "nothing" if key in before or key in changes else ""
        found.append(Touch(access.mode, key, text, tracked))
    return tuple(dict.fromkeys(found))


class _Sources:
    """Who wrote last what a step reads, and who started it: what there is an arrow for, once for each value."""

    def __init__(self) -> None:
        self._writer: dict[str, tuple[int, str]] = {}  # key -> step that wrote last, and its task
        self._last: dict[str, int] = {}  # task -> its last step
        self._seen: set[tuple[str, str, int]] = set()

    def of(self, index: int, step: Step) -> list[Arrow]:
        """The arrows that end at this step."""
        found: list[Arrow] = []
        parent = step.task.rpartition("/")[0]
        if step.number == 0 and parent in self._last:
            found.append(Arrow(self._last[parent], "starts it"))
        for access in step.accesses:
            if rank_of(access.key) == OF_TRIO_ALONE or access.mode == ADD:
                continue
            writer, task = self._writer.get(access.key, (-1, step.task))
            new = (step.task, access.key, writer) not in self._seen
            if task != step.task and new and writer > 0:
                self._seen.add((step.task, access.key, writer))
                if access.mode == READ:
                    found.append(Arrow(writer, access.key))
        for access in step.accesses:
            if access.mode != READ:
                self._writer[access.key] = (index, step.task)
        self._last[step.task] = index
        return found


def _strongest(touches: Sequence[Touch]) -> Touch:
    return next((touch for mode in (WRITE, ADD, READ) for touch in touches if touch.mode == mode), touches[0])


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE_MAX else f"{text[: _VALUE_MAX - 1]}…"


def event_text(event: Event) -> str:
    """An event with its data, for machines that show it."""
    return f"{event.kind} {one_line(plain(dict(event.data)))}"
