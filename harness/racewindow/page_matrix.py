"""The page of a matrix: what to put into the runbook, which sets leave what open, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from racewindow.markup import Html, Part, tag
from racewindow.page_layout import page, section, table
from racewindow.report_matrix import NONE, breaks_text, chosen_rows, closes, facts_of, headline_of, never_violated
from racewindow.safeguard_matrix import Closing, Matrix, SafeguardSet, Verdict

_ROWS_MOST = 80
_CLASSES = {"fails": "fails", "proved": "proved", "not found": "unseen-yet", "unknown": "doubt", "inferred": "inferred"}
_SIGNS = {"fails": "✗", "proved": "✓", "not found": "○", "unknown": "?", "inferred": "~"}
_WORDS = {
    "fails": "fails: an execution in which it is violated was found, and confirmed by running it again.",
    "proved": "proved: every order of events was run with this set, and it is violated in none.",
    "not found": "not found in N: so many executions have not violated it; there are more orders, so that is no proof.",
    "unknown": "unknown: the checker could not tell in some execution, or the result cannot be trusted. No pass.",
    "inferred": "inferred: not run; taken to close it, because adding to a smaller closing set was tried. No proof.",
}


def matrix_page(matrix: Matrix, meanings: Mapping[str, str], again: str) -> str:
    """The whole page. `meanings`: what each safeguard does and each checker demands; `again`: the command."""
    title = f"Safeguards of {matrix.target}"
    parts: list[Part] = [
        tag("header", tag("h1", title), tag("p", headline_of(matrix), class_="wrong" if matrix.failing else "good"))
    ]
    if matrix.failing:
        parts += [
            section("What to put into the runbook", *_runbook(matrix, meanings), name="runbook"),
            section("What closes what", _by_checker(matrix, meanings), name="closes"),
        ]
    if matrix.broken:
        items = [tag("li", breaks_text(each)) for each in matrix.broken]
        parts.append(section("What a safeguard breaks", tag("ul", items), name="breaks"))
    if matrix.failing:
        parts.append(section("Which sets leave what open", *_cells(matrix), name="sets"))
    parts += [
        section("The safeguards", _meanings(matrix, meanings), name="safeguards"),
        section("What it rests on", *_facts(matrix), tag("pre", again), name="facts"),
    ]
    return page(title, *parts)


def _runbook(matrix: Matrix, meanings: Mapping[str, str]) -> list[Part]:
    sets = matrix.minimal()
    if not sets:
        every = "" if len(matrix.tried) == matrix.sets else " that was run"
        return [
            tag("p", f"No set of safeguards{every} closes all that fails. Each failure by itself may be: see below.")
        ]
    several = len(sets) > 1
    first = "Any one of these sets closes all that fails" if several else "This set closes all that fails"
    known = "" if all(each.verdict.name == "proved" for each in sets) else ", as far as was run; not all is proved"
    less = "; with less, something stays open" if all(each.sure for each in sets) else ""
    told = f"{first}{known}{less}."
    proof = "Proved: every order of events was run. How many executions that takes says nothing of how sure it is."
    proved = tag("p", proof, class_="soft") if any(each.verdict.name == "proved" for each in sets) else None
    return [tag("p", told), proved, tag("div", [_card(each, meanings) for each in sets], class_="cards")]


def _card(closing: Closing, meanings: Mapping[str, str]) -> Html:
    items: list[Part] = []
    for name in closing.on:
        items += [tag("dt", name), tag("dd", meanings.get(name, ""))]
    return tag(
        "article",
        tag("dl", items) if items else tag("p", "Nothing: it holds without safeguards."),
        tag("p", _evidence(closing), class_="soft"),
        class_="card",
    )


def _evidence(closing: Closing) -> Html:
    sign = tag("b", f"{_SIGNS[closing.verdict.name]} ", class_=_CLASSES[closing.verdict.name])
    sure = "" if closing.sure else "; smaller sets were not all decided"
    return tag("span", sign, f"{closes(closing.verdict)}{sure}")


def _by_checker(matrix: Matrix, meanings: Mapping[str, str]) -> Html:
    rows = []
    for checker in matrix.failing:
        sets = matrix.minimal(checker)
        ways = [tag("li", _names(each.on), " ", tag("span", "(", _evidence(each), ")", class_="soft")) for each in sets]
        said = tag("ul", ways, class_="plain") if ways else "no set that was run"
        rows.append(tag("tr", _demanding(checker, meanings), tag("td", said)))
    silent, unknown = never_violated(matrix)
    for names, why in ((silent, "not violated with any set that was run"), (unknown, "could not tell")):
        rows += [tag("tr", _demanding(name, meanings), tag("td", why, class_="soft")) for name in names]
    caption = "What each checker demands, and the smallest sets that close it"
    return table(caption, ("checker", "closed by"), tag("tbody", rows))


def _demanding(checker: str, meanings: Mapping[str, str]) -> Html:
    """In one cell, so that a phone shows beside it what closes it."""
    return tag("th", checker, tag("span", meanings.get(checker, "").replace("`", ""), class_="demand"), scope="row")


def _names(on: Sequence[str]) -> Html:
    return tag("span", [tag("span", name, class_="chip") for name in on] or tag("span", NONE, class_="soft"))


# --- the table -------------------------------------------------------------------------------------------------------


def _cells(matrix: Matrix) -> list[Part]:
    rows = chosen_rows(matrix, _ROWS_MOST)
    smallest = {frozenset(each.on) for each in matrix.minimal()}
    heads = ("safeguards on", *matrix.failing, "all together")
    body = [_row(matrix, on, heads[1:], closes_all=on in smallest) for on in rows]
    names = {verdict.name for on in rows for verdict in _verdicts(matrix, on) if verdict is not None}
    legend = [
        tag("li", tag("b", f"{_SIGNS[name]} ", class_=_CLASSES[name]), words)
        for name, words in _WORDS.items()
        if name in names
    ]
    left = len(matrix.tried) + len(matrix.inferred) - len(rows)
    more = tag("p", f"{left:,} more sets are known; --csv has them.", class_="soft") if left else None
    star = "★ is a smallest set that closes all that fails." if smallest else ""
    return [
        tag("ul", legend, class_="plain"),
        tag("div", table(f"A row for each set. {star}", heads, tag("tbody", body)), class_="cells"),
        more,
    ]


def _verdicts(matrix: Matrix, on: SafeguardSet) -> list[Verdict | None]:
    both = matrix.tried[on].together if on in matrix.tried else matrix.verdict(on, "")
    return [*(matrix.verdict(on, name) for name in matrix.failing), both]


def _row(matrix: Matrix, on: SafeguardSet, heads: Sequence[str], *, closes_all: bool) -> Html:
    cells = [
        _cell(verdict, head, last=head is heads[-1]) for verdict, head in zip(_verdicts(matrix, on), heads, strict=True)
    ]
    star = tag("b", "★ ", class_="proved") if closes_all else None
    return tag("tr", tag("th", star, _names(matrix.ordered(on)), scope="row"), cells)


def _cell(verdict: Verdict | None, head: str, *, last: bool) -> Html:
    if verdict is None:
        return tag("td", "", data_of=head)
    words = f"{verdict.name} in {verdict.executions:,}" if verdict.name == "not found" else verdict.name
    said = [tag("span", f"{_SIGNS[verdict.name]} ", aria_hidden="true"), words]
    return tag("td", tag("b", said) if last else said, class_=_CLASSES[verdict.name], data_of=head)


# --- the rest --------------------------------------------------------------------------------------------------------


def _meanings(matrix: Matrix, meanings: Mapping[str, str]) -> Html:
    rows = []
    for name in matrix.safeguards:
        apart = " Not part of all." if name in matrix.not_in_all else ""
        rows.append(tag("tr", tag("th", name, scope="row"), tag("td", f"{meanings.get(name, '')}{apart}")))
    return table("What each of them does", ("safeguard", "what it does"), tag("tbody", rows))


def _facts(matrix: Matrix) -> list[Part]:
    headline, *facts = facts_of(matrix)
    return [tag("p", headline), tag("ul", [tag("li", fact) for fact in facts])]
