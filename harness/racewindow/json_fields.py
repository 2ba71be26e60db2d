"""The fields of a JSON object that somebody else may have written, each with the type that it should have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any


class Fields:
    """Reads fields; for what is missing or of another type it raises what `damaged` makes of the reason."""

    def __init__(self, damaged: Callable[[str], Exception], data: Mapping[str, Any]) -> None:
        self._damaged, self._data = damaged, data

    def typed(self, name: str, *kinds: type) -> Any:
        """The field called `name`, which has to be of one of `kinds`."""
        if name not in self._data:
            raise self._damaged(f"{name} is missing")
        value = self._data[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            words = " or ".join(_IN_WORDS[kind] for kind in kinds)
            raise self._damaged(f"{name} should be {words}, not {json.dumps(value):.60}")
        return value

    def text(self, name: str) -> str:
        """A text."""
        return str(self.typed(name, str))

    def text_or_none(self, name: str) -> str | None:
        """A text or null."""
        value = self.typed(name, str, type(None))
        return None if value is None else str(value)

    def lines(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.typed(name, list)
        if not all(isinstance(line, str) for line in value):
            raise self._damaged(f"{name} should be a list of lines")
        return tuple(value)


_IN_WORDS: Mapping[type, str] = {
    int: "a whole number",
    str: "text",
    dict: "an object",
    list: "a list",
    type(None): "null",
}
