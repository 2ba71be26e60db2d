"""Whatever is in a plan, it is a plan or a message: nothing in it makes a traceback."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from racewindow import InputError, Plan
from racewindow.plans import load_plan
from racewindow.toml_places import KeyPath
from racewindow_models.plan.system import EXCHANGE
from tests.harness.test_toml_places import inline, paths_in

DATA: dict[str, Any] = tomllib.loads(EXCHANGE.template) | {
    "faults": {"budget": 1, "kinds": ["crash:target=writer-2"]},
    "cut_off": {"then": "leave", "resume_after": "5 s"},
}
DATA["book"] = {"depth": "20 %", "makers_back": "13 s", "rounds": 2}
DATA["services"].pop("liquidator")
DATA["runbook"] += [
    {"step": "let in", "by": "operator", "do": "bring back"},
    {"step": "back", "by": "operator", "do": "restore", "parts": ["chain", "cloud"]},
    {
        "step": "look",
        "by": "operator",
        "do": "validate",
        "against": "cloud",
        "block_since": "5 s",
        "on_rejection": "abort",
    },
]
PATHS = list(paths_in(DATA))
NUMBERS = st.sampled_from([0, -1, 1.5, True, 10**30])
TEXTS = st.one_of(st.sampled_from(["", "x", "5 s", "-5 s", "1 e", "writer-1", "1e999 s"]), st.text(max_size=3))
LISTS = st.sampled_from([[], {}, ["x"], {"x": 1}, [[]], [{}], [1, "5 s"]])
ODD = st.one_of(NUMBERS, TEXTS, LISTS, st.sampled_from([each for each in DATA.values() if not isinstance(each, int)]))


def without(data: Any, path: KeyPath, value: object) -> Any:
    """A copy of the data with another value at a path; with none where the value is None."""
    first, *rest = path
    items = dict(data) if isinstance(data, Mapping) else dict(enumerate(data))
    if rest and first in items:
        items[first] = without(items[first], tuple(rest), value)
    elif value is None:
        items.pop(first, None)
    elif not rest:
        items[first] = value
    return items if isinstance(data, Mapping) else list(items.values())


def loaded(text: str) -> Plan | InputError:
    """What becomes of a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.toml"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            return load_plan(str(path))
        except InputError as error:
            return error


def texts_of(told: Plan | InputError) -> Iterator[str]:
    """What a person is shown of it."""
    if isinstance(told, InputError):
        yield from (told.what, told.why, told.do)
    else:
        for row in told.rows:
            yield from (row.at, row.who, row.what, *row.details)


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.one_of(st.none(), ODD)), min_size=1, max_size=3))
def test_a_plan_with_anything_anywhere_is_read_or_refused(changes: list[tuple[KeyPath, object]]) -> None:
    data: Any = DATA
    for path, value in changes:
        data = without(data, path, value) if _leads_somewhere(data, path) else data
    text = "".join(f'"{key}" = {inline(value)}\n' for key, value in data.items())

    assert all(isinstance(each, str) for each in texts_of(loaded(text)))


def _leads_somewhere(data: Any, path: KeyPath) -> bool:
    for part in path[:-1]:
        within = isinstance(data, Mapping) and part in data
        if not within and not (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            return False
        data = data[part]
    return isinstance(data, Mapping | list)


@given(st.integers(0, len(EXCHANGE.template)), st.integers(0, 30), st.text(max_size=3))
def test_a_plan_with_a_piece_cut_out_is_read_or_refused(at: int, length: int, put_in: str) -> None:
    text = EXCHANGE.template[:at] + put_in + EXCHANGE.template[at + length :]

    assert all(isinstance(each, str) for each in texts_of(loaded(text.encode("utf-8", "replace").decode())))
