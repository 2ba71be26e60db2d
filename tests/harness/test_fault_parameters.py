"""Parameters of faults: what is declared with a field is what is checked, read, shown and weakened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

import racewindow
from racewindow import Fault, FaultPlan, FaultPoint, UsageError, fault_parameter
from racewindow.fault_parameters import parameters_of
from racewindow.faults import parse_fault
from racewindow.runtime.access import PROCESS, offer_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd(Fault):
    """Has one parameter of each sort."""

    kind: ClassVar[str] = "odd"

    seconds: float = 30.0
    off_seconds: float = fault_parameter(5.0, "how far off", least=-math.inf)
    rows: int = fault_parameter(8, "how many", unit="rows", least=1, mildest=1)
    factor: float = fault_parameter(1000.0, "times so much", most=1e9, mildest=10.0)
    way: str = fault_parameter("both", "which way", choices=("there", "both"))
    field: str = fault_parameter("", "which field")
    loud: bool = fault_parameter(False, "whether")


def test_a_parameter_is_described_with_its_unit_and_limits() -> None:
    assert [f"{each.typed}  {each.described}" for each in parameters_of(Odd)] == [
        "seconds=30s  ",
        "off_seconds=5s  how far off",
        "rows=8  how many (rows, at least 1)",
        "factor=1000  times so much (at most 1e+09)",
        "way=both  which way (there or both)",
        "field=  which field",
        "loud=False  whether",
        "target=*  pattern of the services that it may strike",
        "after_seconds=0s  it may strike from this virtual time on",
        "until_seconds=inf  and before this one",
    ]


def test_what_is_said_of_a_parameter_is_kept() -> None:
    said = {each.name: (each.values, each.what) for each in parameters_of(Odd)}
    assert said == {
        "seconds": ("a time, at least 0", ""),
        "off_seconds": ("a time", "how far off"),
        "rows": ("a whole number, at least 1", "how many"),
        "factor": ("a number, at most 1e+09", "times so much"),
        "way": ("there or both", "which way"),
        "field": ("a word without commas", "which field"),
        "loud": ("true or false", "whether"),
        "target": ("a word without commas", "pattern of the services that it may strike"),
        "after_seconds": ("a time, at least 0", "it may strike from this virtual time on"),
        "until_seconds": ("a time, at least 0", "and before this one"),
    }


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"seconds": -1}, "seconds"),
        ({"seconds": math.nan}, "seconds"),
        ({"seconds": "30"}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"off_seconds": math.nan}, "off_seconds"),
        ({"rows": 0}, "rows"),
        ({"rows": 1.5}, "rows"),
        ({"factor": 1e10}, "factor"),
        ({"way": "sideways"}, "way"),
        ({"field": "a,b"}, "field"),
        ({"field": " a"}, "field"),
        ({"field": 3}, "field"),
        ({"loud": 1}, "loud"),
        ({"target": ""}, "target"),
        ({"target": None}, "target"),
        ({"after_seconds": -1}, "after_seconds"),
    ],
)
def test_a_value_that_a_parameter_cannot_have_is_refused_with_one_message(given: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError) as caught:
        Odd(**given)
    assert caught.value.what == f"odd: {name} cannot be {given[name]!r}."
    assert caught.value.why and caught.value.do.startswith(f"for example: --fault odd:{name}=")


@pytest.mark.parametrize(
    "fault",
    [
        Odd(),
        Odd(seconds=0.1 + 0.2, off_seconds=-1e-9, rows=3, factor=123456.789, way="there", field="a=b:c", loud=True),
        Odd(seconds=math.inf, target="writer-*", after_seconds=60, until_seconds=1e300),
    ],
)
def test_what_is_shown_is_read_as_the_same(fault: Odd) -> None:
    assert parse_fault(fault.text, known=[Odd]) == fault


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("odd:rows=many", "odd: rows cannot be 'many'."),
        ("odd:rows=1.5", "odd: rows cannot be '1.5'."),
        ("odd:loud=perhaps", "odd: loud cannot be 'perhaps'."),
        ("odd:seconds=soon", "odd: seconds cannot be 'soon'."),
        ("odd:seconds=1.2.3", "odd: seconds cannot be '1.2.3'."),
        ("odd:way=up", "odd: way cannot be 'up'."),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fault(text, known=[Odd])
    assert caught.value.what == what


def test_milder_versions_come_the_mildest_first_and_one_parameter_at_a_time() -> None:
    assert [each.text for each in Odd().weaker()] == [
        "odd:seconds=1",
        "odd:seconds=15",
        "odd:off_seconds=1",
        "odd:off_seconds=2.5",
        "odd:rows=1",
        "odd:rows=4",
        "odd:factor=10",
        "odd:factor=500",
        "odd:way=there",
    ]
    mild = Odd(seconds=0, off_seconds=-60, rows=1, factor=10, way="there")
    assert [each.text.split(",")[1] for each in mild.weaker()] == ["off_seconds=-1", "off_seconds=-30"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts(Fault):
    """Does something by itself."""

    kind: ClassVar[str] = "acts"

    async def strike(self, point: FaultPoint) -> None:
        """Nothing that a test has to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsProcess(Fault):
    """Can do nothing without an instance."""

    kind: ClassVar[str] = "needs-process"

    def can_strike(self, point: FaultPoint) -> bool:
        return point.process is not None


class Instance:
    """An instance that has nothing but its name."""

    name = "writer-2"


def offered(fault: Fault, *, waits: bool, **options: Any) -> int:
    """How often the fault is offered by a program that comes to one point."""

    async def main() -> None:
        if waits:
            await racewindow.fault_point("point", **options)
        else:
            offer_fault("point", **options)

    return racewindow.explore(main, strategy="dfs", faults=FaultPlan((fault,))).faults_offered[fault.kind]


def test_a_fault_that_acts_by_itself_is_offered_where_it_is_waited_for() -> None:
    assert offered(Acts(), waits=True)
    assert not offered(Acts(), waits=False)
    assert offered(Acts(), waits=False, kinds=["acts"])


def test_a_fault_that_can_do_nothing_at_a_point_is_not_offered() -> None:
    assert not offered(NeedsProcess(), waits=True)
    assert offered(NeedsProcess(), waits=True, kinds=["needs-process"])
    token = PROCESS.set(Instance())  # type: ignore[arg-type]  # nothing else of it is asked for
    try:
        assert offered(NeedsProcess(), waits=True)
        assert offered(NeedsProcess(), waits=True, service="writer-2")
        assert not offered(NeedsProcess(), waits=True, service="committer"), "the victim is somebody else"
    finally:
        PROCESS.reset(token)
