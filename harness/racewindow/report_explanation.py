"""An explanation in words: the two steps that decide it, what closes it, and how far that has been tried out.

Pure functions of values, for 80 columns. `brief` is the form in the report of a failure, `full` that of `racewindow
explain`.
"""

from __future__ import annotations

from collections.abc import Sequence

from racewindow.constraints import AT, ENDS, STARTS, Before, Moment
from racewindow.explanation import Checked, Count, Explanation, Fix, Group, RacingPair, Safeguard, Side
from racewindow.report_layout import bulleted, counted, section, wrap

_VALUE_MAX = 44
_LINE_MAX = 78
_STORY_HANG = 13
_NEEDED_MAX = 12
_MODES = {"read": ("reads", "read"), "write": ("writes", "written"), "add": ("adds to", "added to")}


def brief(explanation: Explanation) -> list[str]:
    """The sections for the report of a failure."""
    story = explanation.chain or explanation.story
    return [
        *section("How it came to this, in virtual time", _story(story, _LINE_MAX)),
        *section("Why", _why(explanation, explanation.pairs[:1])),
        *section(
            f"What closes it, tried out in {counted(explanation.executions, 'execution')} of their own",
            _remedies(explanation),
        ),
    ]


def without_a_pair(explanation: Explanation) -> list[str]:
    """What there is to add to the report of a failure that no pair of steps decides."""
    return [
        *section("Why", _why(explanation, ())),
        *section("What closes it", _remedies(explanation)),
    ]


def full(explanation: Explanation) -> list[str]:
    """All of it."""
    left_out = explanation.left_out
    besides = f" ({counted(left_out, 'event')} without a part in it left out)" if left_out else ""
    needed = explanation.needed
    others = explanation.not_needed
    unfinished = "; the budget ended before all was tried" if explanation.out_of_budget else ""
    title = f"Needed for it, {len(needed)} of {counted(len(needed) + others, 'deviation')} from the default order"
    return [
        *section(f"How it came to this{besides}", _story(explanation.story, None)),
        *section("Why", _why(explanation, explanation.pairs)),
        *section(title, bulleted(needed, _NEEDED_MAX)),
        *section("What closes it", _remedies(explanation)),
        "",
        f"Tried out in {counted(explanation.executions, 'execution')}{unfinished}.",
    ]


# --- why -------------------------------------------------------------------------------------------------------------


def _why(explanation: Explanation, pairs: Sequence[RacingPair]) -> list[str]:
    if not pairs:
        return _lines(
            "No two of its steps decide it by their order: each pair that was reversed still fails, or none could be."
        )
    lines: list[str] = []
    for pair in pairs:
        lines += [*([""] if lines else []), *_pair(pair)]
    suspect = explanation.not_the_cause
    return lines if suspect is None else [*lines, *_lines(f"Not the cause: {_turned(suspect)}")]


def _pair(pair: RacingPair) -> list[str]:
    first, second = pair.first, pair.second
    return [
        *_lines(f"{_does(first, pair.key)}{_valued(first)}"),
        f"    at {first.location}",
        *_lines(f"before {_does(second, 'it')}{_valued(second)}"),
        f"    at {second.location}",
        *_lines(
            f"Kept, with the rest by chance: {_of(pair.kept)} {_fail(pair.kept)}; reversed: "
            f"{pair.reversed.failing} of {pair.reversed.runs}."
        ),
    ]


def _turned(pair: RacingPair) -> str:
    return (
        f"{_does(pair.first, pair.key)} before {_does(pair.second, 'it')}; reversed: {_of(pair.reversed)} "
        f"{_fail(pair.reversed)} as well."
    )


def _of(count: Count) -> str:
    return f"{count.failing} of {counted(count.runs, 'run')}"


def _fail(count: Count) -> str:
    return "fails" if count.failing == 1 else "fail"


def _does(side: Side, key: str) -> str:
    return f"{side.task} {_MODES[side.mode][0]} {key}"


def _valued(side: Side) -> str:
    if side.value is None:
        return ""
    return f": {side.value if len(side.value) <= _VALUE_MAX else side.value[: _VALUE_MAX - 1] + '…'}"


# --- what closes it --------------------------------------------------------------------------------------------------


def _remedies(explanation: Explanation) -> list[str]:
    lines: list[str] = []
    for fix in explanation.fixes:
        lines += _lines(f"{_in_words(fix)}.")
        lines += [line[2:] for line in wrap(f"{checked_text(fix.checked)}.", 4, 2)]
    if not explanation.fixes:
        lines += _lines("No order of two of its steps, nor two such orders, was found to be enough.")
    if explanation.safeguards:
        lines += _lines(_safeguards(explanation.safeguards))
    remaining = explanation.fixes[0].checked.remaining if explanation.fixes else ()
    if remaining:
        lines += _lines(f"Other failures stay open with that order: {', '.join(map(_group, remaining))}.")
    return lines


