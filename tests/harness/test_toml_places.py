"""Every key of a TOML text is found where it stands, in whatever way the text is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from racewindow.toml_places import KeyPath, find_places

WRITTEN = '''
# a comment with [brackets] = "and" quotes
top = 1
"quoted key" = 'its'
dotted.inner.deep = """
over # lines "
[not a table]
x = 1
"""
empty = []

[table] # after a header
list = [ # comments everywhere
  "a, b]", 'c',
  { x = 1, y.z = [1, 2] }, # and here
]

[[rows]]
name = "one"
[rows.sub]
key = 1979-05-27T07:32:00Z
[[rows]]
name = "two \\" three"
[[rows.deeper]]
last = true
'''


def paths_in(data: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key and element of what was read."""
    items: Any = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths_in(value, (*path, key))


def test_every_key_and_element_is_found_where_it_stands() -> None:
    places, lines = find_places(WRITTEN), WRITTEN.splitlines()

    assert set(places) == set(paths_in(tomllib.loads(WRITTEN)))
    for path, (line, column) in places.items():
        rest = lines[line - 1][column - 1 :]
        if isinstance(path[-1], str):
            assert rest.strip("\"'").startswith(path[-1]), path
    assert places["rows", 1, "deeper", 0, "last"] == (25, 1)
    assert places["rows", 1, "deeper", 0] == (24, 1)
    assert places["table", "list", 2, "y", "z", 1] == (15, 22)


WORDS = st.text("ab-_", min_size=1, max_size=3)
SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), st.text("a\"'\\#[]{}=,\n", max_size=4))
TABLES = st.recursive(
    st.dictionaries(WORDS, SCALARS, max_size=3),
    lambda inner: st.dictionaries(WORDS, st.one_of(inner, st.lists(st.one_of(SCALARS, inner), max_size=3)), max_size=3),
    max_leaves=8,
)


def inline(value: object) -> str:
    """A value as TOML has it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


@given(TABLES)
def test_what_is_found_is_what_was_written(data: dict[str, Any]) -> None:
    text = "".join(f"{key} = {inline(value)} # {key}\n" for key, value in data.items())

    assert tomllib.loads(text) == data
    assert set(find_places(text)) == set(paths_in(data))
