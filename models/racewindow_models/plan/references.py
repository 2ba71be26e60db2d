"""What in a plan has to fit together: names that refer to each other, waits, and what can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from racewindow import PlanMistake, UsageError, parse_fault
from racewindow_models.fair import GENERAL_BAND_E8
from racewindow_models.feed import load
from racewindow_models.plan.checks import BOUNDED, CHECKS
from racewindow_models.plan.quantities import text_time
from racewindow_models.plan.schema import (
    BringBack,
    CopyRows,
    Drop,
    ExchangePlan,
    SetMode,
    Start,
    StepBase,
    Stop,
    Validate,
    Within,
    goes_back,
)
from racewindow_models.plan.trading import NAMES
from racewindow_models.plan.waits import before, by_person, stuck
from racewindow_models.units import E8

BY_THE_OPERATOR = ("full_downtime", "drain_writes", "copy_complete")
"""Safeguards that are steps of the runbook; all others are in the services."""
OF_PLANS = (
    *("require_ready", "presence_required", "age_guard", "atomic_batch", "delta_guard", "keep_last_good"),
    *("fencing", "lease", "cas_write", "generation_check", "outbox", "independent_validation", "re_evaluate"),
    *("liquidation_grace", "liquidation_after_fresh", "external_mark_at_reopen", "post_only_band"),
    *BY_THE_OPERATOR,
)
"""Those that make a difference in a plan; others guard services that a plan has not."""
BAND_PERCENT = GENERAL_BAND_E8 * 100 // E8
SINGLE = ("committer", "liquidator")
"""Services of one instance, which is called like the service."""


def mistakes_in(plan: ExchangePlan, folder: Path) -> list[PlanMistake]:
    """Everything that does not fit, in no particular order."""
    return [
        *_instances(plan),
        *_book(plan),
        *_feed(plan, folder),
        *(mistake for number in range(len(plan.runbook)) for mistake in _step(plan, number, folder)),
        *_names(plan),
        *(_cycle(plan) or _times(plan)),
        *_undoing(plan),
        *_safeguards(plan),
        *_checks(plan),
        *_faults(plan),
    ]


def market_names(plan: ExchangePlan, folder: Path) -> tuple[str, ...]:
    """The names of the markets; raises UsageError for a feed that cannot be used."""
    feed = load(feed_path(plan, folder), allow_negative_prices=plan.feed.allow_negative_prices)
    return tuple(feed.market(number).name for number in range(plan.exchange.markets))


def feed_path(plan: ExchangePlan, folder: Path) -> str | None:
    """Where the plan's feed is; None for the one that comes along."""
    return None if plan.feed.file is None else str(folder / plan.feed.file)


def instances_of(plan: ExchangePlan) -> dict[str, str]:
    """Every instance, with what it does when the window begins."""
    singles = {name: getattr(plan.services, name) for name in SINGLE}
    return {**plan.services.writer.instances, **{name: each.at_start for name, each in singles.items() if each}}


def _instances(plan: ExchangePlan) -> Iterator[PlanMistake]:
    where = ("services", "writer", "instances")
    names = list(plan.services.writer.instances)
    if not names:
        yield PlanMistake(where, "there is no instance", 'at least one, such as { writer-1 = "idle" }')
    for name in names:
        if name in SINGLE:
            yield PlanMistake(
                (*where, name), f"{name!r} is the name of another service", "a name of its own", "writer-1"
            )
    for person in plan.people:
        if person in instances_of(plan):
            wrong = f"{person!r} is an instance of a service"
            yield PlanMistake(("people", person), wrong, "a name of their own")
    old, new = plan.database.versions
    if old == new:
        yield PlanMistake(("database", "versions"), f"both versions are called {old!r}", "two names")


