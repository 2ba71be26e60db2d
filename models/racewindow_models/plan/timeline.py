"""What `racewindow plan check` shows of a plan: the window as a timeline, and what there is beside the runbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from racewindow import PlanRow
from racewindow_models.plan.judgeable import cannot_judge
from racewindow_models.plan.quantities import text_time
from racewindow_models.plan.schema import (
    Book,
    CopyRows,
    Database,
    ExchangePlan,
    Restore,
    SetMode,
    Start,
    StepBase,
    Stop,
    Validate,
    Within,
    verb_of,
)
from racewindow_models.plan.waits import earliest_times
from racewindow_models.safeguards import SAFEGUARDS
from racewindow_models.units import SECOND_NS


def rows_of(plan: ExchangePlan) -> tuple[PlanRow, ...]:
    """The steps in the order of the earliest time at which each can begin, and what follows them."""
    times = earliest_times(plan)
    ordered = sorted(range(len(plan.runbook)), key=lambda number: (times[number], number))
    return tuple(_row(plan.runbook[number], times[number]) for number in ordered)


def _row(step: StepBase, time_ns: int) -> PlanRow:
    return PlanRow(_clock(time_ns), step.by, step.step, (_what(step), *_details(step)))


def _clock(time_ns: int) -> str:
    minutes, seconds = divmod(time_ns // SECOND_NS, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _what(step: StepBase) -> str:
    verb = verb_of(type(step))
    match step:
        case Stop() | Start():
            return f"{verb} {_and(step.instances)}"
        case SetMode():
            return f"mode {step.mode}"
        case CopyRows() if step.markets is not None:
            return f"{verb} the rows of {_and(step.markets)}"
        case Validate():
            return f"{verb} against {'the cloud' if step.against == 'cloud' else 'the state before and other venues'}"
        case Restore():
            return f"{verb} {_and(step.parts)}"
    return verb


def _details(step: StepBase) -> Iterator[str]:
    if step.after:
        yield f"after {_and([repr(name) for name in step.after])}"
    if step.when_ready:
        yield f"when {_and(step.when_ready)} {_are(step.when_ready)} ready"
    if step.when_gone:
        yield f"when {_and(step.when_gone)} {_are(step.when_gone)} gone"
    if isinstance(step, Validate):
        if step.block_since is not None:
            yield f"waits for a block of {_clock(step.block_since)} or later"
        yield f"if it is rejected: {step.on_rejection}"
    if any(step.takes):
        yield f"takes {' or '.join(text_time(each) for each in step.takes)}"
    if step.within is not None:
        yield f"within {text_time(step.within)}, else: {step.on_overrun}"
    if step.only_with is not None:
        yield f"only with {step.only_with}"
    if step.not_with is not None:
        yield f"not with {step.not_with}"


def notes_of(plan: ExchangePlan) -> dict[str, list[str]]:
    """What there is beside the runbook, one sentence each."""
    writer, sizes, feed = plan.services.writer, plan.exchange, plan.feed
    saved = "when it is stopped" if writer.saves == "when stopped" else "all along"
    writers = (
        f"writer: {_and([f'{name} ({at_start})' for name, at_start in writer.instances.items()])}; "
        f"start-up: {writer.start_up}; ready when {writer.ready}; saves its states {saved}"
    )
    services = [writers]
    for name in ("committer", "liquidator"):
        single = getattr(plan.services, name)
        if single is not None:
            grace = getattr(single, "grace", 0)
            services.append(f"{name} ({single.at_start}){f'; grace period: {text_time(grace)}' if grace else ''}")
    cross = f", {sizes.cross} with cross margin" if sizes.cross else ""
    size = (
        f"{_count(sizes.markets, 'market')} of {feed.file or 'the feed that comes along'}, "
        f"{_count(sizes.accounts, 'account')} in each{cross}; a round is {text_time(feed.tick * SECOND_NS)}, "
        f"round 0 is at {_clock(sizes.first_round * SECOND_NS)}"
    )
    exchange = [size]
    if plan.mode_at_start is not None:
        exchange.append(f"the markets are {plan.mode_at_start} when the window begins")
    old, new = plan.database.versions
    notes = {"exchange": exchange, "services": services}
    notes["database"] = [f"{old}, then {new}; rows are copied {_copied_in(plan.database)}"]
    if plan.book is not None:
        notes["book"] = [_book(plan.book)]
    if plan.safeguards:
        notes["safeguards"] = [
            f"{name} ({'on' if on else 'off'}): {SAFEGUARDS[name]}{_but(name, plan)}"
            for name, on in plan.safeguards.items()
        ]
    notes["checks"] = [_check(name, wanted, plan) for name, wanted in plan.checks.items() if wanted]
    if plan.faults.kinds:
        notes["faults"] = [f"at most {plan.faults.budget} of {_and(plan.faults.kinds)}"]
    if plan.cut_off is not None:
        then = {"leave": "it is left at that", "resume": "somebody goes on", "roll back": "it is rolled back"}
        later = f" after {text_time(plan.cut_off.resume_after)}" if plan.cut_off.resume_after else ""
        notes["cut-off"] = [f"after any step but the last; then {then[plan.cut_off.then]}{later}"]
    return notes


def _check(name: str, wanted: bool | Within, plan: ExchangePlan) -> str:  # noqa: FBT001
    text = f"{name} within {text_time(wanted.within)}" if isinstance(wanted, Within) else name
    why = cannot_judge(name, plan)
    return f"{text}: unknown in every order of events, because {why}" if why else text


def _but(name: str, plan: ExchangePlan) -> str:
    """What makes the sentence about a safeguard untrue in this plan."""
    if name == "require_ready" and plan.services.writer.ready == "started":
        return '; it asks the writer, which here says so as soon as it is started (ready = "started")'
    return ""


def _copied_in(database: Database) -> str:
    if database.copy_in != "read, then write":
        return f"in {database.copy_in}"
    return f"in batches of {_count(database.batch, 'row')}, each read and then written"


def _book(book: Book) -> str:
    times = [text_time(each * SECOND_NS) for each in (book.makers_back, book.grace)]
    return (
        f"the first bid is {book.depth} % below the fair price; market makers are back after {times[0]}; the grace "
        f"period is {times[1]}; liquidator and TP/SL orders look in {_count(book.rounds, 'round')}"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _and(words: Sequence[str]) -> str:
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last
