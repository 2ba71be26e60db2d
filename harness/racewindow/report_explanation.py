"""An explanation in words: the two steps that decide it, what closes it, and how far that has been tried out.

Pure functions of values, for 80 columns. `brief` is the form in the report of a failure, `full` that of `racewindow
explain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from racewindow.constraints import AT, ENDS, STARTS, Before, Moment
from racewindow.explanation import Checked, Count, Explanation, Fix, Group, RacingPair, Safeguard, Side
from racewindow.report_layout import bulleted, counted, section, wrap

_VALUE_MAX = 44
_LINE_MAX = 78
_STORY_HANG = 13
_NEEDED_MAX = 12
_ONE_ORDER = "orders that no step can tell apart count once"
_MODES = {"read": ("reads", "read"), "write": ("writes", "written"), "add": ("adds to", "added to")}


def brief(explanation: Explanation) -> list[str]:
    """The sections for the report of a failure."""
    story = explanation.chain or explanation.story
    return [
        *section("How it came to this, in virtual time", _story(story, _LINE_MAX)),
        *section("Why", _why(explanation, explanation.pairs[:1])),
        *section(
            f"What closes it, tried out in {counted(explanation.executions, 'execution')} of their own",
            _remedies(explanation, _LINE_MAX),
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


def _remedies(explanation: Explanation, most: int | None = None) -> list[str]:
    """The lines of what closes it; `most`: columns of one of several safeguards, where it has to do with a line."""
    lines: list[str] = []
    for order, checked in _orders(explanation):
        lines += _lines(order)
        lines += [line[2:] for line in wrap(checked, 4, 2)]
    for title, items in _besides(explanation):
        lines += _lines(title)
        lines += [line[2:] for item in items for line in wrap(_cut(item, most and most - 2), 4, 2)]
    return lines


def closing_text(explanation: Explanation) -> list[str]:
    """What closes it, a sentence or two for each way."""
    besides = [f"{title} {'; '.join(items)}." if items else title for title, items in _besides(explanation)]
    return [*(" ".join(both) for both in _orders(explanation)), *besides]


def _orders(explanation: Explanation) -> list[tuple[str, str]]:
    """Each order that closes it, and how that was checked; what counts as an order is said with the first number."""
    told: list[tuple[str, str]] = []
    what = f" ({_ONE_ORDER})"
    for fix in explanation.fixes:
        checked = checked_text(fix.checked)
        if fix.checked.proved and fix.checked.orders > 1:
            checked, what = f"{checked}{what}", ""
        told.append((f"{_in_words(fix)}.", f"{checked}."))
    return told


_Told = tuple[str, list[str]]


def _besides(explanation: Explanation) -> list[_Told]:
    """What closes it beside an order of its steps, or in place of one; and what an order leaves open.

    Each as a title and what belongs under it, which is nothing where the title says it all.
    """
    fixes, off, texts = explanation.fixes, explanation.off, explanation.texts
    found = sorted(explanation.safeguards, key=lambda each: not each.checked.proved)
    told: list[_Told] = []
    if not fixes:
        told.append(("No order of two of its steps, nor two such orders, was found to be enough.", []))
    if found:
        closed = f"Closed{' as well' if fixes else ''} by"
        one, every = ("the safeguard", "each") if len(found[0].names) == 1 else ("the safeguards", "each two")
        safeguards = [_safeguard(each, texts) for each in found]
        told.append(_one_or_more(f"{closed} {one}", f"{closed} {every} of these safeguards", safeguards))
    elif off and not fixes:
        told.append((f"Nor was a safeguard that is off, or two of them together: {', '.join(off)}.", []))
    remaining = fixes[0].checked.remaining if fixes else ()
    if remaining:
        known = ", and what each demands" if any(texts.get(checker or "") for _, checker, _ in remaining) else ""
        groups = [f"{_group(group)}{_meaning([group[1]], texts)}" for group in remaining]
        told.append(_one_or_more("Still open with that order is", f"Still open with that order{known}", groups))
    return told


def _one_or_more(one: str, many: str, items: list[str]) -> _Told:
    return (f"{one} {items[0]}.", []) if len(items) == 1 else (f"{many}:", items)


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


def _safeguard(found: Safeguard, texts: Mapping[str, str]) -> str:
    """Which one it is, or which two together, how that was checked, and what they do."""
    how = "proved" if found.checked.proved else f"not seen in {found.checked.orders + found.checked.walks:,}"
    together = " together" if len(found.names) > 1 else ""
    return f"{' and '.join(found.names)}{together} ({how}){_meaning(found.names, texts)}"


def _meaning(names: Sequence[str | None], texts: Mapping[str, str]) -> str:
    """What safeguards do or a checker demands, after a colon; nothing where it is not known."""
    known = "; ".join(texts[name].rstrip(".") for name in names if name and texts.get(name))
    return known and f": {known}"


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
    return [line[2:] for each in story for line in wrap(_cut(each, most), 2, _STORY_HANG)]


def _cut(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[: most - 1].rstrip()}…"
