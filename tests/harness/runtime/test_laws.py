"""The laws of the runtime: what every execution of every program owes, whatever its decisions are."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st

from racewindow.host import Host
from racewindow.runtime.step import holds
from racewindow.runtime.task import SimTask
from racewindow.schedule import CLOCK
from racewindow.strategy import Picker, Task
from tests.harness.executions import WAYS, Script, Tap, Way, session, taken, walk
from tests.strategies import (
    EVERYTHING,
    Block,
    Cancel,
    MoveDeadline,
    MoveOn,
    Program,
    Run,
    UntilAtLeast,
    Update,
    as_function,
    programs,
)

SEEDS = st.integers(0, 1 << 16)
"""Of a random walk."""
RUNNABLE = st.sampled_from(WAYS)


# --- the same choices, the same execution ----------------------------------------------------------------------------


@given(programs(), SEEDS, RUNNABLE)
def test_same_choices_give_the_identical_digest(program: Program, seed: int, way: Way) -> None:
    """An execution is a function of its decisions: run again, every step is the same, and so is what happened."""
    runs: list[Run] = []
    with session(as_function(program, runs), **way) as running:
        first, second = running.record(walk(seed)), running.record(walk(seed))

    assert first.digest == second.digest
    assert [f.message for f in first.failures] == [f.message for f in second.failures]
    assert runs[0].order == runs[1].order


@given(programs(), SEEDS, RUNNABLE)
def test_footprints_change_no_decision(program: Program, seed: int, way: Way) -> None:
    """On the record and off it, the same choices lead to the same events, step for step."""
    runs: list[Run] = []
    with session(as_function(program, runs), **way) as running:
        recorded, plain = running.record(walk(seed)), running.run(walk(seed))

    assert runs[0].order == runs[1].order
    assert recorded.steps == plain.raw.steps == len(recorded.trace)
    assert [f.kind for f in recorded.failures] == [f.kind for f in plain.judged.findings]


@given(programs(), SEEDS)
def test_the_fast_loop_and_the_general_one_make_the_same_choices(program: Program, seed: int) -> None:
    """`run_walk` is `DecidedLoop` with everything in one function: the same draws lead to the same events."""
    runs: list[Run] = []
    with session(as_function(program, runs), footprints=False) as running:
        fast = running.run(walk(seed))
        general = running.run(_without_words(walk(seed)))

    assert runs[0].order == runs[1].order
    assert fast.raw.steps == general.raw.steps
    assert fast.raw.end == general.raw.end
    assert fast.raw.now_ns == general.raw.now_ns
    assert [task.path for task in fast.raw.left] == [task.path for task in general.raw.left]


@given(programs(), SEEDS, RUNNABLE)
def test_the_lean_and_the_full_form_make_the_same_choices(program: Program, seed: int, way: Way) -> None:
    """What is left out of the lean form takes part in no decision."""
    runs: list[Run] = []
    with session(as_function(program, runs), footprints=False, **way) as running:
        for full in (False, True):
            raw = running._attempt(walk(seed), Host(), None, None, full=full)
            assert raw is not None

    assert runs[0].order == runs[1].order
    assert runs[0].seen == runs[1].seen


@given(programs(), SEEDS, RUNNABLE)
def test_a_program_that_asks_for_the_full_form_gets_it_and_the_same_choices(
    program: Program, seed: int, way: Way
) -> None:
    """Asking for trio's token half-way starts the execution again in full, and nobody can tell."""
    asked = 0

    def ask(_label: str) -> None:
        nonlocal asked
        asked += 1
        if asked % 3 == 0:
            trio.lowlevel.current_trio_token()

    plain: list[Run] = []
    asking: list[Run] = []
    with session(as_function(program, plain), **way) as running:
        running.record(walk(seed))
    with session(as_function(program, asking, on_note=ask), **way) as running:
        running.record(walk(seed))

    assert asking[-1].order == plain[0].order
    assert len(asking) == (2 if len(plain[0].order) >= 3 else 1)


def _without_words(picker: Picker) -> Picker:
    """The same decisions, but the runtime is not told that they are those of a random walk."""
    return Tap(picker)


# --- what is offered -------------------------------------------------------------------------------------------------


class Inspector(Tap):
    """Looks at every decision with the eyes of a sceptic."""

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        tasks: list[SimTask] = candidates  # type: ignore[assignment]  # which is what they are
        runner = tasks[0]._runner
        assert len({task.path for task in tasks}) == len(tasks)
        for task in tasks:
            assert task in runner.tasks
            if task.predicate is None:
                assert task._next_send_fn is not None, f"{task.path} was not woken"
            else:
                assert holds(task), f"{task.path} waits for what is not so"
        if may_advance:
            assert runner.deadlines.next_deadline() < float("inf")
        return super().pick_task(candidates, may_advance=may_advance, last=last, advances=advances)


@given(programs(), SEEDS, RUNNABLE)
def test_every_option_offered_was_enabled(program: Program, seed: int, way: Way) -> None:
    """A candidate was woken and has not ended, or waits for a state that holds; time may pass to a deadline only."""
    with session(as_function(program), **way) as running:
        running.record(Inspector(walk(seed)))


