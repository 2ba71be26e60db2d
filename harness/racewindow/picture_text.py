"""A picture as text: for a terminal, for a pull request, for a diagram, for a trace viewer, for a program.

Names and values come from the explored program and from files of others, so every format has its own way of writing
them such that they stay text.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from racewindow.display import Chart, consequence_text, first_wrong_values
from racewindow.failure import found_fields
from racewindow.picture import Act, Line, Picture, chosen
from racewindow.plain import clock_text
from racewindow.report_explanation import closing_text, full, pair_text
from racewindow.report_failure import headline
from racewindow.report_layout import section, wrap

_DIAGRAM_MAX = 16
_LABEL_MAX = 90
_SHOWN_MAX = 12
_STEP_US = 1


def text_of(picture: Picture) -> str:
    """For a terminal of 80 columns."""
    stored = picture.stored
    lines = [*wrap(headline(stored, stored.scenario), hang=2), "", *wrap(stored.message, 2, 2)]
    if picture.explanation is not None:
        lines += full(picture.explanation)
    else:
        lines += section(
            "How it came to this, in virtual time", [li[2:] for s in stored.story for li in wrap(s, 2, 13)]
        )
        lines += ["", *wrap(f"Not explained: {picture.unexplained}")]
    for title, told in _shown(picture):
        lines += section(title, [li[2:] for each in told for li in wrap(each, 2, 2)])
    lines += section("To see it again", [picture.failing.command])
    if picture.reversed_ is not None:
        lines += section("The other order of these two steps", [picture.reversed_.command])
    lines += section(
        "Under these conditions", [w[2:] for n, t in picture.facts.items() for w in wrap(f"{n}: {t}", 2, 2)]
    )
    return "\n".join(lines)


def _shown(picture: Picture) -> Iterable[tuple[str, list[str]]]:
    """What the scenario has shown, each with its heading."""
    shown = picture.shown
    hit = [f"{clock_text(each.time_ns)}  {consequence_text(each)}" for each in shown.consequences]
    values = [f"{chart.title}, {said}" for chart in shown.charts for said in first_wrong_values(chart)]
    for title, told in (("Who was hit", hit), ("Values that are wrong", [*values, *shown.problems])):
        if told:
            yield title, [*told[:_SHOWN_MAX], *([f"{len(told) - _SHOWN_MAX} more"] if len(told) > _SHOWN_MAX else [])]


# --- JSON ------------------------------------------------------------------------------------------------------------


def json_of(picture: Picture) -> str:
    """All that the page shows, format 1."""
    stored = picture.stored
    data = {
        "format": 1,
        "scenario": stored.scenario,
        "target": stored.target,
        **found_fields(stored),
        "story": list(stored.story),
        "explanation": None if picture.explanation is None else picture.explanation.as_dict(),
        "unexplained": picture.unexplained or None,
        "facts": dict(picture.facts),
        "charts": [_chart(chart) for chart in picture.shown.charts],
        "consequences": [each._asdict() for each in picture.shown.consequences],
        "failing": _line(picture.failing),
        "reversed": None if picture.reversed_ is None else _line(picture.reversed_),
    }
    return json.dumps(data, indent=1, ensure_ascii=False)


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "title": chart.title,
        "unit": chart.unit,
        "decimals": chart.decimals,
        "series": [
            {"name": series.name, "truth": series.truth, "points": [point._asdict() for point in series.points]}
            for series in chart.series
        ],
        "marks": [mark._asdict() for mark in chart.marks],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "passes": line.passes,
        "ending": line.ending,
        "command": line.command,
        "wait": line.wait or None,
        "steps": [
            {
                "task": act.lane,
                "number": act.number,
                "time_ns": act.time_ns,
                "role": act.role or None,
                "wrong": act.wrong,
                "landmarks": list(act.landmarks),
                "story": list(act.story),
                "accesses": [{"mode": t.mode, "object": t.key, "value": t.value or None} for t in act.touches],
                "from": [{"step": arrow.source, "what": arrow.what} for arrow in act.arrows],
                "faults": list(act.faults),
                "place": act.place,
                "then": act.then,
            }
            for act in line.acts
        ],
    }


# --- Markdown --------------------------------------------------------------------------------------------------------


def markdown_of(picture: Picture) -> str:
    """For a pull request or an incident document: the story, why, what closes it, and a diagram."""
    stored, explanation = picture.stored, picture.explanation
    parts = [f"## {_inline(headline(stored, stored.scenario))}", _inline(" ".join(stored.message.split()))]
    story = stored.story if explanation is None else explanation.story or stored.story
    if story:
        parts += ["### How it came to this, in virtual time", _fenced("\n".join(story), "text")]
    if explanation is None:
        parts.append(_inline(f"Not explained: {picture.unexplained}"))
    else:
        pair = picture.pair
        if pair is not None:
            parts += ["### Why", "\n".join(f"- {_inline(line)}" for line in pair_text(pair))]
        parts += ["### What closes it", "\n".join(f"- {_inline(line)}" for line in closing_text(explanation))]
    for title, told in _shown(picture):
        parts += [f"### {title}", "\n".join(f"- {_inline(line)}" for line in told)]
    parts += ["### The failing order", _fenced(mermaid_of(picture), "mermaid")]
    parts += ["### To see it again", _fenced(picture.failing.command, "sh")]
    facts = "\n".join(f"| {_cell(name)} | {_cell(text)} |" for name, text in picture.facts.items())
    parts += ["<details><summary>Conditions</summary>", f"| | |\n|---|---|\n{facts}", "</details>"]
    return "\n\n".join(parts)


def _inline(text: str) -> str:
    """Text that Markdown takes for nothing else, not even for the name of a person."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~$-])", r"\\\1", html.escape(" ".join(_visible(text).split()), quote=False))
    return escaped.replace("@", "&#64;").replace("://", "&#58;//")


