"""Stepping through an execution: what is to be seen, where one can go, and how it looks on a terminal."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import trio
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import racewindow as library
from racewindow import Cell, Event, History, Simulation, TrackedDict, TrackedList, Verdict, Violation, checker
from racewindow.footprint import KeyTable
from racewindow.report_layout import WIDTH
from racewindow.runtime.location import Locator
from racewindow.runtime.watching import WatchingRecorder
from racewindow.schedule import Schedule
from racewindow.stepping import HELP, Moment, Other, Stepper, Walk, moment_text
from racewindow.trace import ADD, READ, WRITE, Access, Step
from racewindow.tracked_values import parts_of
from racewindow.walking import walk_of
from tests.harness.command_line import CommandLine, racewindow
from tests.harness.executions import WAYS, Way, session, taken, walk
from tests.harness.test_cli_replay import recorded
from tests.snapshots.compare import assert_snapshot
from tests.strategies import Program, as_function, programs

__all__ = ["racewindow"]


def step(number: int, name: str = "writer", *accesses: Access, location: str = "a.py:3 work") -> Step:
    """Made up."""
    return Step("main/0", name, number, number * 1_500_000_000, location, accesses)


WALK = Walk(
    (
        Moment(step(0), "a.py:1 work", ("   1  async def work():",), changes=(("x", "0"), ("y", "[]"))),
        Moment(
            step(
                1,
                "writer",
                Access("x", READ),
                Access("x", WRITE),
                Access("lock", ADD),
                Access("main:CancelScope#1", READ),
            ),
            "a.py:3 work",
            others=(Other("reader", "a.py:9 read", True), Other("main", "", False)),
            changes=(("x", "1"), ("y", None)),
            events=(Event(0, "writer", 1, "done", {"value": 1}),),
        ),
        Moment(step(0, "reader", Access("x", WRITE), location="end")._replace(choices=(2, 0), faults=("crash",))),
        Moment(step(1, "reader", location=""), changes=(("x", "2"),)),
    ),
    "FAILURE in work: an assertion failed",
    "assertion failed: assert x == 2",
    failing=2,
)


# --- telling ---------------------------------------------------------------------------------------------------------


def test_a_step_is_told_with_what_it_saw_and_what_it_changed() -> None:
    """Values where there are any, and who else was there."""
    assert moment_text(WALK, 1).splitlines() == [
        "Step 2 of 4, T+00:01.500: writer, its step 1",
        "  from a.py:3 work",
        "  reads   x = 0",
        "  writes  x: 0 -> 1",
        "          y: [] -> nothing",
        "  touches adds to lock",
        "  emits   done value=1",
        "  then    waits at a.py:3 work",
        "  others  reader could run, at a.py:9 read",
        "          main waits",
    ]


def test_a_write_that_changes_nothing_is_told_as_what_it_is() -> None:
    """In a lost update, that is the loss."""
    assert moment_text(WALK, 2).splitlines() == [
        "Step 3 of 4, T+00:00.000: reader, its step 0",
        "  from its start",
        "  STRUCK  crash",
        "  writes  x: 1, which it was before",
        "  chooses 2, 0",
        "  then    it has ended",
        "  WRONG   assertion failed: assert x == 2",
    ]


def test_lines_are_cut_at_80_columns() -> None:
    """And a long function in the middle."""
    wide = Moment(step(0), source=tuple(f"{n:>4}  {'x' * 99}" for n in range(20)), changes=(("x", "1" * 99),))
    lines = moment_text(Walk((wide,), "ok"), 0).splitlines()

    assert max(map(len, lines)) == WIDTH
    assert [line.split()[0] for line in lines[2:8]] == ["0", "1", "2", "…", "18", "19"]


def test_of_a_record_only_the_fields_that_differ_are_told() -> None:
    """The rest would hide them; and what is too long for three lines is cut."""
    before = {"price": 100, "market": "XRP", "note": "x" * 200, "old": 1}
    after = {"price": 90, "market": "XRP", "note": "x" * 200, "new": [1]}
    moments = (
        Moment(step(0), changes=(("row", json.dumps(before)), ("text", " ".join(["word"] * 99)))),
        Moment(step(1), changes=(("row", json.dumps(after)), ("text", "now"))),
    )
    lines = moment_text(Walk(moments, "ok"), 1).splitlines()

    assert lines[2] == "  writes  row: price 100 -> 90, old 1 -> nothing, new nothing -> [1]"
    assert lines[3].startswith("          text: word word")
    assert lines[5].endswith("word …")
    assert lines[6].startswith("  then")


# --- moving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["n"], "Step 2"),
        ([""], "Step 2"),
        (["next", "b"], "Step 1"),
        (["b"], "this is the first step"),
        (["n", "n", "n", "n"], "that was the last step; FAILURE in work: an assertion failed"),
        (["e"], "Step 2"),
        (["e", "e"], "no later step emits an event"),
        (["t reader"], "Step 3"),
        (["t reader", "t reader"], "Step 4"),
        (["t writer", "t writer"], "writer takes no later step"),
        (["t"], "t takes the name of a task: writer, reader"),
        (["t nobody"], "t takes the name of a task: writer, reader"),
        (["v"], "Step 3"),
        (["g 4"], "Step 4"),
        (["g 5"], "g takes the number of a step, from 1 to 4"),
        (["g x"], "g takes the number of a step, from 1 to 4"),
        (["h"], HELP),
        (["?"], HELP),
        (["s"], "x is made: 0\ny is made: []"),
        (["g 2", "s"], "x = 0  (then 1)\ny = []  (then nothing)"),
        (["g 4", "s"], "x = 1  (then 2)"),
        (["g 2", "l"], "     1  writer: async def work():\n>    2  writer: a.py:3 work\n"),
        (["jump"], "there is no command 'jump'; h shows those that there are"),
    ],
)
def test_each_command_goes_where_it_says(lines: list[str], answer: str) -> None:
    """From the first step."""
    stepper = Stepper(WALK)
    told = [stepper.do(line) for line in lines][-1]

    assert told.startswith(answer)
    assert not stepper.done


@pytest.mark.parametrize("word", ["q", "quit", "exit"])
def test_one_can_leave(word: str) -> None:
    """And is out at once where there is nothing to see."""
    stepper = Stepper(WALK)

    assert (stepper.do(word), stepper.done) == ("", True)
    assert Stepper(Walk((), "ok")).done


def test_without_a_failure_there_is_no_violation() -> None:
    """`v` says so."""
    assert Stepper(Walk(WALK.moments, "ok")).do("v") == "nothing goes wrong in this execution"


@given(st.lists(st.sampled_from(["n", "b", "e", "v", "g 1", "g 3", "t reader", "s", "l", "x"]), max_size=12))
def test_what_is_seen_of_a_step_does_not_depend_on_how_one_came_there(lines: list[str]) -> None:
    """Forward and back agree: each step looks as if one had walked to it from the beginning."""
    stepper = Stepper(WALK)
    for line in lines:
        told = stepper.do(line)
        straight = Stepper(WALK)
        for _ in range(stepper.index):
            straight.do("n")

        assert straight.here() == stepper.here()
        assert straight.do("s") == stepper.do("s")
        assert not told.startswith("Step ") or told == stepper.here()


# --- from an execution -----------------------------------------------------------------------------------------------


@library.tracked
class Account:
    """Tracked by attribute."""

    __slots__ = ("owner", "total")
    owner: str

    def __init__(self) -> None:
        self.total = 0


@library.tracked
class Till:
    """Tracked by attribute, in a dictionary of its own."""

    def __init__(self) -> None:
        self.total = 0


def test_attributes_without_slots_are_seen() -> None:
    """An attribute that is deleted is gone."""

    async def program() -> None:
        till = Till()
        await trio.lowlevel.checkpoint()
        till.total = 3
        await trio.lowlevel.checkpoint()
        del till.total

    looked, _ = walk_of(program, Schedule())

    assert [list(dict(moment.changes).values()) for moment in looked.moments] == [["0"], ["3"], [None]]


@library.scenario
async def changes_everything(sim: Simulation) -> None:
    """Every kind of tracked object."""
    cell, book, queue, account = (
        Cell(1, name="cell"),
        TrackedDict({"a": 1}, name="book"),
        TrackedList([1], name="q"),
        Account(),
    )
    await trio.lowlevel.checkpoint()
    cell.set(2)
    book["b"] = 2
    del book["a"]
    queue.append(2)
    account.total += 5
    account.owner = "ann"
    sim.emit("changed", by=1)
    await trio.lowlevel.checkpoint()
    assert cell.get() == 2


def test_values_of_every_kind_of_tracked_object_are_seen() -> None:
    """Under the names that they have in footprints, as they were before and are after each step."""
    looked, execution = walk_of(changes_everything, Schedule())
    account = next(name for name in looked.state(1) if "Account" in name).partition(".")[0]

    assert execution.outcome == "ok"
    assert looked.failing is None
    assert looked.state(1) == {"cell": "1", "book['a']": "1", "q[0]": "1", f"{account}.total": "0"}
    assert looked.state(2) == {
        "cell": "2",
        "book['b']": "2",
        "q[0]": "1",
        "q[1]": "2",
        f"{account}.total": "5",
        f"{account}.owner": '"ann"',
    }
    keys = {access.key for access in looked.moments[1].step.accesses}
    assert set(looked.state(2)) - {"q[0]"} <= keys
    assert [[each.kind for each in moment.events] for moment in looked.moments] == [[], ["changed"], [], []]


def test_looking_changes_nothing() -> None:
    """The execution is the one that a replay gives, also for programs that need trio's full runner."""

    async def asks_for_all() -> None:
        await trio.to_thread.run_sync(lambda: None)
        assert Cell(0).get()

    for program in (changes_everything, asks_for_all):
        _, execution = walk_of(program, Schedule())

        assert execution.digest == library.replay(program, Schedule()).digest
        assert execution.outcome == library.replay(program, Schedule()).outcome


