"""The page of a failure: what went wrong, both orders of the two steps that decide it, why, and what closes it."""

from __future__ import annotations

from collections.abc import Sequence

from racewindow.explanation import Explanation, RacingPair
from racewindow.markup import Html, Part, tag
from racewindow.page_filter import Names, filter_form
from racewindow.page_layout import folded, page, pairs_table, section, story
from racewindow.page_shown import shown_sections
from racewindow.page_timeline import all_steps, lanes_of, timeline
from racewindow.picture import Act, Line, Picture, chosen
from racewindow.report_explanation import closing_text, pair_text, suspect_text
from racewindow.report_failure import headline
from racewindow.report_layout import counted

_ROWS, _ROWS_ALONE = 17, 40
"""Steps that are drawn of each order where there are two, and of one by itself."""
_VALUE_MAX = 60


def failure_page(picture: Picture) -> str:
    """The whole page."""
    stored, explanation = picture.stored, picture.explanation
    title = headline(stored, stored.scenario)
    lines = [picture.failing, *([] if picture.reversed_ is None else [picture.reversed_])]
    names = Names.of(lines)
    told = stored.story if explanation is None else explanation.story or stored.story
    return page(
        title,
        tag("header", tag("h1", title), tag("p", stored.message, class_="wrong message"), _lead(picture)),
        _orders(picture, names),
        shown_sections(picture),
        section("How it came to this, in virtual time", story(tuple(told)), name="story") if told else None,
        section("Why", *_why(picture), name="why"),
        None if explanation is None else section("What closes it", *_closing(explanation), name="fix"),
        section("To see it again", *_again(picture), name="again"),
        section("Every step", *_everything(lines, names, _key(picture)), name="steps"),
        section(
            "Conditions",
            pairs_table("What was held fixed, and with what it was run", dict(picture.facts)),
            name="facts",
        ),
    )


def _key(picture: Picture) -> str:
    return "" if picture.pair is None else picture.pair.key


def _lead(picture: Picture) -> Html | None:
    """The cause and the remedy, in a line each."""
    pair, explanation = picture.pair, picture.explanation
    items: list[Part] = []
    if pair is not None:
        items += [
            tag("dt", "Cause"),
            tag(
                "dd",
                _side(pair, "first"),
                " before ",
                _side(pair, "second"),
                f" Reversed, with the rest by chance, {pair.reversed.failing} of {counted(pair.reversed.runs, 'run')} "
                f"{'fails' if pair.reversed.failing == 1 else 'fail'}; kept, {pair.kept.failing} of {pair.kept.runs}.",
            ),
        ]
    if explanation is not None and (explanation.fixes or explanation.safeguards):
        fixed = closing_text(explanation)[0 if explanation.fixes else 1]
        sure = any(each.checked.proved for each in explanation.fixes[:1] or explanation.safeguards)
        items += [tag("dt", "Remedy" if sure else "Remedy, not proved"), tag("dd", fixed)]
    return tag("dl", items, class_="lead") if items else None


def _side(pair: RacingPair, which: str) -> Html:
    """One of the two, in its colour."""
    side, mark = (pair.first, "1") if which == "first" else (pair.second, "2")
    does = {"read": "reads", "write": "writes", "add": "adds to"}[side.mode]
    value = "" if side.value is None else side.value
    cut = value if len(value) <= _VALUE_MAX else f"{value[: _VALUE_MAX - 1]}…"
    valued = f": {cut}" if value else ""
    return tag("span", tag("b", f"({mark}) "), f"{side.task} {does} {pair.key}{valued}", class_=which)


# --- both orders -----------------------------------------------------------------------------------------------------