def _book(plan: ExchangePlan) -> Iterator[PlanMistake]:
    back = [number for number, step in enumerate(plan.runbook) if isinstance(step, BringBack)]
    if plan.book is None:
        for number in back:
            yield PlanMistake(("runbook", number, "do"), "nobody trades in this plan", "a table [book]")
        return
    if not back:
        yield PlanMistake(("book",), "nobody ever trades there", 'a step with do = "bring back"')
    for number in back[1:]:
        wrong = f"{plan.runbook[back[0]].step!r} has brought everybody back"
        yield PlanMistake(("runbook", number, "do"), wrong, "one such step")
    if not 0 <= plan.book.depth < BAND_PERCENT:
        wrong = f"{plan.book.depth} % is outside the general price band"
        yield PlanMistake(("book", "depth"), wrong, f"at least 0 %, below {BAND_PERCENT} %")
    if plan.services.liquidator is not None:
        wrong = "those who are brought back have a liquidator among them"
        yield PlanMistake(("services", "liquidator"), wrong, "[book] without this table")
    where = ("services", "writer", "instances")
    for name in NAMES:
        for place, taken in (((*where, name), plan.services.writer.instances), (("people", name), plan.people)):
            if name in taken:
                yield PlanMistake(place, f"{name!r} is one of those who are brought back", "a name of its own")


def _feed(plan: ExchangePlan, folder: Path) -> Iterator[PlanMistake]:
    try:
        market_names(plan, folder)
    except UsageError as error:
        why = f": {error.why.rstrip('.')}" if error.why else ""
        expected = "a CSV file with time and price columns, looked for from the plan's folder"
        yield PlanMistake(("feed", "file"), f"{error.what.rstrip('.')}{why}", expected)


def _step(plan: ExchangePlan, number: int, folder: Path) -> Iterator[PlanMistake]:
    step, where, known = plan.runbook[number], ("runbook", number), instances_of(plan)
    steps = [each.step for each in plan.runbook]
    if step.by not in plan.people:
        yield PlanMistake.unknown((*where, "by"), "person", step.by, plan.people)
    for position, name in enumerate(step.after):
        if name not in steps:
            yield PlanMistake.unknown((*where, "after", position), "step", name, steps)
    for key in ("when_ready", "when_gone", "instances"):
        for position, name in enumerate(getattr(step, key, ())):
            if name not in known:
                yield PlanMistake.unknown((*where, key, position), "instance", name, known)
            else:
                yield from _is_possible(plan, (*where, key, position), key, step, name)
    for key in ("only_with", "not_with"):
        name = getattr(step, key)
        if name is not None and name not in plan.safeguards:
            yield PlanMistake.unknown((*where, key), "safeguard in [safeguards]", name, plan.safeguards)
    if isinstance(step, CopyRows) and step.markets is not None:
        yield from _markets(plan, where, step.markets, folder)
    if isinstance(step, Validate):
        yield from _validation(plan, where, step)
    for key, what in (("parts", "part"), ("instances", "instance")):
        named = getattr(step, key, ())
        for position, name in enumerate(named):
            if name in named[:position]:
                yield PlanMistake((*where, key, position), f"{name!r} is named twice", f"each {what} once")
    if (step.within is None) != (step.on_overrun is None):
        lacks, has = ("on_overrun", "within") if step.on_overrun is None else ("within", "on_overrun")
        expected = "continue, abort or roll back" if lacks == "on_overrun" else 'how long it may take, such as "5 min"'
        yield PlanMistake((*where, has), f"the key {lacks!r} is missing beside {has!r}", expected)


def _validation(plan: ExchangePlan, where: tuple[str | int, ...], step: Validate) -> Iterator[PlanMistake]:
    if step.on_overrun == "continue":
        wrong = "nobody can go on before a validation has an answer"
        yield PlanMistake((*where, "on_overrun"), wrong, "abort or roll back", "abort")
    if step.block_since is not None and plan.services.committer is None and plan.book is None:
        wrong = "there will be no such block, because this plan has no committer"
        yield PlanMistake((*where, "block_since"), wrong, "[services.committer]")
    committer = plan.services.committer
    started = {name for each in plan.runbook if isinstance(each, Start) for name in each.instances}
    if step.block_since is not None and committer and committer.at_start == "down" and "committer" not in started:
        wrong = "there will be no such block, because no step starts the committer, which is down"
        yield PlanMistake((*where, "block_since"), wrong, 'a step with do = "start" and the committer in instances')