@given(programs(), st.integers(0, 1 << 16), st.sampled_from(WAYS))
def test_looking_changes_nothing_in_any_program(program: Program, seed: int, way: Way) -> None:
    """Whatever it does, in every order and under every clock; and there is something to be seen of each step."""
    function = as_function(program, [])
    with session(function, **way) as running:
        plain, schedule = taken(running, walk(seed))
    looked, execution = walk_of(function, schedule)

    assert execution.digest == plain.digest
    assert len(looked.moments) == len(plain.trace)
    assert (looked.failing is None) == (plain.outcome == "ok")
    assert max(len(line) for at in range(len(looked.moments)) for line in moment_text(looked, at).splitlines()) <= WIDTH


@settings(max_examples=20)
@given(programs(), st.integers(0, 1 << 16), st.data())
def test_an_earlier_step_looks_as_if_it_had_been_run_again_up_to_there(
    program: Program, seed: int, data: st.DataObject
) -> None:
    """Going back is looking at what is kept of an earlier step: that is what an execution that ends there shows."""
    function = as_function(program, [])
    with session(function) as running:
        _, schedule = taken(running, walk(seed))
    whole, _ = walk_of(function, schedule)
    steps = data.draw(st.integers(1, len(whole.moments)))
    try:
        again, _ = walk_of(function, replace(schedule, limits={"step_limit": steps}))
    except library.DivergenceError:  # it ends before the last decision of the schedule
        reject()

    assert again.moments == whole.moments[:steps]
    assert again.state(steps) == whole.state(steps)


