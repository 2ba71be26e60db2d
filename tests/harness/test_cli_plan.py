"""`racewindow plan`: a plan is begun, checked and shown, by whatever package knows the services."""

from __future__ import annotations

from importlib import metadata
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from racewindow import Plan, PlanFile, PlanMistake, PlanRow, plans
from racewindow.scenarios import as_scenario
from tests.harness.command_line import CommandLine, racewindow
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]

TEMPLATE = 'plan = 1\nsystem = "mine"\nsteps = ["stop", "start"]\n'


async def nothing() -> None:
    """Nothing happens."""


class Mine:
    """A plan system of somebody else's: the harness knows nothing of it."""

    template = TEMPLATE

    def load(self, file: PlanFile) -> Plan:
        steps = file.data.get("steps", [])
        wrong = [
            PlanMistake.unknown(("steps", n), "step", name, ["stop", "start"])
            for n, name in enumerate(steps)
            if name not in ("stop", "start")
        ]
        if wrong:
            raise file.refuse(wrong)
        rows = [PlanRow(f"00:0{n}:00", "somebody", name, ("a detail " * 12,)) for n, name in enumerate(steps)]
        return Plan(as_scenario(nothing, name=file.stem), tuple(rows), {"services": ["one " * 30, "two"]})


MINE = Mine()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan system `mine`, and one that cannot be loaded."""
    entries = [
        EntryPoint("mine", f"{__name__}:MINE", plans.GROUP),
        EntryPoint("broken", "nowhere.to.be:FOUND", plans.GROUP),
    ]
    everything = metadata.entry_points

    def entry_points(**selected: str) -> object:
        return EntryPoints(entries) if selected.get("group") == plans.GROUP else everything(**selected)

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    monkeypatch.setattr(EntryPoint, "load", lambda entry: MINE if entry.name == "mine" else _broken())


def _broken() -> None:
    message = "no module named 'nowhere'"
    raise ImportError(message)


def test_a_plan_is_begun_checked_and_shown_by_who_knows_its_services(
    installed: None,
    racewindow: CommandLine,
) -> None:
    new = racewindow("plan", "new", "tonight.toml", "--system", "mine")

    assert (new.status, new.err) == (0, "")
    assert new.out.splitlines()[1:] == ["  racewindow plan check tonight.toml", "  racewindow explore tonight.toml"]
    assert Path("tonight.toml").read_text(encoding="utf-8") == TEMPLATE
    shown = racewindow("plan", "check", "tonight.toml")
    assert (shown.status, shown.err) == (0, "")
    assert max(map(len, shown.out.splitlines())) <= 80
    assert_snapshot("plan_check.txt", shown.out)


def test_without_a_file_it_is_printed(installed: None, racewindow: CommandLine) -> None:
    assert racewindow("plan", "new", "--system", "mine").out == TEMPLATE


def test_a_plan_is_explored_as_any_target_and_its_text_is_its_fingerprint(
    installed: None,
    racewindow: CommandLine,
) -> None:
    racewindow("plan", "new", "tonight.toml", "--system", "mine")

    ran = racewindow("explore", "tonight.toml", "--strategy", "dpor")

    assert (ran.status, ran.err) == (0, "")
    assert "tonight" in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("new", "there.toml", "--system", "mine"), "there.toml is there already."),
        (("new", "plan.txt", "--system", "mine"), "a plan cannot be called plan.txt."),
        (("new", "no/where/p.toml", "--system", "mine"), "no/where/p.toml cannot be written."),
        (("new", "--system", "min"), "did you mean 'mine'?"),
        (("new", "--system", "broken"), "the plan system 'broken' cannot be loaded."),
        (("check", "ther.toml"), "did you mean there.toml?"),
        (("check", "folder.toml"), "is a folder, not a file"),
        (("check", "there.toml"), "line 3, column 10, steps[1]: there is no step called 'stp';"),
    ],
)
def test_what_cannot_be_done_is_one_message(
    arguments: tuple[str, ...],
    told: str,
    installed: None,
    racewindow: CommandLine,
) -> None:
    Path("there.toml").write_text(TEMPLATE.replace('"stop"', '"stp"'), encoding="utf-8")
    Path("folder.toml").mkdir()

    ran = racewindow("plan", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert told in " ".join(ran.err.split())
    assert "Traceback" not in ran.err
    assert Path("there.toml").read_text(encoding="utf-8") == TEMPLATE.replace('"stop"', '"stp"')
