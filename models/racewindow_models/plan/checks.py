"""The checks that a plan can name, and those that are about the window itself: is it left safe, does trading reopen."""

from __future__ import annotations

from collections.abc import Callable

from racewindow import Checker, History, Verdict, Violation, checker
from racewindow_models.checkers_accounts import conservation, no_false_liquidation
from racewindow_models.checkers_chain import (
    bounded_delta,
    no_mixed_generations,
    no_unknown_age,
    ready_before_write,
    sinks_agree,
)
from racewindow_models.checkers_ownership import single_active_writer
from racewindow_models.checkers_reopening import conservation_of_transfers, validate_before_exit
from racewindow_models.checkers_reopening import liquidation_last as liquidation_after_thin_books
from racewindow_models.checkers_rollout import config_valid_before_activate
from racewindow_models.checkers_sinks import generation_monotonic, rollback_complete, sinks_agree_when_read
from racewindow_models.checkers_valuation import independent_band
from racewindow_models.plan.checks_opening import decision_inputs_fresh, liquidation_last
from racewindow_models.plan.judgeable import cannot_judge
from racewindow_models.plan.quantities import text_time
from racewindow_models.plan.schema import ExchangePlan, Within, goes_back


@checker("safe_to_leave")
def safe_to_leave(history: History) -> Verdict:
    """When nobody does anything any more, the exchange can be left as it is until somebody comes.

    That is: the version of the database that routing points to is there and holds a state of every market, unless a
    writer that knows them lives to save them there (else `missing rows`); at most one writer can write (else `split
    brain`); and if liquidations go on, a writer lives that publishes (else `unattended`: prices grow old, and accounts
    are judged by them).
    """
    left = [event for event in history.events if event.kind == "window.left"]
    if not left:
        return Verdict.unknown("the execution ended before the window did")
    (event,) = left
    data, cut = event.data, event.data["after"]
    since = f"the runbook stops at {cut!r}" if cut else "the runbook has ended"
    found = []

    def wrong(class_: str, subject: str, what: str) -> None:
        found.append(Violation(class_, subject, f"{since}, and {what}", event.time_ns))

    if data["dropped"]:
        wrong("missing rows", data["routed"], f"{data['routed']}, which is in use, has been dropped")
    for market in () if data["dropped"] else data["missing"]:
        wrong("missing rows", market, f"{data['routed']}, which is in use, has no state of {market}")
    if len(data["writers"]) > 1:
        wrong("split brain", data["writers"][-1], f"{' and '.join(data['writers'])} are left to write at once")
    if data["liquidates"] and not data["writers"]:
        wrong("unattended", "liquidator", "the liquidator goes on while no writer publishes")
    return Verdict.violated(found)


@checker("no_overlap")
def no_overlap(history: History) -> Verdict:
    """No instance of the writer begins to live while another one does."""
    found = []
    for event in history.events:
        if event.kind == "writer.up" and event.data["others"]:
            name, others = event.data["instance"], event.data["others"]
            message = f"{name} starts while {' and '.join(others)} still live{'s' if len(others) == 1 else ''}"
            found.append(Violation("split brain", name, message, event.time_ns))
    return Verdict.violated(found)


def eventually_reopens(within_ns: int) -> Checker:
    """The check that the markets are open again `within_ns` after the window began."""

    @checker("eventually_reopens", observes=["time"])
    def reopens(history: History) -> Verdict:
        opened = [e.time_ns for e in history.events if e.kind == "mode.changed" and e.data["mode"] == "open"]
        if opened and opened[0] <= within_ns:
            return Verdict.holds()
        if not opened and not history.finished and history.end_ns <= within_ns:
            return Verdict.unknown("the execution ended before it was time")
        when = f"only after {text_time(opened[0])}" if opened else "never"
        message = f"the markets open {when}; they have to within {text_time(within_ns)}"
        return Verdict.violated([Violation("late", "markets", message, history.end_ns)])

    return reopens


CHECKS: dict[str, Checker] = {
    each.name: each
    for each in (
        no_false_liquidation,
        ready_before_write,
        no_unknown_age,
        bounded_delta,
        generation_monotonic,
        no_mixed_generations,
        sinks_agree,
        conservation,
        no_overlap,
        single_active_writer,
        config_valid_before_activate,
        validate_before_exit,
        liquidation_last,
        independent_band,
        rollback_complete,
        safe_to_leave,
    )
}
"""Those without a bound of their own, by name, the gravest first."""
BOUNDED: dict[str, Callable[[int], Checker]] = {
    "eventually_reopens": eventually_reopens,
    "decision_inputs_fresh": decision_inputs_fresh,
}
"""Those that need one."""


OF_BOOKS: dict[str, Checker] = {
    "conservation": conservation_of_transfers,
    "liquidation_last": liquidation_after_thin_books,
}
"""How the same is judged where accounts trade, and marks follow a book."""


def checker_of(name: str, wanted: bool | Within, plan: ExchangePlan) -> Checker:  # noqa: FBT001
    """The checker that a plan names; one that answers unknown where the plan has nothing that it could judge."""
    made = BOUNDED[name](wanted.within) if isinstance(wanted, Within) else CHECKS[name]
    if why := cannot_judge(name, plan):
        return checker(name)(lambda _: Verdict.unknown(why))
    if name == "sinks_agree" and goes_back(plan):
        return sinks_agree_when_read
    return made if plan.book is None else OF_BOOKS.get(name, made)
