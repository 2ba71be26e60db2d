"""Async fixtures inside an execution: set up where the test runs, in an order that no address decides.

For tests that pytest-trio runs, its own fixtures are made to come in a stable order: it keeps them in sets, which go by
address. For the others (anyio's, and tests without either) an async fixture of function scope becomes a `Deferred` when
pytest sets it up, and so does whatever depends on one; `with_fixtures` sets them up for real, one after the other, and
tears them down in reverse.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Deferred:
    """A fixture that an execution has yet to set up: its function and the arguments that pytest found for it."""

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]


def deferring(name: str, function: Callable[..., Any], *, bind: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """A function for pytest to call in place of a fixture's; `bind()`: the latter as a method of the test's class."""
    if inspect.isasyncgenfunction(function) or inspect.iscoroutinefunction(function):
        return lambda **arguments: Deferred(name, bind(), arguments)
    if inspect.isgeneratorfunction(function):

        def generator(**arguments: Any) -> Iterator[Any]:
            if _waits(arguments):
                yield Deferred(name, bind(), arguments)
            else:
                yield from bind()(**arguments)

        return generator

    def plain(**arguments: Any) -> Any:
        return Deferred(name, bind(), arguments) if _waits(arguments) else bind()(**arguments)

    return plain


def _waits(arguments: Mapping[str, Any]) -> bool:
    return any(isinstance(each, Deferred) for each in arguments.values())


async def with_fixtures(test: Callable[..., Awaitable[object]], found: Mapping[str, Any], names: Iterable[str]) -> None:
    """Set up what is deferred among the values found for a test, run it with those that it names, and tear down."""
    ready: dict[Deferred, Any] = {}
    async with contextlib.AsyncExitStack() as stack:

        async def value_of(given: Any) -> Any:
            if not isinstance(given, Deferred):
                return given
            if given not in ready:
                arguments = {name: await value_of(each) for name, each in given.arguments.items()}
                ready[given] = await _set_up(given.function, arguments, stack)
            return ready[given]

        values = {name: await value_of(each) for name, each in found.items()}
        await test(**{name: values[name] for name in names})


async def _set_up(function: Callable[..., Any], arguments: Mapping[str, Any], stack: contextlib.AsyncExitStack) -> Any:
    if inspect.isasyncgenfunction(function):
        return await stack.enter_async_context(_once(function(**arguments)))
    value = function(**arguments)
    if inspect.isgenerator(value):
        return stack.enter_context(contextlib.contextmanager(lambda: value)())
    return await value if inspect.isawaitable(value) else value


@contextlib.asynccontextmanager
async def _once(generator: Any) -> AsyncIterator[Any]:
    """As pytest has it: a failure of the test is not thrown into the fixture, which just goes on."""
    value = await anext(generator)
    try:
        yield value
    finally:
        try:
            await anext(generator)
        except StopAsyncIteration:
            pass
        else:
            message = "the async fixture yields more than once"
            raise RuntimeError(message)


# --- pytest-trio -----------------------------------------------------------------------------------------------------


class _Ordered(dict[Any, None]):
    """A set that iterates in the order in which things came, with the methods that pytest-trio calls."""

    def add(self, each: Any) -> None:
        """Put it in."""
        self[each] = None

    def remove(self, each: Any) -> None:
        """Take it out."""
        del self[each]

    def __sub__(self, other: Iterable[Any]) -> _Ordered:
        return _Ordered.fromkeys(each for each in self if each not in other)  # type: ignore[return-value]


@contextlib.contextmanager
def ordered_fixtures() -> Iterator[None]:
    """While it lasts, fixtures of pytest-trio are started, waited for and cancelled in a stable order."""
    plugin = sys.modules.get("pytest_trio.plugin")
    classes = getattr(plugin, "TrioFixture", None), getattr(plugin, "TrioTestContext", None)
    if not all(hasattr(each, "__init__") and isinstance(each, type) for each in classes):
        yield
        return
    fixture: Any = classes[0]
    saved = [(each, "__init__", vars(each)["__init__"]) for each in classes]
    saved.append((fixture, "register_and_collect_dependencies", fixture.register_and_collect_dependencies))
    for each, name, original in saved:
        setattr(each, name, _initialised(original) if name == "__init__" else _collected(original))
    try:
        yield
    finally:
        for each, name, original in saved:
            setattr(each, name, original)


def _initialised(original: Callable[..., None]) -> Callable[..., None]:
    def initialise(self: Any, *arguments: Any, **keywords: Any) -> None:
        original(self, *arguments, **keywords)
        for name, value in vars(self).items():
            if type(value) is set:
                setattr(self, name, _Ordered.fromkeys(value))

    return initialise


def _collected(original: Callable[[Any], set[Any]]) -> Callable[[Any], list[Any]]:
    def collect(self: Any) -> list[Any]:
        found = original(self)
        order: dict[Any, None] = {}
        _visit(self, order)
        return [each for each in order if each in found]

    return collect


def _visit(fixture: Any, order: dict[Any, None]) -> None:
    for each in vars(fixture).get("_pytest_kwargs", {}).values():
        if hasattr(each, "register_and_collect_dependencies"):
            _visit(each, order)
    order.setdefault(fixture)