def _orders(picture: Picture, names: Names) -> Html:
    other = picture.reversed_
    lines = [picture.failing, *([] if other is None else [other])]
    drawn = [chosen(line, _ROWS_ALONE if other is None else _ROWS) for line in lines]
    used = set().union(*(lanes_of(line, acts) for line, acts in zip(lines, drawn, strict=True)))
    hint = (
        f"One row is one step{_signs([act for acts in drawn for act in acts])}; an arrow is what it has from another "
        "service. Hover or focus a row for its lines, values and footprint; the arrow keys move."
    )
    orders = [
        tag("article", _order_title(line), timeline(line, names, _key(picture), acts, used=used))
        for line, acts in zip(lines, drawn, strict=True)
    ]
    return tag(
        "section",
        tag("h2", "The order of events" if other is None else "Both orders", id="orders", class_="unseen"),
        filter_form(names, lines),
        tag("div", orders, class_=f"orders{' one' if other is None else ''}"),
        tag("p", hint, class_="soft"),
        aria_labelledby="orders",
    )


def _signs(acts: Sequence[Act]) -> str:
    """What the signs in the lanes stand for, as far as there are any."""
    landmarks = dict.fromkeys(each for act in acts for each in act.landmarks)
    signs = [
        "(1) and (2) the racing pair" if any(act.role for act in acts) else "",
        "✗ where it goes wrong" if any(act.wrong for act in acts) else "",
        "ϟ where a fault strikes" if any(act.faults for act in acts) else "",
        f"■ {', '.join(landmarks)}" if landmarks else "",
    ]
    return f" ({', '.join(filter(None, signs))})" if any(signs) else ""


def _order_title(line: Line) -> Html:
    if line.failing:
        return tag("h3", "✗ Failing, as it was found", class_="wrong")
    if line.passes:
        how = ", with a wait for it" if line.wait else ""
        return tag("h3", f"✓ Reversed{how}: nothing fails", class_="good")
    return tag("h3", f"Reversed: {line.ending}")


# --- the rest --------------------------------------------------------------------------------------------------------


def _why(picture: Picture) -> list[Part]:
    explanation = picture.explanation
    if explanation is None:
        return [tag("p", f"Not explained: {picture.unexplained}")]
    if not explanation.pairs:
        nothing = (
            "No two of its steps decide it by their order: each pair that was reversed still fails, or none could be."
        )
        return [tag("p", nothing)]
    parts: list[Part] = []
    for pair in explanation.pairs:
        first, second, tried = pair_text(pair)
        parts.append(
            tag(
                "div",
                tag("p", tag("span", first, class_="first")),
                tag("p", tag("span", second, class_="second")),
                tag("p", tried),
                class_="card",
            )
        )
    if explanation.not_the_cause is not None:
        parts.append(tag("p", suspect_text(explanation.not_the_cause)))
    if explanation.needed:
        count = len(explanation.needed) + explanation.not_needed
        title = f"Needed for it, {len(explanation.needed)} of {counted(count, 'deviation')} from the default order:"
        parts += [tag("p", title), tag("ul", [tag("li", each) for each in explanation.needed])]
    return parts


def _closing(explanation: Explanation) -> list[Part]:
    tried = f"Tried out in {counted(explanation.executions, 'execution')}"
    unfinished = "; the budget ended before all was tried" if explanation.out_of_budget else ""
    return [
        tag("ul", [tag("li", line) for line in closing_text(explanation)]),
        tag("p", f"{tried}{unfinished}.", class_="soft"),
    ]


def _again(picture: Picture) -> list[Part]:
    parts: list[Part] = [tag("pre", picture.failing.command)]
    if picture.reversed_ is not None:
        wait = f", which takes a wait: {picture.reversed_.wait}" if picture.reversed_.wait else ""
        parts += [tag("p", f"The other order of these two steps{wait}:"), tag("pre", picture.reversed_.command)]
    return parts


def _everything(lines: list[Line], names: Names, key: str) -> list[Part]:
    found: list[Part] = []
    for line in lines:
        title = f"All {counted(len(line.acts), 'step')} of {line.name}"
        found.append(folded(title, all_steps(line, names, key, title=title), class_="every"))
    return found