def _markets(plan: ExchangePlan, where: tuple[str | int, ...], named: list[str], folder: Path) -> Iterator[PlanMistake]:
    try:
        known = market_names(plan, folder)
    except UsageError:
        return  # told already
    for position, name in enumerate(named):
        if name not in known:
            yield PlanMistake.unknown((*where, "markets", position), "market", name, known)


def _is_possible(
    plan: ExchangePlan, where: tuple[str | int, ...], key: str, step: StepBase, name: str
) -> Iterator[PlanMistake]:
    """An instance that is waited for, stopped or started has to come into that position at all."""
    at_start = instances_of(plan)[name]
    started = any(isinstance(each, Start) and name in each.instances for each in plan.runbook)
    stopped = any(isinstance(each, Stop) and name in each.instances for each in plan.runbook)
    if key == "when_ready" and at_start == "down" and not started:
        yield PlanMistake(where, f"{name!r} is down and no step starts it", "an instance that is up at some time")
    elif key == "when_gone" and at_start != "down" and not stopped:
        yield PlanMistake(where, f"{name!r} is up and no step stops it", "an instance that is stopped by a step")
    elif isinstance(step, Start) and key == "instances" and at_start != "down" and not stopped:
        yield PlanMistake(where, f"{name!r} is up already and no step stops it", "an instance that is down")
    elif isinstance(step, Stop) and key == "instances" and at_start == "down" and not started:
        yield PlanMistake(where, f"{name!r} is down and no step starts it", "an instance that is up at some time")


def _names(plan: ExchangePlan) -> Iterator[PlanMistake]:
    first: dict[str, int] = {}
    for number, step in enumerate(plan.runbook):
        if step.step in first:
            wrong = f"two steps are called {step.step!r}: number {first[step.step] + 1} and this one"
            yield PlanMistake(("runbook", number, "step"), wrong, "a name of its own")
        first.setdefault(step.step, number)


def _cycle(plan: ExchangePlan) -> list[PlanMistake]:
    """Steps that wait for each other, so that none of them is ever taken; the waits of one person's order included."""
    left, waits = stuck(plan), before(plan)
    number = min((each for each in left if plan.runbook[each].after and waits[each] & left), default=None)
    if number is None:
        return []
    names = [plan.runbook[each].step for each in sorted(left)]
    wrong = f"{plan.runbook[number].step!r} can never be taken: steps wait for each other ({', '.join(names)})"
    return [PlanMistake(("runbook", number, "after"), wrong, "steps that come before it, also in each person's order")]


def _times(plan: ExchangePlan) -> list[PlanMistake]:
    found = []
    for own in by_person(plan):
        timed = [(number, at) for number in own if (at := plan.runbook[number].not_before) is not None]
        for (earlier, first), (later, second) in pairwise(timed):
            if second < first:
                wrong = (
                    f"{text_time(second)} is before {plan.runbook[earlier].step!r}, which the same person does first"
                )
                found.append(PlanMistake(("runbook", later, "not_before"), wrong, f"at least {text_time(first)}"))
    return found


def _undoing(plan: ExchangePlan) -> Iterator[PlanMistake]:
    dropped = next((n for n, step in enumerate(plan.runbook) if isinstance(step, Drop)), None)
    if dropped is None:
        return
    name = plan.runbook[dropped].step
    for number, step in enumerate(plan.runbook):
        if isinstance(step, CopyRows) and number > dropped:
            yield PlanMistake(
                ("runbook", number, "do"), f"{name!r} has dropped what it copies", "a step before that one"
            )
        if step.on_overrun == "roll back" and number >= dropped:
            wrong = f"it cannot be rolled back: {name!r} has dropped the old version"
            yield PlanMistake(("runbook", number, "on_overrun"), wrong, "continue or abort", "abort")
    if plan.cut_off is not None and plan.cut_off.then == "roll back":
        wrong = f"not every cut can be rolled back: {name!r} drops the old version"
        yield PlanMistake(("cut_off", "then"), wrong, "leave or resume", "resume")