@given(programs(), SEEDS, RUNNABLE)
def test_the_task_that_was_chosen_is_the_one_that_steps_and_no_other(program: Program, seed: int, way: Way) -> None:
    """Between two decisions at most one task that could have been decided on runs."""
    tap = Tap(walk(seed))
    acted: dict[int, set[str]] = {}

    def note(_label: str) -> None:
        task: Any = trio.lowlevel.current_task()
        acted.setdefault(task._runner.step_serial, set()).add(task.path)

    with session(as_function(program, on_note=note), **way) as running:
        execution = running.record(tap)

    for serial, paths in acted.items():
        assert paths == {execution.trace.steps[serial].task}
    for (serial, _), option in tap.taken.items():
        if option != CLOCK:
            assert execution.trace.steps[serial].task == option


@given(programs(), SEEDS, RUNNABLE)
def test_an_execution_leaves_nothing_behind(program: Program, seed: int, way: Way) -> None:
    """Whatever it ended in, the next one starts as if it were the first."""
    runs: list[Run] = []
    with session(as_function(program, runs), **way) as running:
        before = running.record(walk(seed))
        for other in range(3):
            running.run(walk(other))
        after = running.record(walk(seed))

    assert before.digest == after.digest
    assert not trio.lowlevel.in_trio_run()
    assert trio._core._parking_lot.GLOBAL_PARKING_LOT_BREAKER == {}


# --- trio's batches --------------------------------------------------------------------------------------------------


class WaiterTap(Tap):
    """Notes also which of the offered tasks wait in `until`."""

    def _begin(self) -> None:
        super()._begin()
        self.in_until: dict[int, set[str]] = {}

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        tasks: list[SimTask] = candidates  # type: ignore[assignment]  # which is what they are
        self.in_until[tasks[0]._runner.step_serial] = {task.path for task in tasks if task.predicate is not None}
        return super().pick_task(candidates, may_advance=may_advance, last=last, advances=advances)


@given(programs(), SEEDS, st.sampled_from(["idle", "racing"]))
@example(  # a task in `until` that could have gone on is cancelled instead, which is news, so it is for the next batch
    Program(
        (
            (Update(0), Update(0), UntilAtLeast(0, 0)),
            (Update(0),),
            (Update(0), Update(0), Cancel(0)),
            (Update(0), Update(0), MoveOn(0, (Update(0),))),
        )
    ),
    22482,
    "idle",
)
def test_under_trio_semantics_no_task_steps_twice_while_another_that_could_run_waits(
    program: Program, seed: int, clock: str
) -> None:
    """Once a batch has begun, each of its tasks steps once before any of them steps again.

    But for a task in `until`: it leaves the batch if its predicate ceases to hold, or if it is cancelled.
    """
    tap = WaiterTap(walk(seed))
    with session(as_function(program), semantics="trio", clock=clock) as running:
        execution = running.record(tap)

    stepped_since: dict[str, list[str]] = {}
    for serial, step in enumerate(execution.trace.steps):
        for option in tap.offered.get(serial, ()):
            stepped_since.setdefault(option, [])
        stepped_since.pop(step.task, None)
        for waiting in stepped_since.values():
            waiting.append(step.task)
            assert len(set(waiting)) == len(waiting), f"step {serial}"
        still = tap.offered.get(serial + 1, frozenset()) - (
            tap.in_until.get(serial, set()) - tap.in_until.get(serial + 1, set())
        )
        stepped_since = {path: steps for path, steps in stepped_since.items() if path in still}


async def _two_that_count(counts: list[list[int]]) -> None:
    counts.append([0, 0])

    async def count(index: int) -> None:
        for _ in range(5):
            await trio.lowlevel.checkpoint()
            counts[-1][index] += 1
            assert abs(counts[-1][0] - counts[-1][1]) <= 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count, 0)
        nursery.start_soon(count, 1)


@pytest.mark.parametrize("semantics", ["processes", "trio"])
def test_only_under_processes_semantics_may_one_task_run_ahead(semantics: str) -> None:
    """trio's batches keep two tasks within one step of each other; separate services are not kept so."""
    counts: list[list[int]] = []
    with session(lambda: _two_that_count(counts), semantics=semantics) as running:
        outcomes = {running.run(walk(seed)).judged.findings[0:1] != () for seed in range(50)}

    assert outcomes == ({False} if semantics == "trio" else {False, True})


def test_a_deadline_strikes_between_batches_only_under_trio_semantics() -> None:
    """Time may pass within a batch, but nobody is cancelled by it before every task of the batch has stepped."""
    ended: list[str] = []

    async def main() -> None:
        lock = trio.Lock()

        async def holder() -> None:
            lock.acquire_nowait()
            await trio.lowlevel.checkpoint()
            lock.release()

        async def waiter() -> None:
            with trio.move_on_after(1) as scope:
                await trio.lowlevel.checkpoint()
                await lock.acquire()
            ended.append("too late" if scope.cancelled_caught else "handed over")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(holder)
            nursery.start_soon(waiter)

    with session(main, semantics="trio", clock="racing") as running:
        for options in (["main/0", CLOCK, "main/1"], ["main/0", "main/1", CLOCK]):
            assert running.run(Script(options)).judged.findings == ()

    assert ended == ["handed over", "handed over"]


