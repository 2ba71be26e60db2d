"""What tracked state and value decisions need of the execution in progress in this thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, async_yield
from racewindow.errors import UsageError
from racewindow.runtime.patches import Until
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.runner import SimRunner, current_runner

T = TypeVar("T")


class Plain:
    """Stands for the runner under plain `trio.run`: nothing is recorded."""

    recording = naming = False
    version = 0
    recorder: Recorder

    def key_of_new(self, name: str | None, kind: str, thing: object) -> int:
        """Never asked for: nothing is recorded."""
        raise AssertionError(name, kind, thing)

    def name_of_new(self, name: str | None, kind: str, thing: object) -> str:
        """Never asked for: nothing is recorded."""
        raise AssertionError(name, kind, thing)


PLAIN = Plain()
Owner = Any
"""A SimRunner or PLAIN: has `recording`, `naming`, `version`, `recorder`, `key_of_new`, `name_of_new`."""


def owner() -> Owner | None:
    """The runner of the execution in this thread, PLAIN under plain trio, None outside of both."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if runner is None:
        return None
    return runner if type(runner) is SimRunner else PLAIN


async def pause_until(predicate: Callable[[], object]) -> None:
    """Yield to the loop; resumed in a state in which the predicate holds."""
    runner = current_runner()
    if runner is None:
        msg = "racewindow.until must be called from async context"
        raise RuntimeError(msg)
    runner.until_predicate = predicate
    (await async_yield(Until)).unwrap()


def choose(options: Sequence[T]) -> T:
    """One of `options`: a value decision of the step in progress, of which the first option is the default.

    Outside an execution of racewindow it is the first one. Raises UsageError if there are no options.
    """
    if not len(options):
        raise UsageError("racewindow.choose was given no options.", do="give it at least one.")
    runner = current_runner()
    if runner is None or runner.world is None:
        return options[0]
    index: int = runner.world.choose(len(options))
    return options[index]
