"""The reference of a plan's keys, as a page has it: made of the schema, so that it says what is checked."""

from __future__ import annotations

import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from racewindow_models.plan import schema
from racewindow_models.plan.quantities import text_time
from racewindow_models.units import SECOND_NS

KINDS = {
    "int": "whole number",
    "str": "text",
    "bool": "true or false",
    "list[str]": "list of texts",
    "list[Step]": "list of tables",
    "dict[str, str]": "table of texts",
    "dict[str, bool]": "table of true or false",
    "dict[str, bool | Within]": 'table of true, false or `{ within = "5 min" }`',
}
QUANTITIES = {
    "Duration": "time",
    "PositiveDuration": "time",
    "Durations": "time, or a list of times",
    "Seconds": "time",
    "Percent": "percent",
    "BasisPoints": "share in bps or %",
    "Count": "whole number",
    "Names": "list of texts",
}
TABLES: list[tuple[str, type[BaseModel]]] = [
    ("the top of the plan", schema.ExchangePlan),
    ("`[feed]`", schema.Feed),
    ("`[exchange]`", schema.Exchange),
    ("`[services.writer]`", schema.Writer),
    ("`[services.committer]`", schema.Single),
    ("`[services.liquidator]`", schema.Liquidating),
    ("`[database]`", schema.Database),
    ("`[book]`", schema.Book),
    ("`[[runbook]]`, every step", schema.StepBase),
    ("`[faults]`", schema.Faults),
    ("`[cut_off]`", schema.CutOff),
]


def reference() -> str:
    """All tables with their keys, and the kinds of step."""
    parts = [f"### {title}\n\n{_table(model)}" for title, model in TABLES]
    return "\n\n".join([*parts, f"### `do`: what a step does\n\n{_verbs()}"])


def _table(model: type[BaseModel]) -> str:
    hints = typing.get_type_hints(model, include_extras=True)
    sources = {name: _source_of(model, name) for name in model.model_fields}
    rows = [
        f"| `{name}` | {_kind(hints[name], sources[name])} | {_default(field, sources[name])} | {field.description} |"
        for name, field in model.model_fields.items()
        if field.description
    ]
    return "\n".join(["| key | takes | without it | what it is |", "|---|---|---|---|", *rows])


def _source_of(model: type[BaseModel], name: str) -> str:
    """The annotation as it is written."""
    for cls in model.__mro__:
        if name in getattr(cls, "__annotations__", {}):
            return str(cls.__annotations__[name])
    raise AssertionError(name)


def _kind(hint: Any, source: str) -> str:
    written = source.removesuffix(" | None")
    words = list(_words(hint))
    if words:
        named = ", ".join(f"`{each}`" for each in words)
        return f"table of {named}" if written.startswith("dict") else named
    return QUANTITIES.get(written) or KINDS.get(written) or "whole number, at least 0"


def _words(hint: Any) -> typing.Iterator[str]:
    if typing.get_origin(hint) is typing.Literal:
        yield from map(str, typing.get_args(hint))
    elif not (isinstance(hint, type) and issubclass(hint, BaseModel)):
        for each in typing.get_args(hint):
            yield from _words(each)


def _default(field: FieldInfo, source: str) -> str:
    if field.is_required():
        return "*needed*"
    default = field.default
    if default in (None, "", [], {}):
        return ""
    if "Durations" in source:
        return f"`{text_time(default[0])}`"
    if "Duration" in source:
        return f"`{text_time(default)}`"
    units = {"Seconds": text_time(default * SECOND_NS) if isinstance(default, int) else "", "Percent": f"{default} %"}
    return f"`{units.get(source) or (f'{default} bps' if source == 'BasisPoints' else _literal(default))}`"


def _literal(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default).replace("'", '"')


def _verbs() -> str:
    rows = []
    for step in schema.STEPS:
        own = [name for name in step.model_fields if name not in schema.StepBase.model_fields and name != "do"]
        keys = ", ".join(
            f"`{name}`{'' if step.model_fields[name].is_required() else ' (if wanted)'}: "
            f"{step.model_fields[name].description}"
            for name in own
        )
        rows.append(f"| `{schema.verb_of(step)}` | {' '.join((step.__doc__ or '').split())} | {keys} |")
    return "\n".join(["| `do` | what is done | keys of its own |", "|---|---|---|", *rows])