def pair_text(pair: RacingPair) -> tuple[str, str, str]:
    """A racing pair in three sentences: the step that came first, the one that came second, and what was tried."""
    first, second = pair.first, pair.second
    return (
        f"{_does(first, pair.key)}{_valued(first)}, at {first.location}",
        f"before {_does(second, pair.key)}{_valued(second)}, at {second.location}",
        f"Kept, with the rest by chance: {_of(pair.kept)} {_fail(pair.kept)}; reversed: {_of(pair.reversed)}.",
    )


def suspect_text(pair: RacingPair) -> str:
    """What is not the cause, and how that is known."""
    return f"Not the cause: {_turned(pair)}"


def closing_text(explanation: Explanation) -> list[str]:
    """What closes it, a sentence or two for each way."""
    lines = [f"{_in_words(fix)}. {checked_text(fix.checked)}." for fix in explanation.fixes]
    if not lines:
        lines.append("No order of two of its steps, nor two such orders, was found to be enough.")
    if explanation.safeguards:
        lines.append(_safeguards(explanation.safeguards))
    remaining = explanation.fixes[0].checked.remaining if explanation.fixes else ()
    if remaining:
        lines.append(f"Other failures stay open with that order: {', '.join(map(_group, remaining))}.")
    return lines


def checked_text(checked: Checked) -> str:
    """How it was checked, and what that is worth."""
    fails = "fails in this way" if checked.remaining else "fails"
    flows = not any(kind == "deadlock" for kind, *_ in checked.remaining)
    if checked.proved and checked.orders == 1 and flows:
        return f"Proved: the only order left neither {fails} nor deadlocks"
    none = f"none {fails}{', none deadlocks' if flows else ''}"
    if checked.proved:
        return f"Proved: of all {checked.orders:,} orders with that {none}"
    return (
        f"No proof, but of {counted(checked.orders + checked.walks, 'execution')} with that {none} "
        f"({counted(checked.orders, 'order')} by a search that did not end, {checked.walks:,} at random)"
    )


def _safeguards(found: Sequence[Safeguard]) -> str:
    """Which of them do it, the proved ones first."""
    proved = [each.name for each in found if each.checked.proved]
    others = [
        f"{each.name} (not seen in {each.checked.orders + each.checked.walks:,})"
        for each in found
        if not each.checked.proved
    ]
    every = "all " if len(proved) > 1 else ""
    words = [*([f"{', '.join(proved)} ({every}proved)"] if proved else []), *others]
    return f"Closed as well by {', '.join(words)}."


def _group(group: Group) -> str:
    kind, checker, class_ = group
    return f"{checker or kind}{f' ({class_})' if class_ else ''}"


def _in_words(fix: Fix) -> str:
    return ", and ".join(constraint_text(each, fix.pairs) for each in fix.constraints)


def constraint_text(constraint: Before, pairs: Sequence[RacingPair] = ()) -> str:
    """A constraint as an instruction; a step that one of the pairs has is told by what it does there."""
    sides = {side.moment: (pair.key, side) for pair in pairs for side in (pair.first, pair.second)}
    return f"{_then(constraint.then, sides)} only after {_first(constraint.first, sides)}"


_Sides = dict[Moment, tuple[str, Side]]


def _then(moment: Moment, sides: _Sides) -> str:
    if moment.kind == STARTS:
        return f"{moment.task} starts"
    if moment in sides:
        key, side = sides[moment]
        return f"{moment.task} {_MODES[side.mode][0]} {key} ({_line(side.location)}{_times(moment)})"
    return f"{moment.task} goes on from {_place(moment)}"


def _first(moment: Moment, sides: _Sides) -> str:
    if moment.kind in (ENDS, STARTS):
        return f"{moment.task} has {'ended' if moment.kind == ENDS else 'begun'}"
    if moment in sides:
        key, side = sides[moment]
        return f"{moment.task} has {_MODES[side.mode][1]} {key} ({_line(side.location)}{_times(moment)})"
    return f"{moment.task} has gone on from {_place(moment)}"


def _place(moment: Moment) -> str:
    return f"{moment.place}{_times(moment)}" if moment.kind == AT else f"its step {moment.count}"


def _times(moment: Moment) -> str:
    return f", time {moment.count}" if moment.kind == AT and moment.count > 1 else ""


def _line(location: str) -> str:
    return location.partition(" ")[0]


# --- layout ----------------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    """In a section, which moves them two columns to the right."""
    return [line[2:] for line in wrap(text, 2, 2)]


def _story(story: Sequence[str], most: int | None) -> list[str]:
    cut = [each if most is None or len(each) <= most else f"{each[: most - 1].rstrip()}…" for each in story]
    return [line[2:] for each in cut for line in wrap(each, 2, _STORY_HANG)]
