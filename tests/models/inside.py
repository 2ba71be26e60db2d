"""A test whose whole body runs inside an execution, for state that is tracked, and calls that need no scheduler."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import racewindow

P = ParamSpec("P")
T = TypeVar("T")


def inside(test: Callable[P, None]) -> Callable[P, None]:
    """Run a plain test function as an execution of one task."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            test(*args, **kwargs)

        racewindow.run(main)

    return run


def done(call: Coroutine[Any, Any, T]) -> T:
    """What a call returns that never waits."""
    try:
        call.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("it waited")
