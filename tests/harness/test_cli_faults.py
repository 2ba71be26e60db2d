"""`racewindow faults` shows what may strike, and one broken package does not hide the others."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import ClassVar

import pytest

import racewindow_faults
from racewindow.errors import InputError, UsageError
from racewindow.fault_parameters import fault_parameter
from racewindow.fault_shapes import ValueFault
from racewindow.faults import GROUP, Fault, ListedKind, installed_kinds, parse_fault
from tests.harness.command_line import CommandLine, racewindow
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood(Fault):
    """The data centre is under water, and whatever stands in the basement is gone for good, as are its backups.

    More about it.
    """

    kind: ClassVar[str] = "flood"
    family: ClassVar[str] = "weather"

    depth_metres: float = fault_parameter(0.5, "how deep", unit="metres", least=0, most=10)
    dry_seconds: float = fault_parameter(86_400.0, "until the water has gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare(ValueFault):
    kind: ClassVar[str] = "bare"
    points: ClassVar[tuple[str, ...]] = ("db.*", "cache.read")

    way: str = fault_parameter("in", "which way", choices=("in", "out"))
    undescribed: int = 3


FOUND = [
    ListedKind("bare", "racewindow", Bare),
    ListedKind("broken", "their-package", problem="ValueError: no"),
    ListedKind("crash", "", racewindow_faults.Crash),
    ListedKind("flood", "their-package", Flood),
]


@pytest.mark.parametrize(("found", "name"), [(FOUND, "faults.txt"), ([], "faults_none.txt")])
def test_the_list_reads_well(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, found: list[ListedKind], name: str
) -> None:
    monkeypatch.setattr("racewindow.faults.installed_kinds", lambda: found)
    ran = racewindow("faults")

    assert (ran.status, ran.err) == (0, "")
    assert_snapshot(name, ran.out)


def test_as_json_it_is_one_object(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racewindow.faults.installed_kinds", lambda: FOUND)
    ran = racewindow("faults", "--json")
    listed = json.loads(ran.out)

    assert (ran.status, ran.err, listed["format"]) == (0, "", 1)
    assert [(each["kind"], each["origin"], each["problem"]) for each in listed["faults"]] == [
        ("bare", "racewindow", None),
        ("broken", "their-package", "ValueError: no"),
        ("crash", "", None),
        ("flood", "their-package", None),
    ]
    flood = listed["faults"][3]
    assert flood["family"] == "weather" and flood["points"] == ["*"]
    assert flood["parameters"][:2] == [
        {
            "name": "depth_metres",
            "default": "0.5",
            "unit": "metres",
            "what": "how deep",
            "values": "a number, from 0 to 10",
        },
        {
            "name": "dry_seconds",
            "default": "86400",
            "unit": "seconds",
            "what": "until the water has gone",
            "values": "a time, at least 0",
        },
    ]


def test_every_kind_of_ours_fits_80_columns(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [getattr(racewindow_faults, name) for name in racewindow_faults.__all__]
    found = [ListedKind(kind.kind, "racewindow", kind) for kind in kinds]
    monkeypatch.setattr("racewindow.faults.installed_kinds", lambda: found)
    lines = racewindow("faults").out.splitlines()

    assert {f"  {kind.kind}" for kind in kinds} <= set(lines)
    assert max(map(len, lines)) <= 80


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages that both list a crash, and one that lists what is none, or cannot be imported."""
    listed = EntryPoints(
        EntryPoint(name, value, GROUP)
        for name, value in [
            ("bare", f"{__name__}:Bare"),
            ("broken", "no.such.module:Kind"),
            ("crash", "racewindow_faults.process:Crash"),
            ("crash", "racewindow_faults:Crash"),
            ("flood", f"{__name__}:FOUND"),
            ("stall", f"{__name__}:Bare"),
        ]
    )
    monkeypatch.setattr("racewindow.faults.metadata.entry_points", lambda *, group: listed.select(group=group))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Bare.__module__])


@pytest.mark.usefixtures("entries")
def test_a_kind_that_cannot_be_loaded_does_not_hide_the_others() -> None:
    assert [(each.name, each.fault, each.problem) for each in installed_kinds()] == [
        ("bare", Bare, ""),
        ("broken", None, "ModuleNotFoundError: No module named 'no'"),
        ("crash", racewindow_faults.Crash, ""),
        ("crash", racewindow_faults.Crash, ""),
        ("flood", None, f"{__name__}:FOUND is not a racewindow.Fault whose kind is 'flood'"),
        ("stall", None, f"{__name__}:Bare is not a racewindow.Fault whose kind is 'stall'"),
    ]


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("text", "error", "what"),
    [
        ("crash", UsageError, "2 installed packages list a kind of fault 'crash'."),
        ("broken", InputError, "the kind of fault 'broken' of the package that lists it cannot be loaded."),
        ("brae", UsageError, "there is no kind of fault called 'brae'."),
    ],
)
def test_a_kind_that_cannot_be_had_is_refused(text: str, error: type[UsageError], what: str) -> None:
    with pytest.raises(error) as caught:
        parse_fault(text)
    assert caught.value.what == what
    assert parse_fault("crash", known=[racewindow_faults.Crash]) == racewindow_faults.Crash()


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kinds of ours, as pyproject.toml lists them."""
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["project"]["entry-points"][GROUP]
    entries = EntryPoints(EntryPoint(name, value, GROUP) for name, value in listed.items())
    monkeypatch.setattr("racewindow.faults.metadata.entry_points", lambda *, group: entries.select(group=group))


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fault", "crush"], "there is no kind of fault called 'crush'."),
        (["--fault", "crash:second=5"], "there is no parameter of crash called 'second'."),
        (["--fault", "stall:seconds=5weeks"], "stall: seconds cannot be '5weeks'."),
        (["--fault", "stall:seconds=-5"], "stall: seconds cannot be -5.0."),
        (["--fault", "stall:30"], "the fault 'stall:30' cannot be read."),
        (["--fault", "timeout:outcome=maybe"], "timeout: outcome cannot be 'maybe'."),
        (["--fault", "decimal-shift:places=0"], "decimal-shift: places cannot be 0."),
        (["--fault", "torn-batch:kept_items=1.5"], "torn-batch: kept_items cannot be '1.5'."),
        (["--fault", "stall", "--faults", "-1"], "--faults cannot be -1."),
        (["--fault", "stall:target=wrtr-*"], "the target 'wrtr-*' of the fault stall matches nothing."),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_run(racewindow: CommandLine, options: list[str], message: str) -> None:
    ran = racewindow("explore", "mine.py", *options)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"racewindow: {message}\n")
    assert ran.err.count("Do: ") == 1 and ran.err.count("Why: ") <= 1
    assert not Path(".racewindow").exists()


@pytest.mark.usefixtures("ours")
def test_a_kind_that_is_named_is_let_strike(racewindow: CommandLine) -> None:
    ran = racewindow("explore", "others.py:fine", "--fault", "stall:seconds=2min", "--strategy", "dpor", "--json")
    shown = json.loads(ran.out)

    assert (ran.status, shown["faults_offered"], shown["complete"]) == (0, {"stall": 0}, True)
    assert "the fault stall was never offered" in shown["notes"][0]
