"""One order of events as a swim-lane picture: a lane for each task, time downwards, a row for each step that matters.

A row is text beside a small drawing, so that it can be read aloud, wrapped on a phone, filtered and printed. What a
step has from another task is an arrow from that one's lane. Hover or focus shows the lines, values and footprint.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from racewindow.markup import Html, Part, tag
from racewindow.page_filter import Names
from racewindow.page_layout import table
from racewindow.picture import FIRST, SECOND, Act, Line

_WIDTH, _NARROW, _MANY = 22, 13, 10
"""Of a lane, in pixels; of each where there are more than so many."""
_NAME_MAX, _NAMES_HEIGHT, _SLOPE = 17, 74, -42
_MIDDLE = 11
_CELL_MAX = 160
_MARKS = {FIRST: "1", SECOND: "2"}


def timeline(line: Line, names: Names, key: str, drawn: Sequence[Act], *, used: Collection[str]) -> Html:
    """The steps that are drawn. `key`: the object of the racing pair; `used`: the tasks that have a lane."""
    lanes = [lane for lane in names.lanes if lane in used]
    width = _WIDTH if len(lanes) <= _MANY else _NARROW
    middles = {lane: width * at + width // 2 for at, lane in enumerate(lanes)}
    room = width * len(lanes) + 4
    rows: list[Html] = []
    time, before = None, -1
    for act in drawn:
        rows += _gap(act.at - before - 1, room, middles)
        if act.time_ns != time:
            rows.append(_between(act.time, "tick", room, middles))
        time, before = act.time_ns, act.at
        rows.append(_row(act, line, names, key, middles=middles, room=room))
    rows += _gap(len(line.acts) - before - 1, room, middles)
    return tag("div", _names(middles, width), tag("ol", rows, class_="steps", aria_label=f"steps of {line.name}"))


def lanes_of(line: Line, drawn: Sequence[Act]) -> set[str]:
    """The tasks that take part in what is drawn."""
    return {act.lane for act in drawn} | {line.acts[arrow.source].lane for act in drawn for arrow in act.arrows}


def _names(middles: Mapping[str, int], width: int) -> Html:
    """The names of the lanes, aslant."""
    texts = []
    for lane, x in middles.items():
        name = lane if len(lane) <= _NAME_MAX else f"{lane[: _NAME_MAX - 1]}…"
        turned = f"rotate({_SLOPE} {x} {_NAMES_HEIGHT - 4})"
        texts.append(tag("text", name, x=x, y=_NAMES_HEIGHT - 4, transform=turned))
    return tag("svg", texts, class_="names", width=width * len(middles), height=_NAMES_HEIGHT, aria_hidden="true")


def _rails(middles: Mapping[str, int]) -> list[Html]:
    return [tag("line", class_="rail", x1=x, x2=x, y1=0, y2="100%") for x in middles.values()]


def _gap(count: int, room: int, middles: Mapping[str, int]) -> list[Html]:
    words = f"… {count:,} more step{'' if count == 1 else 's'}"
    return [_between(words, "gap", room, middles)] if count > 0 else []


def _between(words: str, kind: str, room: int, middles: Mapping[str, int]) -> Html:
    drawing = tag("svg", _rails(middles), width=room, aria_hidden="true")
    return tag("li", drawing, words, class_=f"row {kind}", style=f"padding-left:{room}px")


def _row(act: Act, line: Line, names: Names, key: str, *, middles: Mapping[str, int], room: int) -> Html:
    parts: list[Part] = [*_rails(middles)]
    x = middles[act.lane]
    for source in dict.fromkeys(middles[line.acts[arrow.source].lane] for arrow in act.arrows):
        if source != x:
            tip = x - 6 if source < x else x + 6
            back = tip - 5 if source < x else tip + 5
            parts.append(tag("line", class_="arrow", x1=source, x2=back, y1=_MIDDLE, y2=_MIDDLE))
            points = f"{tip},{_MIDDLE} {back},{_MIDDLE - 3.5} {back},{_MIDDLE + 3.5}"
            parts.append(tag("polygon", class_="head", points=points))
    mark = _MARKS.get(act.role) or ("✗" if act.wrong else "ϟ" if act.faults else "")
    if act.landmarks:
        side = 13 if mark else 9
        corner = {"x": x - side / 2, "y": _MIDDLE - side / 2}
        parts.append(tag("rect", class_="dot landmark", **corner, width=side, height=side))
    else:
        parts.append(tag("circle", class_="dot", cx=x, cy=_MIDDLE, r=6.5 if mark else 4))
    if mark:
        parts.append(tag("text", mark, class_="mark", x=x, y=_MIDDLE + 3.2))
    words = _said(act, key)
    more = f"{'f' if line.failing else 'r'}{act.at}"
    kind = act.role or ("bad" if act.wrong else "")
    inner = tag(
        "div",
        tag("svg", parts, width=room, aria_hidden="true"),
        tag("span", tag("b", act.lane), _badge(act), f" {words}", class_="what"),
        tag("div", _details(act, line), class_="more", id=more),
        class_=f"row {kind}{' struck' if act.faults else ''}".strip(),
        style=f"padding-left:{room}px",
        tabindex=0,
        role="group",
        aria_label=f"{act.time}, {act.lane} {words}{''.join(f', {each}' for each in act.landmarks)}",
        aria_describedby=more,
    )
    return tag("li", inner, **names.filters(act))


def _badge(act: Act) -> Part:
    return [[" ", tag("small", each, class_="badge")] for each in act.landmarks]


def _said(act: Act, key: str) -> str:
    words = f"{'✗ wrong here: ' if act.wrong and act.role else ''}{act.headline(key)}"
    if act.story and act.role and words != act.story[0]:
        words = f"{words} · {act.story[0]}"
    return words if len(words) <= 2 * _CELL_MAX else f"{words[: 2 * _CELL_MAX - 1]}…"


def _details(act: Act, line: Line) -> list[Part]:
    """What hover and focus show."""
    sources = [f"{arrow.what}, from {line.acts[arrow.source].lane}" for arrow in act.arrows]
    shown = [touch.text for touch in act.touches]
    return [
        tag("div", tag("b", f"Step {act.at + 1}"), f", {act.time}: {act.lane}, its step {act.number}"),
        tag("div", "at ", tag("code", act.place)) if act.place else None,
        tag("pre", "\n".join(act.source)) if act.source else None,
        _listed("Faults that strike", act.faults),
        _listed("Says", act.story),
        _listed("Footprint", shown),
        _listed("Has from others", sources),
        tag("div", f"Then it {act.then}.", class_="soft"),
    ]


def _listed(title: str, items: Sequence[str]) -> Html | None:
    if not items:
        return None
    return tag("div", f"{title}:", tag("ul", [tag("li", item) for item in items[:12]],
               tag("li", f"… {len(items) - 12} more") if len(items) > 12 else None))  # fmt: skip


def all_steps(line: Line, names: Names, key: str, *, title: str) -> Html:
    """Every step in a table, a line of text for each: the script makes rows of them when the table is opened."""
    # A browser reads a carriage return as the end of a line as well, and each line has to be a row.
    rows = [Html(f"\n{' '.join(_cells(act, names, key).splitlines())}") for act in line.acts]
    whole = table(title, ("step", "time", "service", "what it does", "at"), tag("tbody", rows, Html("\n")))
    return tag("noscript", whole)


def _cells(act: Act, names: Names, key: str) -> Html:
    words = act.headline(key)
    if len(words) > _CELL_MAX:
        words = f"{words[: _CELL_MAX - 1]}…"
    mark = _MARKS.get(act.role, "")
    note = f"({'wrong here' if act.wrong else f'racing pair, {mark}'}) " if act.wrong or mark else ""
    return tag(
        "tr",
        tag("td", f"{act.at + 1}"),
        tag("td", act.time),
        tag("td", act.lane),
        tag("td", note, words),
        tag("td", act.place.partition(" ")[0]),
        class_=act.role or ("bad" if act.wrong else None),
        **names.filters(act),
    )
