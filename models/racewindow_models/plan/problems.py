"""From what pydantic says to what whoever wrote a plan wants to know: which key, what was expected, what is near."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from racewindow import PlanMistake
from racewindow_models.plan.schema import STEPS, ExchangePlan, StepBase, verb_of

_Where = tuple[str | int, ...]
_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number without quotes",
    "bool_type": "true or false, without quotes",
    "list_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_STEP_KEYS = ("step", "by", "do")
"""These come first where the keys of a step are listed."""


def mistakes_of(error: ValidationError, data: Mapping[str, Any]) -> list[PlanMistake]:
    """Every mistake that pydantic found in the data of a plan, each once.

    Where a key can be one of two things and is neither, it is the one that fits further in that is told about.
    """
    found: dict[_Where, PlanMistake] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "bool_type" and detail["loc"][-1] == "bool" and isinstance(detail["input"], Mapping):
            continue  # a table was meant, and what is wrong in it is told about
        mistake = _mistake(detail, data)
        found.setdefault(mistake.where, mistake)
    return [each for each in found.values() if not any(_is_inside(other, each.where) for other in found)]


def _is_inside(where: _Where, table: _Where) -> bool:
    return len(where) > len(table) and where[: len(table)] == table and table[:1] == ("checks",)


def _mistake(detail: ErrorDetails, data: Mapping[str, Any]) -> PlanMistake:
    where, given = _in_the_file(detail["loc"], data), detail["input"]
    kind, context = detail["type"], detail.get("ctx", {})
    verbs = [verb_of(each) for each in STEPS]
    match kind:
        case "plan":
            return PlanMistake(where, context["wrong"], context["expected"], context["nearest"])
        case "missing":
            return _missing(where, data)
        case "extra_forbidden":
            keys = _keys_of(where[:-1], data)
            return PlanMistake.unknown(where, f"key in {_table_text(where[:-1])}", str(where[-1]), keys)
        case "literal_error":
            return _not_among(where, given, list(_options_of(where, data)))
        case "union_tag_invalid":
            return PlanMistake.unknown((*where, "do"), "kind of step", str(context["tag"]), verbs)
        case "union_tag_not_found":
            return PlanMistake(where, "the key 'do' is missing", f"one of {', '.join(verbs)}")
        case "greater_than_equal":
            return PlanMistake(where, f"{given!r} is too small", f"a whole number of at least {context['ge']}")
        case "less_than_equal":
            return PlanMistake(where, f"{given!r} is too large", f"a whole number of at most {context['le']}")
        case "too_short" if given:
            return PlanMistake(where, f"it has 1 entry: {given[0]!r}", f"exactly {context['min_length']}")
        case "too_short" | "string_too_short":
            return PlanMistake(where, "it is empty", "at least one entry" if kind == "too_short" else "a name")
        case "too_long":
            return PlanMistake(where, f"it has {len(given)} entries", f"exactly {context['max_length']}")
    return PlanMistake(where, f"{_shown(given)} is {_type_text(given)}", _EXPECTED.get(kind, detail["msg"]))


def _in_the_file(loc: tuple[int | str, ...], data: Mapping[str, Any]) -> _Where:
    """The path without what pydantic adds to it: the tag of a step, and which member of a union was tried."""
    where: list[int | str] = []
    here: Any = data
    if loc[:1] == ("runbook",):
        loc = (*loc[:2], *loc[3:])  # the tag may be called like a key of the step
    for position, part in enumerate(loc):
        is_key = isinstance(here, Mapping) and isinstance(part, str) and part in here
        is_item = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if is_key or is_item:
            here = here[part]
            where.append(part)
        elif position == len(loc) - 1 and isinstance(here, Mapping):
            where.append(part)  # a key that is missing
    return tuple(where)


def _missing(where: _Where, data: Mapping[str, Any]) -> PlanMistake:
    model, name = _model_at(where[:-1], data), str(where[-1])
    field = None if model is None else model.model_fields.get(name)
    means = field.description if field is not None and field.description else "it"
    return PlanMistake(where, f"the key {name!r} is missing in {_table_text(where[:-1])}", means)


def _not_among(where: _Where, given: object, known: list[str]) -> PlanMistake:
    near = difflib.get_close_matches(str(given), known, n=1, cutoff=0.4)
    return PlanMistake(where, f"it cannot be {_shown(given)}", f"one of {', '.join(known)}", near[0] if near else "")


def _table_text(where: _Where) -> str:
    if not where:
        return "the plan"
    if where[0] == "runbook" and len(where) == 2:
        return f"step {int(where[1]) + 1} of the runbook"
    return f"[{'.'.join(str(part) for part in where)}]"


def _shown(given: object) -> str:
    return repr(given) if not isinstance(given, Mapping | list) else "this"


def _type_text(given: object) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(given), f"a {type(given).__name__}")


# --- what the schema says about a place ------------------------------------------------------------------------------


def _keys_of(where: _Where, data: Mapping[str, Any]) -> list[str]:
    model = _model_at(where, data)
    if model is None:
        return []
    first = _STEP_KEYS if issubclass(model, StepBase) else ()
    return [*first, *(name for name in model.model_fields if name not in first)]


def _options_of(where: _Where, data: Mapping[str, Any]) -> Iterator[str]:
    """The words that a key can have, or the keys of a table of one sort."""
    for depth in range(len(where) - 1, -1, -1):
        model, name = _model_at(where[:depth], data), where[depth]
        if model is not None and name in model.model_fields:
            yield from _words_in(model.model_fields[str(name)].annotation)
            return


def _words_in(annotation: Any) -> Iterator[str]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from map(str, typing.get_args(annotation))
    else:
        for each in typing.get_args(annotation):
            yield from _words_in(each)


def _model_at(where: _Where, data: Mapping[str, Any]) -> type[BaseModel] | None:
    """The schema of the table at a path; None if it has none, as one whose keys are names has not."""
    if where[:1] == ("runbook",) and len(where) == 2:
        verb = data["runbook"][where[1]].get("do")
        return next((each for each in STEPS if verb_of(each) == verb), StepBase)
    annotation: Any = ExchangePlan
    for part in where:
        model = _model_in(annotation)
        if model is None:
            annotation = next(iter(typing.get_args(annotation)[1:]), None)  # of a table of one sort: what is in it
        else:
            field = model.model_fields.get(str(part))
            annotation = None if field is None else field.annotation
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    members = () if typing.get_origin(annotation) is dict else typing.get_args(annotation)
    return next((each for each in members if isinstance(each, type) and issubclass(each, BaseModel)), None)
