"""The text of a result for an 80-column terminal.

Pure functions of values: nothing is printed here. What was found comes first, then what was explored and under which
limits; where nothing was found, the words say how little that means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from racewindow.coverage import missed_text, reached_text
from racewindow.failure import Failure
from racewindow.plain import one_line, plain
from racewindow.report_failure import failure_text, name_of, untrusted_text
from racewindow.report_layout import WIDTH, about_as_many, counted, section, two_digits, wrap
from racewindow.result import Bound, Part, Result
from racewindow.wording import how_text

__all__ = ["failure_text", "result_text", "untrusted_text"]

_RATE_FROM = 10
"""Executions below which a rate would only measure how long the first one took."""
_LIMITS: Mapping[str, str] = {
    "schedules": "{limit:,} execution{s}",
    "seconds": "{limit:,} s",
    "step_limit": "{limit:,} step{s} per execution",
    "step_timeout": "{limit:,} s per step",
    "faults": "{limit:,} fault{s} per execution",
}
"""Bound -> how its value is told; any other as its name and its value."""
_INTERLEAVINGS = ("interleaving", "interleavings")
_ORDERS: Mapping[str, tuple[str, str]] = {"dpor": ("order of events", "orders of events")}
"""Strategy -> what the leaves of its tree are: one that knows which steps are independent runs each order once."""
_SEARCHES = ("dpor", "dfs")
"""Those that run each leaf of their tree once."""
_THREE_FROM = 10
"""Executions from which on 3 in so many is a good way to say it."""
_TOLD = frozenset(
    {
        *("distinct_traces", "seen_once", "independent_executions", "new_trace_chance", "new_trace_chance_at_most"),
        *("failure_chance_at_most", "executions_to_first_failure"),
        *("tree_size", "tree_size_spread", "tree_size_log10"),
    }
)
"""Figures that are told in words, or elsewhere."""


# --- explore ---------------------------------------------------------------------------------------------------------


def result_text(result: Result, *, files: Sequence[str | None] | None = None, feed: str | None = None) -> str:
    """What `racewindow explore` prints.

    `files`: the paths of the failures' files as they should be typed. `feed`: the user's own, if there is one.
    """
    shown = result.files if files is None else files
    shown = [*shown, *[None] * (len(result.failures) - len(shown))]
    parts: list[str] = []
    if result.interrupted:
        parts.append("Interrupted. What was found until then:")
    if result.failures:
        parts.append(failure_text(result.failures[0], scenario=result.scenario, file=shown[0], target=result.target))
        parts += _groups(result.failures, shown)
    if result.untrusted:
        parts.append(untrusted_text(result, beyond=bool(result.failures)))
    if result.missed and not result.untrusted:
        parts.append(_missed(result, headline=not parts))
    if not parts or (result.interrupted and len(parts) == 1):
        parts.append(claim_text(result))
    parts.append(explored_text(result, feed))
    return "\n\n".join(parts)


def _groups(failures: Sequence[Failure], files: Sequence[str | None]) -> list[str]:
    """The table of groups, unless one execution showed all there is."""
    if _is_all_in_one(failures):
        return []
    width = max(len("executions"), *(len(f"{each.count:,}") for each in failures))
    lines = [f"{'executions':>{width}}  what"]
    for failure, file in zip(failures, files, strict=True):
        what = failure.checker or name_of(failure)
        class_ = f", {failure.class_}" if failure.class_ else ""
        lines.append(f"{failure.count:>{width},}  {what}{class_} ({_to_the_first(failure.execution + 1)})")
        lines.append(f"{' ' * width}  {_cut(failure.message.partition(chr(10))[0], WIDTH - width - 4)}")
        if file is not None:
            lines.append(f"{' ' * width}  {file}")
    return ["\n".join(section("All that was found", lines)[1:])]


def _is_all_in_one(failures: Sequence[Failure]) -> bool:
    """Whether one execution showed all there is."""
    return all(each.count == 1 and each.execution == failures[0].execution for each in failures)


def _to_the_first(executions: int) -> str:
    return f"{counted(executions, 'execution')} to the first"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def claim_text(result: Result) -> str:
    """What it says that nothing was found, and how little that means; "" where something was."""
    if result.failures:
        return ""
    if result.executions == 0:
        return f"No execution of {result.scenario} came to its end: there was no time for it."
    silent = [name for name, count in result.unknown.items() if count == result.executions]
    unsaid = f" Not about {' and '.join(silent)}, which could not tell in any execution." if silent else ""
    if result.complete:
        return "\n".join(
            [
                *wrap(f"Nothing found in {result.scenario}, and nothing is left to run."),
                "",
                *wrap(_complete(result)),
                "",
                *wrap(f"That is about this program with what is held fixed below{_as_tracked(result)}.{unsaid}"),
            ]
        )
    text = f"Nothing found in {result.scenario}: none of {counted(result.executions, 'execution')} failed."
    within = [] if result.exhaustive_bound is None else [*wrap(_complete(result)), ""]
    doubt = f"That is no proof: an order of events that was not run may fail.{_support(result)}{unsaid}"
    return "\n".join([*wrap(text), "", *within, *wrap(doubt)])


def _missed(result: Result, *, headline: bool) -> str:
    """What was required and never reached; after a failure it is one more thing that is wrong."""
    text = missed_text(result.missed, result.executions, complete=result.complete)
    title = f"FAILURE in {result.scenario}: never reached: {', '.join(result.missed)}"
    return "\n".join([*wrap(title, hang=2), "", *wrap(text, 2, 2)] if headline else wrap(text))


def _by(result: Result) -> Part | Result:
    """Whose work the claim rests on: the part that searches, where several strategies shared it."""
    return next((part for part in result.parts if part.strategy in _SEARCHES), result)


def _as_tracked(result: Result) -> str:
    """A search that tells orders apart by what steps touch knows no more than what is tracked."""
    return ", and about what is tracked in it" if _by(result).strategy in _ORDERS else ""


def _complete(result: Result) -> str:
    """What was explored to its end: all there is, or all within a bound."""
    by, bound = _by(result), result.exhaustive_bound
    one, many = _ORDERS.get(by.strategy, _INTERLEAVINGS)
    claim = "complete" if bound is None else f"exhaustive for bound {bound}"
    within = "" if bound is None else f" with at most {counted(bound, 'preemption')}"
    if result.faults:
        within += f" with {result.faults.summary}"
    if by.executions == 1:
        return f"{claim}: 1 {one}{within}, explored, and it {'fails' if by.failing else 'does not fail'}"
    failing = {0: "none fails", 1: "1 of them fails"}.get(by.failing, f"{by.failing:,} of them fail")
    return f"{claim}: {by.executions:,} {many}{within}, all of them explored, {failing}"


def _support(result: Result) -> str:
    """What a clean run says about chance; nothing where its executions are no independent samples."""
    few = _fewer_than(result.statistics)
    if not few:
        return ""
    n = result.statistics["independent_executions"]
    return (
        f" What {counted(n, f'{result.strategy} execution')} support{'s' if n == 1 else ''}: at 95% confidence, {few} "
        "such executions fail."
    )


def _fewer_than(statistics: Mapping[str, Any]) -> str:
    """The bound on the chance of a failure, "" if there is none."""
    n, bound = statistics.get("independent_executions"), statistics.get("failure_chance_at_most")
    if not n or bound is None:
        return ""
    return f"fewer than 3 in {n:,}" if n >= _THREE_FROM else f"fewer than {_percent(bound, ROUND_CEILING)} of"


def _failed(failing: int, *, untrusted: str = "") -> str:
    return f"{failing:,} failed" if failing else "no failure confirmed" if untrusted else "none failed"


def explored_text(result: Result, feed: str | None) -> str:
    """What was explored, for a terminal; in few words where a failure says all that matters."""
    headline, *facts = explored_facts(result, feed)
    if result.failures and result.failures[0].explanation is not None and _is_all_in_one(result.failures):
        facts = [_how(result), _limits(result), f"held fixed: {_fixed(result, feed)}", *_proof(result)]
    return "\n".join([*wrap(headline, hang=2), *(line for fact in facts for line in wrap(fact, 2, 2))])


def explored_facts(result: Result, feed: str | None) -> list[str]:
    """What was explored: a headline, then a fact each, most of them `name: what`."""
    failed = _failed(result.failing, untrusted=result.untrusted)
    enough = result.executions >= _RATE_FROM and result.seconds > 0
    rate = f", {result.executions / result.seconds:,.0f} executions/s" if enough else ""
    done = f"{counted(result.executions, 'execution')}, {failed}; {counted(result.steps, 'step')}"
    return [
        f"Explored: {done} in {result.seconds:.1f} s{rate}.",
        _how(result),
        f"limits: {_bounds(result)}",
        f"held fixed: {_fixed(result, feed)}",
        *_proof(result),
        *(f"not complete: {reason}" for reason in result.incomplete),
        *filter(None, [reached_text(result.sometimes, result.executions, complete=result.complete)]),
        *_statistics(result),
        *(f"note: {note}" for note in result.notes),
    ]


def _proof(result: Result) -> list[str]:
    exhaustive = result.complete or result.exhaustive_bound is not None
    return [_complete(result)] if exhaustive and (result.failures or result.missed) else []


def _how(result: Result) -> str:
    return how_text(result.strategy, result.seed, result.semantics, result.clock)


def _bounds(result: Result) -> str:
    words = []
    for name in _in_order(result.bounds):
        bound = result.bounds[name]
        words.append(f"{_limit(name, bound)} ({'reached' if bound.reached else 'not reached'})")
    return ", ".join(words) or "none"


def _in_order(bounds: Iterable[str]) -> list[str]:
    return sorted(bounds, key=lambda name: [*_LIMITS, name].index(name))


def _limits(result: Result) -> str:
    """The same in fewer words where none was reached."""
    if any(bound.reached for bound in result.bounds.values()):
        return f"limits: {_bounds(result)}"
    return f"within limits: {', '.join(_limit(name, result.bounds[name]) for name in _in_order(result.bounds))}"


def _limit(name: str, bound: Bound) -> str:
    told = _LIMITS.get(name, f"{name.replace('_', ' ')} {{limit:,}}")
    return told.format(limit=bound.limit, s="" if bound.limit == 1 else "s")


def _fixed(result: Result, feed: str | None) -> str:
    safeguards = f"safeguards {', '.join(result.safeguards)}" if result.safeguards else "no safeguard on"
    params = ", ".join(f"{name}={_value(value)}" for name, value in result.params.items())
    faults = "" if result.faults else "no faults"
    own_feed = "" if feed is None else f"feed {feed}"
    return "; ".join(part for part in (safeguards, params, own_feed, faults) if part)


def _statistics(result: Result) -> list[str]:
    """The figures in words, and those that have none as they are."""
    facts = [f"by {part.strategy}: {_part(part, result)}" for part in result.parts]
    first = result.statistics.get("executions_to_first_failure")
    if first is not None and first < result.executions:
        facts.append(f"failures: {_to_the_first(first)}")
    for kind, offered in result.faults_offered.items():
        facts.append(f"fault {kind}: offered {_times(offered)}, struck {_times(result.faults_struck.get(kind, 0))}")
    if result.redundant:
        facts.append(f"redundant: {counted(result.redundant, 'execution')} begun and cut off as already covered")
    if result.probes:
        facts.append(f"probes: {counted(result.probes, 'execution')} run only to learn what a step touches")
    if result.audited and not result.untrusted:
        facts.append(
            f"audit: {counted(result.audited, 'execution')} run again in an equivalent order, with no difference"
        )
    if result.distinct_traces is not None:
        facts.append(f"orders: {_orders(result.distinct_traces, result.statistics)}")
    if result.statistics.get("tree_size_log10") is not None:
        facts.append(f"tree: {_tree(_by(result), result.statistics)}")
    others = [
        f"{name.replace('_', ' ')} {_value(value)}" for name, value in result.statistics.items() if name not in _TOLD
    ]
    return [*facts, f"statistics: {', '.join(others)}"] if others else facts


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count:,} times")


def _part(part: Part, result: Result) -> str:
    """What a strategy did; of chance nothing once there is a proof."""
    first = part.statistics.get("executions_to_first_failure")
    to_the_first = "" if first is None or first == part.executions else f", {_to_the_first(first)}"
    failed = f"{_failed(part.failing, untrusted=result.untrusted)}{to_the_first}"
    done = f"{counted(part.executions, 'execution')}, {failed}"
    return "; ".join(filter(None, [done, "complete" if part.complete else "", *part_words(part, result)]))


def part_words(part: Part, result: Result) -> list[str]:
    """Why a strategy began or ended, and what its figures say."""
    few, new = _fewer_than(part.statistics), _new(part.statistics)
    words = [part.note]
    if not result.complete:
        words += [
            f"at 95% confidence, {few} such executions fail" if few else "",
            f"chance that the next one shows an order new to {part.strategy}: {new}" if new else "",
        ]
    return [word for word in words if word]


def _orders(distinct: int, statistics: Mapping[str, Any]) -> str:
    """How many orders were seen, and what the rare ones say about those that were not."""
    orders = "orders" if distinct != 1 else "order"
    seen = f"{distinct:,} distinct {orders} of events ({'traces' if distinct != 1 else 'trace'}) seen"
    once, new = statistics.get("seen_once"), _new(statistics)
    if once is None:
        return seen
    seen = f"{seen}, none of them just once" if once == 0 else f"{seen}; {once:,} of them once"
    return f"{seen}: chance that the next execution shows a new one: {new}" if new else seen


def _new(statistics: Mapping[str, Any]) -> str:
    """How likely a new order is; a bound only where it excludes anything, "" if there is nothing to say."""
    chance, at_most = statistics.get("new_trace_chance"), statistics.get("new_trace_chance_at_most")
    if chance is None or at_most is None:
        return ""
    bound = _percent(at_most, ROUND_CEILING)
    words = [f"about {_percent(chance)}" if chance else "", f"at 95% confidence below {bound}"]
    return ", ".join(filter(None, words[:1] if bound == "100%" else words))


def _tree(by: Part | Result, statistics: Mapping[str, Any]) -> str:
    """How many leaves the unfinished tree has in all, in as many words as the estimate is good for."""
    one, many = _ORDERS.get(by.strategy, _INTERLEAVINGS)
    log10, spread, size = statistics["tree_size_log10"], statistics.get("tree_size_spread"), statistics.get("tree_size")
    digits, power = two_digits(log10)
    if by.strategy in _SEARCHES and power < 15 and digits * 10**power <= by.executions:
        # Two digits are too few to say how many more.
        return f"more than {by.executions:,} {one if by.executions == 1 else many} in all"
    about = about_as_many(log10)
    if size is None or spread is None or spread > size / 2:
        so_far = " or many more, by what is planned so far" if by.strategy in _ORDERS else ""  # it finds out as it goes
        return f"very roughly {about} {many} in all{so_far}"
    return f"about {about} {many} in all, standard error {_percent(spread / size)}"


def _percent(share: float, rounding: str = ROUND_HALF_EVEN) -> str:
    """Two digits; a bound is rounded up, so that it still holds."""
    return f"{(Decimal(repr(share)) * 100).normalize(Context(prec=2, rounding=rounding)):f}%"


def _value(value: Any) -> str:
    simple = plain(value)
    if isinstance(simple, int) and not isinstance(simple, bool):
        return str(simple)
    return simple if isinstance(simple, str) else one_line(simple)
