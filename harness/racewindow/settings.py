"""The settings of an exploration: everything that is the same for all of its executions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trio

from racewindow.constraints import Before, as_constraints
from racewindow.errors import UsageError
from racewindow.faults import NO_FAULTS, Fault, FaultPlan, installed_kinds, parse_fault
from racewindow.scenarios import Scenario, as_scenario
from racewindow.schedule import Deviation, Schedule

Target = Callable[..., Awaitable[object]] | Scenario


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all executions of a session, after every default has been filled in."""

    scenario: Scenario
    params: Mapping[str, Any] = field(default_factory=dict)
    safeguards: tuple[str, ...] = ()
    feed: Any = None
    feed_path: str | None = None
    feed_options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    semantics: str = "processes"
    clock: str = "idle"
    steps_max: int = 50_000
    step_timeout: float = 10.0
    fingerprint: str = ""
    faults: FaultPlan = NO_FAULTS
    constraints: tuple[Before, ...] = ()

    @property
    def feed_notes(self) -> tuple[str, ...]:
        """What the feed loader wants said about the data, such as gaps: the `notes` of what it returned, if any."""
        return tuple(str(note) for note in getattr(self.feed, "notes", ()))

    def token(self, schedule: Schedule) -> str:
        """The word for a schedule of these settings; parameters at their default go without saying."""
        defaults = self.scenario.resolve_params({})
        params = {name: value for name, value in schedule.params.items() if defaults.get(name) != value}
        return replace(schedule, params=params).token()

    def schedule(self, deviations: Sequence[Deviation]) -> Schedule:
        """The schedule that repeats an execution with these deviations."""
        return Schedule(
            deviations=tuple(deviations),
            seed=self.seed,
            semantics=self.semantics,
            clock=self.clock,
            params=self.params,
            safeguards=self.safeguards,
            feed=self.feed_path,
            feed_options=self.feed_options,
            limits=self._limits(),
            fingerprint=self.fingerprint,
            faults=self._struck(deviations),
            constraints=tuple(map(str, self.constraints)),
        )

    def _struck(self, deviations: Sequence[Deviation]) -> dict[str, str]:
        """The faults that strike in a schedule, and where their classes are."""
        names = {each.option for each in deviations if each.kind == "fault"}
        if not names:
            return {}
        installed = {each.name for each in installed_kinds()}
        struck = [each for each in self.faults.faults if each.text in names]
        return {each.text: "" if each.kind in installed else each.home for each in struck}

    def _limits(self) -> dict[str, float]:
        defaults = Settings(self.scenario)
        found: dict[str, float] = {}
        if self.steps_max != defaults.steps_max:
            found["step_limit"] = self.steps_max
        if self.step_timeout != defaults.step_timeout:
            found["step_timeout"] = self.step_timeout
        return found


def make_settings(
    target: Target,
    *,
    seed: int = 0,
    semantics: str | None = None,
    clock: str = "idle",
    safeguards: Sequence[str] | str | None = None,
    params: Mapping[str, Any] | None = None,
    feed: str | Path | None = None,
    feed_options: Mapping[str, Any] | None = None,
    step_limit: int = 50_000,
    step_timeout: float = 10.0,
    faults: FaultPlan | Fault | int | None = None,
    constraints: Sequence[Before | str] = (),
) -> Settings:
    """Fill in every default of a scenario and load its feed; raises UsageError for what makes no sense."""
    if trio.lowlevel.in_trio_run():
        raise UsageError(
            "an exploration cannot be started inside a running trio program.",
            why="its executions are runs of their own, and runs do not nest.",
            do="call racewindow.explore and racewindow.replay from a plain function, such as a test.",
        )
    scenario = as_scenario(target)
    semantics = semantics or scenario.semantics
    for what, value, known in (("semantics", semantics, ("processes", "trio")), ("clock", clock, ("idle", "racing"))):
        if value not in known:
            raise UsageError(f"there is no {what} called {value!r}.", do=f"use one of: {', '.join(known)}.")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UsageError(f"the seed cannot be {seed!r}.", why="it is an integer.")
    if feed is not None and scenario.feed_loader is None:
        raise UsageError(f"{scenario.name} takes no feed.", do="leave the feed out.")
    options = dict(feed_options or {})
    path = None if feed is None else str(feed)
    return Settings(
        scenario=scenario,
        params=scenario.resolve_params(params or {}),
        safeguards=scenario.resolve_safeguards(safeguards),
        feed=None if scenario.feed_loader is None else scenario.feed_loader(path, **options),
        feed_path=path,
        feed_options=options,
        seed=seed,
        semantics=semantics,
        clock=clock,
        steps_max=step_limit,
        step_timeout=step_timeout,
        fingerprint=scenario.fingerprint,
        faults=scenario.resolve_faults(faults),
        constraints=as_constraints(constraints),
    )


def settings_of(target: Target, schedule: Schedule) -> Settings:
    """The settings under which a schedule was recorded; raises UsageError if they do not fit the scenario."""
    return make_settings(
        target,
        seed=schedule.seed,
        semantics=schedule.semantics,
        clock=schedule.clock,
        safeguards=schedule.safeguards,
        params=schedule.params,
        feed=schedule.feed,
        feed_options=schedule.feed_options,
        faults=_faults_of(target, schedule),
        constraints=schedule.constraints,
        **schedule.limits,  # type: ignore[arg-type]  # checked where the schedule is read
    )


def _faults_of(target: Target, schedule: Schedule) -> FaultPlan:
    """The faults that strike in a schedule, as often as it says; raises UsageError for a kind that is not there."""
    if not schedule.faults:
        return NO_FAULTS
    known = [type(fault) for fault in as_scenario(target).faults]
    faults = tuple(parse_fault(text, known=known, home=home) for text, home in schedule.faults.items())
    return FaultPlan(faults, budget=len(schedule.deviations))
