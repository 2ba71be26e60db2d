"""The picker that follows a schedule as far as it fits: what fits, what is left out, and when it stops following."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from racewindow.schedule import START, Deviation
from racewindow.strategies.tolerant import TolerantPicker


class Stub(NamedTuple):
    """A task."""

    path: str
    number: int = 0
    held: tuple[tuple[int, tuple[str, ...]], ...] = ()
    touched: Any = None
    pending: Any = None

    @property
    def order(self) -> tuple[int, ...]:
        """By the last part of its path."""
        return (int(self.path.rpartition("/")[2]),)


class Fault(NamedTuple):
    """An offer."""

    number: int
    text: str
    affordable: bool = True


A, B = Stub("main/0"), Stub("main/1")


def picked(picker: TolerantPicker, tasks: Sequence[Stub], last: Stub | None = None) -> str:
    """Whose turn it is."""
    return tasks[picker.pick_task(list(tasks), may_advance=False, last=last, advances=0)].path


def test_an_option_that_is_not_there_is_left_out() -> None:
    picker = TolerantPicker([Deviation(START, 0, "task", 0, "main/7"), Deviation("main/0", 0, "task", 0, "main/1")])

    assert picked(picker, [A, B]) == "main/0"
    assert picked(picker, [A, B], A._replace(number=1)) == "main/1"


def test_steps_at_a_gate_do_not_count() -> None:
    picker = TolerantPicker([Deviation("main/0", 1, "task", 0, "main/1")])
    held = ((1, ("A starts before B starts",)),)

    assert picked(picker, [A, B], A._replace(number=2, held=held)) == "main/0"
    assert picked(picker, [A, B], A._replace(number=3, held=held)) == "main/1"


def test_steps_at_a_gate_that_was_there_when_it_was_recorded_count() -> None:
    given = ("A starts before B starts",)
    picker = TolerantPicker([Deviation("main/0", 1, "task", 0, "main/1")], given=given)

    assert picked(picker, [A, B], A._replace(number=2, held=((1, given),))) == "main/1"
    assert picked(picker, [A, B], A._replace(number=2, held=((1, (*given, "another")),))) == "main/0"


def test_a_step_after_which_there_was_nothing_to_decide_has_been_taken_as_well() -> None:
    picker = TolerantPicker([Deviation("main/0", 3, "task", 0, "main/1")], until=[("main/0", 1)])

    assert picked(picker, [A, B], A._replace(number=3)) == "main/0"
    assert picked(picker, [A, B], A._replace(number=4)) == "main/0", "followed beyond the last of its steps"


def test_after_the_last_of_its_steps_nothing_is_followed_any_more() -> None:
    value, turn = Deviation("main/1", 5, "value", 0, "2"), Deviation("main/1", 4, "task", 0, "main/0")
    after, ahead = (TolerantPicker([value, turn], until=[("main/0", step)]) for step in (0, 9))
    for picker in (after, ahead):
        picked(picker, [A, B], A._replace(number=1))

    assert (after.pick_value(3, task=B._replace(number=5)), ahead.pick_value(3, task=B._replace(number=5))) == (0, 2)
    last = B._replace(number=5)
    assert (picked(after, [A, last], last), picked(ahead, [A, last], last)) == ("main/1", "main/0")


def test_chance_completes_in_the_same_way_again() -> None:
    picker = TolerantPicker([], until=[], chance=3)
    first = [picked(picker, [A, B]) for _ in range(20)]
    picker.restart()

    assert [picked(picker, [A, B]) for _ in range(20)] == first
    assert len(set(first)) == 2


def test_a_fault_strikes_where_it_is_named_offered_and_affordable() -> None:
    def struck(*offers: Fault, until: list[tuple[str, int]] | None = None) -> int:
        picker = TolerantPicker([Deviation("main/0", 2, "fault", 1, "crash")], until=until)
        return picker.pick_fault(offers, task=A._replace(number=2), index=1)

    assert struck(Fault(1, "drop"), Fault(2, "crash")) == 2
    assert struck(Fault(1, "drop")) == 0
    assert struck(Fault(1, "crash", affordable=False)) == 0
    assert struck(Fault(1, "crash"), until=[]) == 0
