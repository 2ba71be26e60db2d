"""The whole run: failures of the past first, then every target within what is left of the budget, in a stable order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from racewindow.budget import Progress
from racewindow.ci.changes import changed_since, sources_of
from racewindow.ci.config import Config
from racewindow.ci.past import still_failing, try_entry
from racewindow.ci.places import shown
from racewindow.ci.progress import CiProgress, expected_seconds
from racewindow.ci.rows import Row
from racewindow.ci.shares import Past, read_times, share_of_first, write_times
from racewindow.ci.targets import Loaded, load_target, run_target, unrun
from racewindow.corpus import Corpus, Tried
from racewindow.errors import InputError
from racewindow.virtual import real

OnRow = Callable[[Row], None]
Stage = Callable[[], AbstractContextManager[Callable[[CiProgress], None]]]
"""Where programs are loaded and run: what they print goes nowhere, and there is somebody to report progress to."""


@dataclass(slots=True)
class Run:
    """A run as far as it has come. `seed`: of all targets without one of their own. `notes`: for a person."""

    config: Config
    seed: int
    on_row: OnRow
    stage: Stage
    since: str | None = None
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = 0.0
    _in_all: int = 0
    _tried: list[Tried] = field(default_factory=list)

    def run(self) -> None:
        """Run everything; on Ctrl-C, `rows` has what was done until then. Raises UsageError for a bad `since`."""
        changed = None if self.since is None else changed_since(self.since)
        self.started = real.monotonic()
        self._tried = self._past()
        with self.stage():
            loaded = [load_target(each) for each in self.config.targets]
        if changed is not None:
            loaded = self._changed_first(loaded, changed)
        times = read_times()
        for number, each in enumerate(loaded):
            seconds = self._share(loaded[number:], times)
            if seconds is not None and seconds <= 0:
                self._add(unrun(each.wanted, "not run", "the budget was used up before.", "unsure"))
                continue
            waiting = [other.wanted.name for other in loaded[number + 1 :] if other.scenario is not None]
            with self.stage() as show:
                name, now = each.wanted.name, real.monotonic()
                report = partial(self._report, show=show, name=name, waiting=waiting, times=times, since=now)
                report(None)
                row = run_target(each, seed=self.seed, seconds=seconds, out=self.config.out, on_progress=report)
            self._keep(row, each)
            if row.result is not None:
                bound = row.result.bounds.get("seconds")
                times[each.wanted.name] = Past(row.seconds, enough=bound is None or not bound.reached)
                write_times(times)
            self._add(row)
            if row.result is not None and row.result.interrupted:
                raise KeyboardInterrupt

    def _past(self) -> list[Tried]:
        tried = []
        entries = Corpus(self.config.corpus).entries()
        self._in_all = len(entries) + len(self.config.targets)
        for entry in entries:
            with self.stage() as show:
                show(self._progress(f"past: {entry.path.stem}", None, None))
                row, became = try_entry(entry, self.config.targets)
            self._add(row)
            if became is not None:
                tried.append(became)
        return tried

    def _report(
        self,
        current: Progress | None,
        *,
        show: Callable[[CiProgress], None],
        name: str,
        waiting: list[str],
        times: dict[str, Past],
        since: float,
    ) -> None:
        """Tell how far it is with the target that has been run since then."""
        now = real.monotonic()
        rest = None if self.config.budget is None else self.config.budget - (now - self.started)
        show(self._progress(name, current, expected_seconds(name, now - since, waiting, times, rest)))

    def _progress(self, name: str, current: Progress | None, left: float | None) -> CiProgress:
        return CiProgress(tuple(self.rows), self._in_all, name, current, real.monotonic() - self.started, left)

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self.on_row(row)

    def _share(self, waiting: list[Loaded], times: dict[str, Past]) -> float | None:
        """Seconds for the first of those that wait, None without a budget."""
        if self.config.budget is None:
            return None
        left = self.config.budget - (real.monotonic() - self.started)
        needs = [_need(each, times) for each in waiting]
        return left if needs[0] == 0 else share_of_first(needs, left)

    def _changed_first(self, loaded: list[Loaded], changed: frozenset[Path]) -> list[Loaded]:
        """Those whose sources changed, or cannot be told, before the others; else as they were."""

        def has_changed(each: Loaded) -> bool:
            if each.scenario is None:
                return True
            feed = each.wanted.options.get("feed")
            return bool(changed & sources_of(each.scenario, each.wanted.target, feed))

        first = [each for each in loaded if has_changed(each)]
        self.notes.append(f"{len(first)} of {len(loaded)} targets changed since {self.since}: they came first.")
        return [*first, *(each for each in loaded if each not in first)]

    def _keep(self, row: Row, loaded: Loaded) -> None:
        """What was found and not expected joins the failures of the past, unless the same is there already."""
        failure, scenario = row.failure, loaded.scenario
        if failure is None or scenario is None or (row.target, failure.identity) in still_failing(self._tried):
            return
        try:
            kept = Corpus(self.config.corpus).add(failure, target=row.target, scenario=scenario)
        except InputError as error:
            self.notes.append(error.what)
        else:
            note = f"kept for the next run, to be committed: {shown(kept)}"
            self.notes += [] if note in self.notes else [note]


def _need(loaded: Loaded, times: dict[str, Past]) -> float | None:
    if loaded.scenario is None:
        return 0.0
    past = times.get(loaded.wanted.name)
    return None if past is None else past.need


def seed_of_day() -> int:
    """The day as a number, 20260119: the same in all jobs of a day (UTC)."""
    day = dt.date(1970, 1, 1) + dt.timedelta(seconds=real.time())
    return int(day.strftime("%Y%m%d"))