def failing_source(program: Any, schedule: Schedule | None = None) -> str:
    """What is shown of the step in which an execution goes wrong: its last line, and the task."""
    found = schedule or library.explore(program, strategy="dpor").failures[0].schedule
    looked, _ = walk_of(program, found)
    assert looked.failing is not None
    moment = looked.moments[looked.failing]
    return f"{moment.step.name}: {moment.source[-1].split(maxsplit=1)[1]}"


def test_the_step_that_raises_is_the_one_that_goes_wrong() -> None:
    """Not that of the nursery which passes it on, nor one whose exception was caught."""

    async def program() -> None:
        async def caught() -> None:
            raise KeyError

        async def raises() -> None:
            await trio.sleep(1)
            raise LookupError

        try:
            async with trio.open_nursery() as inner:
                inner.start_soon(caught)
        except* KeyError:
            pass
        async with trio.open_nursery() as nursery:
            nursery.start_soon(raises)
            nursery.start_soon(trio.sleep, 9)

    assert failing_source(program) == "raises: raise LookupError"


def test_an_exception_in_the_body_of_a_nursery_goes_wrong_where_it_was_raised() -> None:
    """The task ends later, when the children have."""

    async def program() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
            await trio.lowlevel.checkpoint()
            assert not nursery.child_tasks

    looked, _ = walk_of(program, Schedule())

    assert looked.failing is not None
    assert looked.moments[looked.failing].source[-1].endswith("assert not nursery.child_tasks")
    assert looked.moments[looked.failing].step.number == 1
    assert looked.moments[-1].step.number > 1


