"""What the runtime has to offer so that the machine can be virtual: the one seam between the two.

Responsible for the types of that seam only. Nothing here knows how a step is run, and the runtime knows nothing of how
names are patched, so each is tested with a stand-in for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import random


class World(Protocol):
    """One execution, as seen by the step that is running in it right now."""

    def now_ns(self) -> int:
        """Virtual time since the start of the execution, in nanoseconds; 0 at the start."""

    def advance_ns(self, ns: int) -> None:
        """Move the virtual clock forward by `ns` >= 0: the running step sleeps without letting anyone else run."""

    def entropy(self) -> random.Random:
        """Return the current task's own stream, so that draws of different tasks do not race.

        A plain `random.Random`, the same object for all of one task's steps in one execution and never handed to
        another task or execution: what the task did to its `random` module (`random.seed(7)`) is kept on it.
        """


WorldOf: TypeAlias = Callable[[], World | None]
"""The world of the calling thread if it is inside a step right now, else None. Asked on every patched call."""

Inside: TypeAlias = Callable[..., object]
"""What a patched function does inside a step: called with the world, then with the arguments of the call."""