# --- names -----------------------------------------------------------------------------------------------------------

NAMED_PROGRAMS = programs(EVERYTHING - {MoveDeadline, Block}, tasks_max=3)


@given(NAMED_PROGRAMS, st.lists(SEEDS, min_size=2, max_size=6, unique=True), RUNNABLE)
def test_a_task_has_the_same_path_in_every_order(program: Program, seeds: list[int], way: Way) -> None:
    """A path is what spawned the task and as how many-th, so it means the same task whenever the task exists."""
    labels: dict[str, str] = {}

    def note(label: str) -> None:
        task: Any = trio.lowlevel.current_task()
        assert labels.setdefault(task.path, label) == label

    with session(as_function(program, on_note=note), **way) as running:
        for seed in seeds:
            running.run(walk(seed))
            running.record(walk(seed))

    assert len(set(labels.values())) == len(labels)


def test_an_object_has_the_same_key_in_every_order() -> None:
    """An object is named by the task that made it and as how many-th, whoever touches it first."""
    keys: set[tuple[str, ...]] = set()

    async def maker(made: list[trio.Event]) -> None:
        for _ in range(2):
            await trio.lowlevel.checkpoint()
            made.append(trio.Event())

    async def main() -> None:
        made: tuple[list[trio.Event], list[trio.Event]] = ([], [])
        async with trio.open_nursery() as nursery:
            for each in made:
                nursery.start_soon(maker, each)
        recorder: Any = trio.lowlevel.current_task()._runner.recorder  # type: ignore[attr-defined]
        keys.add(tuple(recorder.table.access(recorder.key(event) * 3).key for event in [*made[0], *made[1]]))

    with session(main) as running:
        digests = {running.record(walk(seed)).digest for seed in range(20)}

    assert len(digests) > 2
    assert keys == {("main/0:Event#1", "main/0:Event#2", "main/1:Event#1", "main/1:Event#2")}


def test_display_names_count_the_children_of_one_parent() -> None:
    """`worker#2` is its parent's second worker, in every order; a name that was given wins over the function's."""

    async def worker() -> None:
        await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker)
            nursery.start_soon(worker)
            nursery.start_soon(worker, name="foreman")

    with session(main) as running:
        found = {tuple(sorted({(s.task, s.name) for s in running.record(walk(seed)).trace.steps})) for seed in range(9)}

    assert found == {(("main", "main"), ("main/0", "worker"), ("main/1", "worker#2"), ("main/2", "foreman"))}


def test_tasks_that_run_a_function_of_trio_are_called_by_its_name() -> None:
    """Also where the function is replaced or hooked during an execution."""

    async def main() -> None:
        event = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(event.wait)
            nursery.start_soon(trio.sleep, 1)
            nursery.start_soon(trio.sleep_until, 1)
            nursery.start_soon(trio.lowlevel.checkpoint)
            event.set()

    with session(main) as running:
        steps = running.record(walk(0)).trace.steps

    assert [name for _, name in sorted({(s.task, s.name) for s in steps})] == [
        "main",
        "wait",
        "sleep",
        "sleep_until",
        "checkpoint",
    ]


# --- decisions -------------------------------------------------------------------------------------------------------


@given(programs(), SEEDS, RUNNABLE)
def test_the_default_goes_on_with_the_same_task_while_it_can(program: Program, seed: int, way: Way) -> None:
    """With no deviations a task steps until it cannot, and time does not pass before all have come to that."""
    del seed
    tap = Tap(_Default())
    with session(as_function(program), **way) as running:
        execution, schedule = taken(running, tap)

    assert schedule.deviations == ()
    for (serial, _), option in tap.taken.items():
        assert option != CLOCK
        last = execution.trace.steps[serial - 1].task if serial else None
        offered = tap.offered[serial]
        assert option == (last if last in offered else min(offered, key=_numbers))


def _numbers(path: str) -> list[int]:
    return [int(part) for part in path.split("/")[1:]]


class _Default:
    """Always option 0."""

    words = None

    def restart(self) -> None:
        """There is nothing to begin again."""

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        if last is not None and last in candidates:
            return candidates.index(last)
        return min(range(len(candidates)), key=lambda index: candidates[index].order)

    def pick_value(self, count: int, *, task: Task) -> int:
        return 0


def test_decisions_are_asked_for_only_where_there_is_a_choice() -> None:
    """One runnable task under idle time is no decision, and neither is a choice of one."""

    class Refuses(_Default):
        def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
            raise AssertionError(candidates)

    async def main() -> None:
        for _ in range(3):
            await trio.sleep(1)
            await trio.lowlevel.checkpoint()

    with session(main) as running:
        execution = running.record(Refuses())

    assert execution.outcome == "ok"
    assert execution.steps == 7
