"""Properties: what has to be true always, sometimes, eventually or never.

`always` and `sometimes` come in two forms. Given a *value*, they judge the place in the code where they stand, in the
step in progress: nothing is raised, the program goes on, and the exploration reports what was broken. Given a
*function*, they are checkers that judge every event, for `checks=[...]`. `eventually` and `leads_to` are checkers,
`unreachable` marks a place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any, overload

from racewindow.errors import UsageError
from racewindow.events import Event
from racewindow.runtime.runner import current_runner
from racewindow.temporal import Always, Condition, Eventually, LeadsTo, Sometimes


@overload
def always(cond: Condition, name: str) -> Always: ...
@overload
def always(cond: bool, name: str, **values: Any) -> None: ...  # noqa: FBT001  # it reads like an assert
def always(cond: Condition | bool, name: str, **values: Any) -> Always | None:  # noqa: FBT001
    """Say that `cond` is true here, every time; or, of a function of an `Event`, that it is true of every event.

    `values`: what to show if it is not. Outside of an exploration a broken one raises AssertionError, as `assert` does.
    Raises UsageError for a function inside an execution, where it would be judged by nobody.
    """
    if callable(cond):
        _check_function("always", name, values)
        return Always(cond, name)
    _check_name("always", name)
    if not cond:
        _broken("always", name, values)
    return None


@overload
def sometimes(cond: Condition, name: str) -> Sometimes: ...
@overload
def sometimes(cond: bool, name: str) -> None: ...  # noqa: FBT001
def sometimes(cond: Condition | bool, name: str) -> Sometimes | None:  # noqa: FBT001
    """Say that `cond` is true here in some explored execution; or, of a function, that it is true of some event.

    A result counts the executions that reached it; with `require_coverage` one that was never reached is a failure. A
    place that no execution came to is not known: name it there, as in `require_coverage=["queue full"]`.
    Outside of an exploration nothing happens. Raises UsageError for a function inside an execution.
    """
    if callable(cond):
        _check_function("sometimes", name, {})
        return Sometimes(cond, name)
    _check_name("sometimes", name)
    runner = current_runner()
    host = None if runner is None or runner.world is None else runner.world.host
    if host is not None:
        host.met(name, reached=bool(cond))
    return None


def unreachable(name: str, **values: Any) -> None:
    """Say that no execution comes here. `values`, and outside of an exploration: as for `always`."""
    _check_name("unreachable", name)
    _broken("unreachable", name, values)


def eventually(cond: Condition, *, name: str, within: float | None = None) -> Eventually:
    """A checker: some event fulfils `cond`, at most `within` virtual seconds after the start (None: at any time).

    The span is closed: exactly `within` is in time. An execution that ended early (deadlock, limit, exception) is
    unknown, unless the time had passed by then.
    """
    _check_function("eventually", name, {})
    return Eventually(cond, name, _nanoseconds("eventually", within))


def leads_to(
    trigger: Condition,
    response: Condition,
    *,
    name: str,
    within: float | None = None,
    by: Callable[[Event], Hashable] | None = None,
) -> LeadsTo:
    """A checker: each event that is a `trigger` is followed by a `response`, at most `within` virtual seconds later.

    `by`: what the two have to agree in. The span is closed, and an execution that ended early is unknown, as for
    `eventually`. At one instant a response of another task counts whatever its place in the history, because the order
    of independent steps has no meaning.
    """
    _check_function("leads_to", name, {})
    return LeadsTo(trigger, response, name, _nanoseconds("leads_to", within), by)


def _broken(property_: str, name: str, values: dict[str, Any]) -> None:
    runner = current_runner()
    host = None if runner is None or runner.world is None else runner.world.host
    if host is None:
        shown = ", ".join(f"{key}={value!r}" for key, value in values.items())
        raise AssertionError(f"{property_}: {name}{f' ({shown})' if shown else ''}")
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    assert frame is not None
    host.broke(property_, name, frame.f_code, frame.f_lineno, values)


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not name:
        raise UsageError(
            f"{what} was given {name!r:.60} as its name.",
            why="violations are reported and counted by that name.",
            do=f'for example: racewindow.{what}({"" if what == "unreachable" else "balance >= 0, "}"balance")',
        )


def _check_function(what: str, name: object, values: dict[str, Any]) -> None:
    _check_name(what, name)
    if current_runner() is not None:
        raise UsageError(
            f"{what}({name!r}) was given a function inside an execution.",
            why="there it would be judged by nobody.",
            do="call the function and give its answer, or put the property into the checks of the scenario.",
        )
    if values:
        raise UsageError(
            f"{what}({name!r}) was given a function and values.", do="leave the values out: the event is shown."
        )


def _nanoseconds(what: str, within: object) -> int | None:
    if within is None:
        return None
    if isinstance(within, bool) or not isinstance(within, int | float) or not 0 <= within < _SECONDS_MAX:
        raise UsageError(f"{what} cannot be within {within!r}.", why="it is in seconds of virtual time, at least 0.")
    return round(within * 1_000_000_000)


_SECONDS_MAX = 1e9