def _cell(text: str) -> str:
    return _inline(text)


def _fenced(text: str, language: str) -> str:
    text = "\n".join(_visible(line) for line in text.split("\n"))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _visible(text: str) -> str:
    """Without characters that a terminal or a reader would act on."""
    return "".join(each if each.isprintable() or each in "\n\t" else f"\\u{ord(each):04x}" for each in text)


# --- Mermaid ---------------------------------------------------------------------------------------------------------


def mermaid_of(picture: Picture) -> str:
    """A sequence diagram of the failing execution: who has what from whom, and the steps that matter."""
    line = picture.failing
    drawn = chosen(line, _DIAGRAM_MAX)
    shown = {act.lane for act in drawn} | {line.acts[arrow.source].lane for act in drawn for arrow in act.arrows[:1]}
    names = {lane: f"p{number}" for number, lane in enumerate(each for each in line.lanes if each in shown)}
    lines = [
        "sequenceDiagram",
        *(f"  participant {key} as {_mermaid(lane).replace(':', '#58;')}" for lane, key in names.items()),
    ]
    key = "" if picture.pair is None else picture.pair.key
    everyone = ",".join([*names.values()][:: max(len(names) - 1, 1)][:2])
    time = None
    for act in drawn:
        if act.time_ns != time:
            time = act.time_ns
            lines.append(f"  Note over {everyone}: {_mermaid(act.time)}")
        lines += _diagram_lines(act, line, names, key)
    return "\n".join(lines)


def _diagram_lines(act: Act, line: Line, names: dict[str, str], key: str) -> Iterable[str]:
    here = names[act.lane]
    for arrow in act.arrows[:1]:
        yield f"  {names[line.acts[arrow.source].lane]}->>{here}: {_mermaid(arrow.what)}"
    mark = f"{act.role.upper()} of the racing pair: " if act.role else ""
    wrong = "WRONG HERE: " if act.wrong else ""
    text = f"  Note over {here}: {_mermaid(_short(f'{wrong}{mark}{act.headline(key)}'))}"
    yield from ["  rect rgba(224, 120, 0, 0.25)", f"  {text}", "  end"] if act.role or act.wrong else [text]


def _short(text: str) -> str:
    return text if len(text) <= _LABEL_MAX else f"{text[: _LABEL_MAX - 1]}…"


def _mermaid(text: str) -> str:
    """Text in which Mermaid finds neither syntax nor HTML: all but letters, digits and a few marks by number."""
    return (
        re.sub(r"[^\w .,:/(){}='\"\[\]+…×-]", lambda found: f"#{ord(found[0])};", " ".join(_visible(text).split()))
        or "-"
    )


# --- trace viewers ---------------------------------------------------------------------------------------------------


def chrome_of(picture: Picture) -> str:
    """Trace-event JSON, as chrome://tracing and Perfetto read it; of several steps at one instant each takes 1 µs."""
    events: list[dict[str, Any]] = []
    lines = [("failing", picture.failing), ("reversed", picture.reversed_)]
    for pid, (name, line) in enumerate(((n, each) for n, each in lines if each is not None), start=1):
        events.append({"name": "process_name", "ph": "M", "pid": pid, "tid": 0, "args": {"name": f"{name} order"}})
        events += _trace_events(line, pid, "" if picture.pair is None else picture.pair.key)
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, ensure_ascii=False)


def _trace_events(line: Line, pid: int, key: str) -> Iterable[dict[str, Any]]:
    threads = {lane: number for number, lane in enumerate(line.lanes, start=1)}
    for lane, tid in threads.items():
        yield {"name": "thread_name", "ph": "M", "pid": pid, "tid": tid, "args": {"name": lane}}
    at: list[int] = []
    for act in line.acts:
        at.append(max(act.time_ns // 1000, at[-1] + _STEP_US if at else 0))
        where = {"pid": pid, "tid": threads[act.lane], "ts": at[-1]}
        yield {
            "name": act.headline(key),
            "cat": ",".join(filter(None, (act.role, "wrong" if act.wrong else ""))) or "step",
            "ph": "X",
            "dur": _STEP_US,
            **where,
            "args": {
                "virtual time": act.time,
                "step": act.number,
                "at": act.place,
                "touches": [touch.text for touch in act.touches],
                "faults": list(act.faults),
            },
        }
        for number, arrow in enumerate(act.arrows):
            same = {"name": arrow.what, "cat": "flow", "id": f"{pid}.{act.at}.{number}", "pid": pid}
            tid = threads[line.acts[arrow.source].lane]
            yield {**same, "ph": "s", "tid": tid, "ts": at[arrow.source]}
            yield {**same, "ph": "f", "bp": "e", "tid": threads[act.lane], "ts": at[-1]}


FORMATS: dict[str, Callable[[Picture], str]] = {
    "text": text_of,
    "json": json_of,
    "markdown": markdown_of,
    "mermaid": mermaid_of,
    "chrome": chrome_of,
}
"""Name of a format -> what writes it; the page is in `page_failure`."""
