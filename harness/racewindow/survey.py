"""A survey: which failures there are under some constraints or safeguards, as far as a budget goes.

What an explanation asks many times. Unlike an exploration it confirms and keeps nothing: it counts failures by their
identity, stops as soon as the one that it is about is seen, and says whether every order of events was run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from racewindow.audit import Auditor
from racewindow.constraints import Before
from racewindow.errors import DivergenceError
from racewindow.judging import Identity
from racewindow.runtime.execution import STOPPED
from racewindow.runtime.gates import held_by
from racewindow.runtime.guided import CUT
from racewindow.runtime.loop import LIMIT
from racewindow.runtime.primitives import PEAK
from racewindow.session import Ran, Session
from racewindow.strategies.dfs import DepthFirst
from racewindow.strategies.dpor import OptimalReduction
from racewindow.strategies.fault_sampling import FaultSampling, strike_chance
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategy import Picker

LOOK_AROUND = 24
"""Random walks before a search begins: what fails often is refuted by them at once."""


@dataclass(slots=True)
class Survey:
    """What was seen. `orders`: executions of the search, each another order; `walks`: random ones besides.

    `complete`: the search has run every order. `found`: in how many executions each failure was seen.
    """

    orders: int = 0
    walks: int = 0
    complete: bool = False
    found: Counter[Identity] = field(default_factory=Counter)
    failing: int = 0
    """Executions with any failure."""
    stuck: int = 0
    """Executions at whose end a task is held back by a constraint."""
    refuted: bool = False
    """What it was about was seen, and it ended there."""

    @property
    def executions(self) -> int:
        """All of them."""
        return self.orders + self.walks

    def as_mapping(self) -> Mapping[Identity, int]:
        """`found`, frozen."""
        return dict(self.found)


def survey(
    session: Session,
    limit: int,
    stop_at: Identity | None = None,
    *,
    search: bool = True,
    out_of_time: Callable[[], bool] = lambda: False,
    given: Collection[Before] = (),
) -> Survey:
    """Run at most `limit` executions, inside an `Environment` with footprints; a search that ends needs no more.

    `given`: constraints at which a task may stand for ever. A few random walks come first, then the search, if one is
    wanted. If it does not end within two thirds of what is left, the rest goes to random walks.
    """
    done = Survey()
    walk = RandomWalk(session.settings.seed)

    def stop() -> bool:
        return done.refuted or out_of_time()

    def note(ran: Ran) -> None:
        if session.watchdog is not None and session.watchdog.interrupted:
            raise KeyboardInterrupt
        identities = {finding.identity for finding in ran.judged.findings}
        done.found.update(identities)
        done.failing += bool(identities)
        done.stuck += any(held_by(task, given) for task in ran.raw.left)
        done.refuted = stop_at in identities

    def look_around(count: int) -> None:
        for _ in range(count):
            if stop():
                return
            ran = session.run(with_faults(walk.start(done.walks), done.walks))
            done.walks += 1
            note(ran)

    look_around(min(LOOK_AROUND, limit))
    if search:
        _search(session, done, (limit - done.walks) * 2 // 3, stop, note)
        if not done.complete:
            look_around(limit - done.executions)
    return done


_POINTS = 8
"""At so many fault points a fault strikes in about half of the random walks."""


def with_faults(picker: Picker, number: int) -> Picker:
    """A random walk in which faults strike by chance, where any may."""
    return FaultSampling(picker, b"%d/survey" % number, strike_chance(_POINTS))


def _search(session: Session, done: Survey, limit: int, stop: Callable[[], bool], note: Callable[[Ran], None]) -> None:
    """Orders one after the other, until there are no more or something ends it."""
    if session.settings.semantics == "trio":
        searching: Any = DepthFirst()
    else:
        searching = OptimalReduction()
        searching.attach(session.probe, session.tables.keys, session.tables.tasks.paths, session.settings.faults)
    auditor, sure = Auditor(session), True
    try:
        while not stop():
            picker = searching.start(done.orders)
            if picker is None:
                done.complete = sure and not session.tables.keys.knows(PEAK)
                return
            if done.orders >= limit:
                return
            ran = session.run(picker)
            if ran.raw.end != CUT:
                done.orders += 1
                note(ran)
                sure = sure and ran.raw.end not in (LIMIT, STOPPED) and not session.probe_stopped
            searching.finished(ran.trail, ran.raw.steps)
            sure = sure and not auditor.check(done.orders - 1, ran, searching, picker)
    except DivergenceError:  # state that is not tracked: no proof can be had
        return