def test_a_broken_property_and_a_violation_are_found_by_their_events() -> None:
    """The first by its own, the other by its time; what only the whole shows is wrong at the end."""

    @checker("late")
    def late(history: History) -> Verdict:
        return Verdict.violated(
            [Violation("late", "order 7", "late", each.time_ns) for each in history.events if each.kind == "late"]
        )

    async def service(sim: Simulation) -> None:
        sim.emit("early")
        await trio.sleep(1)
        sim.emit("late", orders=[{"name": "order 7"}])
        await trio.lowlevel.checkpoint()
        sim.emit("something else", about="another")
        await trio.sleep(1)

    @library.scenario(checks=[late])
    async def by_checker(sim: Simulation) -> None:
        sim.spawn(service, sim)
        await trio.sleep(3)

    async def by_property() -> None:
        await trio.sleep(1)
        library.always(False, "fine")
        await trio.sleep(1)

    async def stuck() -> None:
        await trio.sleep(1)
        await trio.sleep_forever()

    assert failing_source(by_checker) == "service: await trio.lowlevel.checkpoint()"
    looked, _ = walk_of(by_checker, Schedule())
    assert looked.failing is not None
    assert [each.kind for each in looked.moments[looked.failing].events] == ["late"]
    looked, _ = walk_of(by_property, Schedule())
    assert (looked.failing, len(looked.moments)) == (1, 3)
    looked, _ = walk_of(stuck, Schedule())
    assert (looked.failing, looked.ending) == (1, "FAILURE in stuck: deadlock")


@pytest.mark.parametrize("more", [0, 600])
def test_it_goes_wrong_where_its_checker_has_all_that_it_needs(more: int) -> None:
    """And not at a later event that is about the same at the same time."""

    @checker("once")
    def once(history: History) -> Verdict:
        charged = [each for each in history.events if each.kind == "charged"]
        return Verdict.violated([Violation("twice", "order 7", "twice", charged[1].time_ns)] if charged[1:] else [])

    @library.scenario(checks=[once])
    async def shop(sim: Simulation) -> None:
        for _ in range(more):
            sim.emit("looked at", order="order 7")
        for kind in ("charged", "charged", "shipped", "charged", "thanked"):
            await trio.lowlevel.checkpoint()
            sim.emit(kind, order="order 7")

    looked, _ = walk_of(shop, Schedule())

    assert looked.failing == 2
    assert [each.kind for each in looked.moments[2].events] == ["charged"]


def test_what_is_violated_only_for_a_while_is_not_where_it_goes_wrong() -> None:
    @checker("paid")
    def paid(history: History) -> Verdict:
        kinds = [each.kind for each in history.events]
        missing = kinds.count("ordered") != kinds.count("paid")
        return Verdict.violated([Violation("unpaid", "shop", "unpaid")] if missing else [])

    @library.scenario(checks=[paid])
    async def shop(sim: Simulation) -> None:
        for kind in ("ordered", "paid", "ordered", "thanked"):
            await trio.lowlevel.checkpoint()
            sim.emit(kind)

    assert walk_of(shop, Schedule())[0].failing == 3


def test_what_could_have_run_instead_is_seen() -> None:
    """Also a task in `until`, exactly while its predicate holds."""

    async def program() -> None:
        ready = Cell(False, name="ready")

        async def waits() -> None:
            await library.until(ready.get)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waits)
            await trio.sleep(1)
            ready.set(True)
            await trio.lowlevel.checkpoint()

    looked, _ = walk_of(program, Schedule())
    seen = [other.ready for moment in looked.moments for other in moment.others if other.name == "waits"]

    assert seen == [False, True]


def test_a_recorder_that_watches_sees_parts_of_what_it_was_told_of() -> None:
    """Nothing is asked of objects that it was not."""
    recorder = WatchingRecorder(KeyTable(), Locator(), parts_of)

    assert (recorder.watched, recorder.failed) == ([], None)


# --- on a terminal ---------------------------------------------------------------------------------------------------


def test_a_session_looks_as_it_should(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands from a pipe are shown with their answers."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n\nt add#2\ne\nb\ns\nv\nl\ng 3\nx\nh\nq\nn\n"))
    ran = racewindow("replay", recorded(racewindow), "--step")

    assert (ran.status, ran.err) == (1, "")
    assert max(map(len, ran.out.splitlines())) <= WIDTH
    assert_snapshot("replay_step.txt", ran.out)