def _validates(plan: ExchangePlan) -> bool:
    return any(isinstance(step, Validate) for step in plan.runbook)


def _liquidates(plan: ExchangePlan) -> bool:
    return plan.services.liquidator is not None or plan.book is not None


def _has_grace(plan: ExchangePlan) -> bool:
    closer = plan.services.liquidator
    return plan.book is not None or (closer is not None and closer.grace > 0)


def _has_book(plan: ExchangePlan) -> bool:
    return plan.book is not None


_NO_BOOK = (_has_book, "it has no order book", "[book]")
_NO_VALIDATION = (_validates, "no step validates anything", 'a step with do = "validate"')
_GUARDED: dict[str, tuple[Callable[[ExchangePlan], bool], str, str]] = {
    "outbox": (goes_back, "nothing is restored", 'a step with do = "restore"'),
    "independent_validation": _NO_VALIDATION,
    "re_evaluate": _NO_VALIDATION,
    "liquidation_after_fresh": (_liquidates, "it has no liquidator", "[services.liquidator]"),
    "external_mark_at_reopen": _NO_BOOK,
    "post_only_band": _NO_BOOK,
    "liquidation_grace": (_has_grace, "there is no grace period", "grace in [services.liquidator]"),
}
"""Safeguard -> whether a plan has what it guards, what it lacks else, and what was expected."""


def _safeguards(plan: ExchangePlan) -> Iterator[PlanMistake]:
    referred = {name for step in plan.runbook for name in (step.only_with, step.not_with)}
    for name in plan.safeguards:
        if name not in OF_PLANS:
            yield PlanMistake.unknown(("safeguards", name), "safeguard", name, OF_PLANS)
        elif name in BY_THE_OPERATOR and name not in referred:
            wrong = f"{name!r} does nothing in this plan, because no step depends on it"
            yield PlanMistake(("safeguards", name), wrong, f'a step with only_with = "{name}" or not_with = "{name}"')
        elif name in _GUARDED and not _GUARDED[name][0](plan):
            wrong = f"{name!r} does nothing in this plan, because {_GUARDED[name][1]}"
            yield PlanMistake(("safeguards", name), wrong, _GUARDED[name][2])


def _checks(plan: ExchangePlan) -> Iterator[PlanMistake]:
    for name, wanted in plan.checks.items():
        where = ("checks", name)
        if name not in CHECKS and name not in BOUNDED:
            yield PlanMistake.unknown(where, "check", name, [*CHECKS, *BOUNDED])
        elif name in BOUNDED and wanted is True:
            yield PlanMistake(where, f"{name!r} lacks its bound", 'a bound, such as { within = "5 min" }')
        elif name in CHECKS and isinstance(wanted, Within):
            yield PlanMistake(where, f"{name!r} takes no bound", "true or false", "true")
    if plan.checks and not any(plan.checks.values()):
        yield PlanMistake(("checks",), "nothing is checked", "at least one check that is true")
    reopens = any(isinstance(step, SetMode) and step.mode == "open" for step in plan.runbook)
    if plan.checks.get("eventually_reopens") and not reopens:
        wrong = "the markets never open, because no step sets their mode"
        yield PlanMistake(("checks", "eventually_reopens"), wrong, 'a step with do = "mode" and mode = "open"')


def _faults(plan: ExchangePlan) -> Iterator[PlanMistake]:
    for position, text in enumerate(plan.faults.kinds):
        try:
            parse_fault(text)
        except UsageError as error:
            near, _, known = error.do.partition("? ")
            nearest = near.partition("'")[2].partition("'")[0] if known else ""
            expected = "a kind that `racewindow faults` lists, with parameters that it has"
            yield PlanMistake(("faults", "kinds", position), error.what.rstrip("."), expected, nearest)
    if plan.faults.budget and not plan.faults.kinds:
        yield PlanMistake(
            ("faults", "budget"), "there is nothing that it could be spent on", "kinds in [faults], or 0", "0"
        )
