"""The text of a result and of a replay for an 80-column terminal.

Pure functions of values: nothing is printed here. What was found comes first, then what was explored and under which
limits; where nothing was found, the words say how little that means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from racewindow.failure import Execution, Failure
from racewindow.failure_file import StoredFailure
from racewindow.plain import one_line, plain
from racewindow.report_failure import failure_text, name_of, told, untrusted_text
from racewindow.report_layout import WIDTH, command, counted, section, wrap
from racewindow.result import Result

__all__ = ["execution_text", "failure_text", "replay_text", "result_text", "same_failure", "untrusted_text"]

_DIGEST_SHOWN = 12
_RATE_FROM = 10
"""Executions below which a rate would only measure how long the first one took."""
_LIMITS: Mapping[str, tuple[str, str]] = {
    "schedules": ("", " executions"),
    "seconds": ("", " s"),
    "step_limit": ("", " steps per execution"),
    "step_timeout": ("", " s per step"),
}
"""Bound -> the words before and after its value."""


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
    if not parts or (result.interrupted and len(parts) == 1):
        parts.append(_nothing_found(result))
    parts.append(_explored(result, feed))
    return "\n\n".join(parts)


def _groups(failures: Sequence[Failure], files: Sequence[str | None]) -> list[str]:
    """The table of groups, unless one execution showed all there is."""
    first = failures[0]
    if all(each.count == 1 and each.execution == first.execution for each in failures):
        return []
    width = max(len("executions"), *(len(f"{each.count:,}") for each in failures))
    lines = [f"{'executions':>{width}}  what"]
    for failure, file in zip(failures, files, strict=True):
        what = failure.checker or name_of(failure)
        class_ = f", {failure.class_}" if failure.class_ else ""
        lines.append(f"{failure.count:>{width},}  {what}{class_} (first in execution {failure.execution:,})")
        lines.append(f"{' ' * width}  {_cut(failure.message.partition(chr(10))[0], WIDTH - width - 4)}")
        if file is not None:
            lines.append(f"{' ' * width}  {file}")
    return ["\n".join(section("All that was found", lines)[1:])]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _nothing_found(result: Result) -> str:
    if result.executions == 0:
        return f"Nothing was run: {result.scenario} had no time for a single execution."
    if result.complete:
        text = (
            f"Nothing found in {result.scenario}, and nothing is left: every order of events within the limits below "
            f"was run, {counted(result.executions, 'execution')}, and none failed."
        )
        return "\n".join(wrap(text))
    text = f"Nothing found in {result.scenario}: none of {counted(result.executions, 'execution')} failed."
    doubt = "That is no proof: an order of events that was not run may fail."
    if result.strategy == "random":
        doubt += (
            f" What {counted(result.executions, 'random execution')} support: at 95% confidence, fewer than 3 in "
            f"{result.executions:,} such executions fail."
        )
    return "\n".join([*wrap(text), "", *wrap(doubt)])


def _explored(result: Result, feed: str | None) -> str:
    failed = f"{result.failing:,} failed" if result.failing else "none failed"
    enough = result.executions >= _RATE_FROM and result.seconds > 0
    rate = f", {result.executions / result.seconds:,.0f} executions/s" if enough else ""
    lines = wrap(
        f"Explored: {counted(result.executions, 'execution')}, {failed}; {counted(result.steps, 'step')} in "
        f"{result.seconds:.1f} s{rate}.",
        hang=2,
    )
    facts = [
        f"strategy {result.strategy}, seed {result.seed}, semantics {result.semantics}, clock {result.clock}",
        f"limits: {_bounds(result)}",
        f"held fixed: {_fixed(result, feed)}",
        *_statistics(result),
        *(f"note: {note}" for note in result.notes),
    ]
    return "\n".join([*lines, *(line for fact in facts for line in wrap(fact, 2, 2))])


def _bounds(result: Result) -> str:
    words = []
    for name in sorted(result.bounds, key=lambda name: [*_LIMITS, name].index(name)):
        bound = result.bounds[name]
        before, after = _LIMITS.get(name, (f"{name.replace('_', ' ')} ", ""))
        words.append(f"{before}{bound.limit:,}{after} ({'reached' if bound.reached else 'not reached'})")
    return ", ".join(words) or "none"


def _fixed(result: Result, feed: str | None) -> str:
    safeguards = f"safeguards {', '.join(result.safeguards)}" if result.safeguards else "no safeguard on"
    params = ", ".join(f"{name}={_value(value)}" for name, value in result.params.items())
    faults = "" if result.faults_offered else "no faults"
    own_feed = "" if feed is None else f"feed {feed}"
    return "; ".join(part for part in (safeguards, params, own_feed, faults) if part)


def _statistics(result: Result) -> list[str]:
    counts = [f"{result.redundant:,} cut off as already covered"] if result.redundant else []
    counts += [f"{result.probes:,} probes"] if result.probes else []
    counts += [] if result.distinct_traces is None else [f"{result.distinct_traces:,} distinct traces"]
    counts += [f"{name.replace('_', ' ')} {_value(value)}" for name, value in result.statistics.items()]
    return [f"statistics: {', '.join(counts)}"] if counts else []


def _value(value: Any) -> str:
    simple = plain(value)
    if isinstance(simple, int) and not isinstance(simple, bool):
        return str(simple)
    return simple if isinstance(simple, str) else one_line(simple)


# --- replay ----------------------------------------------------------------------------------------------------------


def execution_text(execution: Execution, scenario: str, failure: Failure | None = None) -> str:
    """One execution: its failure (the gravest unless one is given), or that it had none."""
    failure = failure or execution.failure
    if failure is None:
        lines = wrap(f"No failure: this execution of {scenario} ended well.", hang=2)
    else:
        others = tuple(each.message.partition("\n")[0] for each in execution.failures if each is not failure)
        lines = told(replace(failure, others=others), scenario)
    unknown = [line for name, why in execution.unknown for line in wrap(f"{name}: {why}", 0, 2)]
    lines += section("Checkers that could not tell", unknown)
    lines += ["", f"This execution: {counted(execution.steps, 'step')}, digest {execution.digest[:_DIGEST_SHOWN]}."]
    return "\n".join(lines)


def same_failure(execution: Execution, stored: StoredFailure) -> Failure | None:
    """The failure of a replay that is the recorded one: same kind, checker, class and subject."""
    return next((each for each in execution.failures if each.identity == stored.identity), None)


def replay_text(execution: Execution, stored: StoredFailure, *, changed: bool) -> str:
    """What became of a recorded failure when its schedule was run again.

    `changed`: whether the source of the scenario is known to differ from what it was when the failure was recorded.
    """
    same = same_failure(execution, stored)
    since = (
        "The source of the scenario has changed since." if changed else "Its code, its feed or a library has changed."
    )
    if same is not None and execution.digest == stored.digest:
        verdict = "Reproduced: the same failure, step for step."
    elif same is not None:
        verdict = (
            f"Reproduced: the same failure, but not step for step (digest {stored.digest[:_DIGEST_SHOWN]} then, "
            f"{execution.digest[:_DIGEST_SHOWN]} now). {since}"
        )
    elif execution.failures:
        verdict = f"Not reproduced, but it fails in another way. Recorded was {_recorded(stored)}. {since}"
    else:
        verdict = (
            f"Not reproduced. Recorded was {_recorded(stored)}; the schedule still fits, and the execution does not "
            f"fail any more. {since} Other orders of events may still fail:"
        )
    lines = wrap(verdict)
    if not execution.failures:
        lines += [f"  {line}" for line in command(["racewindow", "explore", stored.target])]
    return "\n".join([*lines, "", execution_text(execution, stored.scenario, same)])


def _recorded(stored: StoredFailure) -> str:
    about = ", ".join(part for part in (stored.class_, stored.subject) if part)
    return f"{stored.checker or stored.kind}{f' ({about})' if about else ''}"
