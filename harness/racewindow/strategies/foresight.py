"""Foresight: what a step will touch at a place where it has not been run, recalled from where it has.

What a step does is a function of what its task has done so far and of the values that it reads. Neither is stored:
histories stand for them. The view of a step stands for all that its task has seen until then, and the version of a key
for its value if that is plain, else for the view of the step that wrote it. So a footprint is recalled access by
access: which one comes next depends on the versions read so far. A wrong guess is not possible as far as shared state
is tracked; where nothing is known the search runs the step to see (a probe), and that is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

from racewindow.footprint import ADD_CODE, READ_CODE, KeyTable
from racewindow.trail import KeyState

BLOCKED: Final = "blocked"
"""Recalled in place of a footprint: the task waits for a state that does not hold there."""
_NODES_MAX = 300_000
_BLIND: Final = -1
"""Stands for the version of what is written without being looked at."""


class Foresight:
    """See the module's docstring. `keys`: the table of the exploration, that knows which are set blindly.

    `views`: of the steps that have been learned from.
    """

    def __init__(self, keys: KeyTable) -> None:
        self._keys = keys
        self._roots: dict[Hashable, list[Any]] = {}
        self.views: set[int] = set()
        self._nodes = 0

    def knows(self, view: int) -> bool:
        """Whether this was asked before: a view stands for a history, all that was read, and so what was touched."""
        if view in self.views:
            return True
        if self._nodes + len(self.views) > _NODES_MAX:
            self.forget()
        self.views.add(view)
        return False

    def forget(self) -> None:
        """Begin anew."""
        self._roots.clear()
        self.views.clear()
        self._nodes = 0

    def learn(self, root: Hashable, codes: Sequence[int], keys: Mapping[int, KeyState], result: Any) -> None:
        """A task whose history is `root`, where keys are in these states, made these accesses and no others."""

        def version(key: int) -> int:
            state = keys.get(key)
            return 0 if state is None else state[5]

        node = self._roots.get(root)
        if node is None:
            node = self._roots[root] = [None, None]
        for code in codes:
            if node[1] is None:
                node[0], node[1] = code, {}
            elif node[0] != code:
                return  # not a function of what is tracked; the audit is there to say so
            key = self._version(code, version)
            found = node[1].get(key)
            if found is None:
                found = node[1][key] = [None, None]
                self._nodes += 1
            node = found
        if node[1] is None:
            node[0] = (result,)

    def recall(self, root: Hashable, version: Callable[[int], int]) -> tuple[Any, list[int]]:
        """(the result of such a task at another place, where keys have other versions; accesses that it makes first).

        The result is None if it is not known; the accesses then are those up to the first value never read before. That
        one is among them if it is to a cell: what is done to an event, a lock or a channel depends on how it stands.
        """
        codes: list[int] = []
        node = self._roots.get(root)
        while node is not None and node[1] is not None:
            code, node = node[0], node[1].get(self._version(node[0], version))
            if node is not None or code // 3 in self._keys.sure:
                codes.append(code)
        return (None if node is None or node[0] is None else node[0][0]), codes

    def _version(self, code: int, version: Callable[[int], int]) -> int:
        key, mode = divmod(code, 3)
        if mode == READ_CODE:
            return version(key)
        if mode == ADD_CODE:
            return _BLIND
        if key in self._keys.blind:
            return _BLIND if key in self._keys.sure else bool(version(key))  # it may be new there
        return version(key)