def test_the_end_of_the_input_ends_the_session(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before the first command, and with an execution that does not fail."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    ran = racewindow("replay", "others.py:fine", "--schedule", Schedule().token(), "--step")

    assert (ran.status, ran.err) == (0, "a line for each execution\n")
    assert ran.out.startswith("no failure in fine, in 2 steps\nh shows what can be typed.\n\nStep 1 of 2, ")


class Terminal(io.StringIO):
    """A stream that says that somebody is there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_a_prompt_and_a_bold_headline_unless_told_otherwise(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, *, no_color: bool
) -> None:
    """NO_COLOR is heeded. Ctrl-C leaves."""
    prompts: list[str] = []

    def typed(prompt: str) -> str:
        prompts.append(prompt)
        if len(prompts) == 2:
            raise KeyboardInterrupt
        return "n"

    screen = Terminal()
    file = recorded(racewindow)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr("builtins.input", typed)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")

    assert racewindow("replay", file, "--step").status == 1
    assert prompts == ["\nstep> "] * 2
    assert ("\033[1mStep 2 of" in screen.getvalue()) is not no_color
    assert ("\033" in screen.getvalue()) is not no_color


@pytest.mark.parametrize("other", [("--json",), ("--log", "x")])
def test_it_goes_alone(racewindow: CommandLine, other: tuple[str, ...]) -> None:
    """A person looks at it, not a program."""
    ran = racewindow("replay", recorded(racewindow), "--step", *other)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"racewindow: --step goes without {other[0]}.\nWhy: ")


def test_a_schedule_that_does_not_fit_is_told_as_ever(racewindow: CommandLine) -> None:
    """There is nothing to step through."""
    token = Schedule((library.Deviation("main/7", 3, "task", 0, "main/8"),)).token()
    plain = racewindow("replay", "others.py:fine", "--schedule", token)
    ran = racewindow("replay", "others.py:fine", "--schedule", token, "--step")

    assert (ran.status, ran.out) == (plain.status, plain.out)
    assert ran.status == 3


LOST_UPDATE = """
import trio
import racewindow

async def lost_update() -> None:
    balance = racewindow.Cell(0, name="balance")

    async def deposit(amount: int) -> None:
        await trio.lowlevel.checkpoint()
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        balance.set(seen + amount)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit, 1)
        nursery.start_soon(deposit, 1)
    assert balance.get() == 2
"""


def test_the_page_shows_a_step_as_it_is(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step of the lost update in which the update is lost."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```\n(Step 7 .*?)```$", page, flags=re.MULTILINE | re.DOTALL)
    Path("lost_update.py").write_text(LOST_UPDATE, encoding="utf-8")
    found = json.loads(racewindow("explore", "lost_update.py", "--strategy", "dpor", "--json").out)
    monkeypatch.setattr(sys, "stdin", io.StringIO("g 7\n"))

    assert racewindow("replay", found["failures"][0]["file"], "--step").out.endswith(f"step> g 7\n{shown[0]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash(library.Fault):
    """The process ends."""

    kind: ClassVar[str] = "crash"
    points: ClassVar[tuple[str, ...]] = ("service.step",)

    async def strike(self, point: library.FaultPoint) -> None:
        assert point.process is not None
        point.process.crash()


def test_a_fault_is_seen_in_the_step_that_it_struck() -> None:
    """And looking at a task that vanishes changes nothing."""

    @library.scenario(faults=[Crash()])
    async def program(sim: Simulation) -> None:
        done = Cell(False, name="done")

        async def service(_: library.Instance) -> None:
            await trio.sleep(1)
            done.set(True)

        library.Supervisor(sim.spawn).start(service, "a")
        await trio.sleep(5)
        assert done.get()

    failure = library.explore(program, strategy="dpor", faults=1).failures[0]
    looked, execution = walk_of(program, failure.schedule)
    struck = [index for index, moment in enumerate(looked.moments) if moment.step.faults]

    assert execution.digest == failure.digest
    assert looked.failing is not None
    assert len(struck) == 1
    assert struck[0] < looked.failing
    assert "\n  STRUCK  crash" in moment_text(looked, struck[0])
