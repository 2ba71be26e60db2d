"""A fault point before every step of a coroutine, so that a process can be struck wherever it stands.

The steps of a service begin where trio resumes it, which no code of the service sees. So its coroutine is awaited
through an object that stands between: each time it is resumed, something is awaited first, and then it goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from racewindow.runtime.access import may_strike
from racewindow.runtime.runner import current_runner

Resume = Callable[[Any], Any]


class Stepped:
    """Awaits a coroutine, with `before()` awaited before each of its steps.

    It shows the frames of what it awaits, as a coroutine does: where a task stands is found by following them.
    """

    __slots__ = ("_before", "_body", "_first", "_then")

    def __init__(self, body: Coroutine[Any, Any, object], before: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._body, self._before = body, before
        self._first: Coroutine[Any, Any, object] | None = None
        self._then: tuple[Resume, Any] = (body.send, None)

    def __await__(self) -> Stepped:
        return self

    def __iter__(self) -> Stepped:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """The task is resumed with a value."""
        if self._first is not None:
            return self._go_on(self._first.send, value)
        self._then = (self._body.send, value)
        return self._begin()

    def throw(self, error: Any, *more: Any) -> Any:  # Python before 3.12 throws type, value and traceback
        """The task is resumed with an exception, such as a cancellation."""
        if more and more[0] is not None:
            error = more[0]
        if self._first is not None:
            return self._go_on(self._first.throw, error)
        self._then = (self._body.throw, error)
        return self._begin()

    def close(self) -> None:
        """The task is dropped."""
        if self._first is not None:
            self._first.close()
        self._body.close()

    def _begin(self) -> Any:
        runner = current_runner()
        if runner is None or runner.ending:
            resume, value = self._then
            return resume(value)
        self._first = self._before()
        return self._go_on(self._first.send, None)

    def _go_on(self, resume: Resume, value: Any) -> Any:
        """With what comes before the step; when that is over, with the step."""
        try:
            return resume(value)
        except StopIteration:
            self._first = None
            resume, value = self._then
        except BaseException as error:  # noqa: BLE001  # it has been cancelled meanwhile
            self._first = None
            resume, value = self._body.throw, error
        return resume(value)

    @property
    def cr_frame(self) -> Any:
        """Where it stands."""
        frame: Any = getattr(self._first or self._body, "cr_frame", None)
        return frame

    @property
    def cr_await(self) -> Any:
        """What that awaits."""
        awaited: Any = getattr(self._first or self._body, "cr_await", None)
        return awaited


async def stepped(body: Awaitable[object], before: Callable[[], Coroutine[Any, Any, object]]) -> object:
    """Await something with a fault point before each step; plainly if no fault may strike."""
    if not may_strike() or not isinstance(body, Coroutine):
        return await body
    return await Stepped(body, before)
