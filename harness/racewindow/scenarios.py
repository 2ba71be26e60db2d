"""Scenarios: an async function with a declaration of what can be switched, judged and told about it.

Any trio program can be explored. A *scenario* is one that declares more, so that the command line, the safeguard matrix
and the reports can use it; nothing of it is special to the models that come with racewindow. The `Simulation` handed to
a scenario is its only door to the harness; it holds no state of its own between executions.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, overload

import structlog

from racewindow.checkers import Checker
from racewindow.coverage import required_of
from racewindow.display import NO_DISPLAY, Display
from racewindow.errors import UsageError, unknown_name
from racewindow.events import Event
from racewindow.faults import NO_FAULTS, Fault, FaultPlan
from racewindow.operations import Recording
from racewindow.signature import Parameter, convert, function_name, read_signature
from racewindow.transactions import TransactionRecording

if TYPE_CHECKING:
    from trio.abc import Clock, Instrument

T = TypeVar("T")
Narrator = Callable[[Event], str | None]
FeedLoader = Callable[..., Any]


class Host(Protocol):
    """What a `Simulation` needs of the execution that it belongs to."""

    def now_ns(self) -> int:
        """Virtual time since the start of the execution, in nanoseconds."""

    def choose(self, options: Sequence[T]) -> T:
        """Make a value decision."""

    async def fault_point(self, name: str, kinds: Collection[str] | None) -> Fault | None:
        """Come to a fault point."""

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record an event of the step in progress."""

    def new_id(self) -> str:
        """A name that no other record of this execution has, the same in every order of events."""

    def spawn(self, function: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str | None) -> None:
        """Start a task beside the scenario's own."""


class Simulation:
    """The scenario's handle on its execution.

    `feed`: what the scenario's feed loader returned. `log`: a structlog logger whose events carry virtual time, task
    and step; for people, nothing reads them back.
    """

    __slots__ = ("_host", "_known", "_on", "feed", "log")

    def __init__(
        self,
        host: Host,
        *,
        known: Mapping[str, str],
        on: frozenset[str],
        feed: Any,  # whatever the scenario's own loader returns
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._host, self._known, self._on, self.feed, self.log = host, known, on, feed, log

    def safeguard(self, name: str) -> bool:
        """Whether the safeguard called `name` is switched on.

        Raises UsageError if the scenario did not declare it: a misspelt name must not read as "off".
        """
        if name in self._on:
            return True
        if name not in self._known:
            raise unknown_name("safeguard", name, self._known)
        return False

    @property
    def now_ns(self) -> int:
        """Virtual time since the start of the execution, in nanoseconds."""
        return self._host.now_ns()

    def choose(self, options: Sequence[T]) -> T:
        """One of `options`; which one is a decision, the first is the default."""
        return self._host.choose(options)

    async def fault_point(self, name: str, *, kinds: Collection[str] | None = None) -> Fault | None:
        """A place at which faults may strike; see `racewindow.fault_point`."""
        return await self._host.fault_point(name, kinds)

    def emit(self, kind: str, **data: Any) -> None:  # the scenario's own values
        """Say that something happened; checkers judge these events and reports tell them."""
        self._host.emit(kind, data)

    def operation(self, name: str, *args: Any, key: Hashable = None) -> Recording:
        """Record a call and its answer, for `linearizable`: `with sim.operation("read", key="x") as op:`.

        `op.returned(result)` or `op.failed()` says what became of it; without either its outcome is unknown.
        """
        return Recording(self._host, name, args, key)

    def transaction(self, name: str) -> TransactionRecording:
        """Record what a transaction reads and writes, for `serializable`: `with sim.transaction("transfer") as txn:`.

        `txn.read(key, version)`, `txn.wrote(key, version)`; then `txn.committed()` or `txn.aborted()`, without either
        its outcome is unknown.
        """
        return TransactionRecording(self._host, name)

    def spawn(self, service: Callable[..., Awaitable[object]], *args: Any, name: str | None = None) -> None:
        """Start `service(*args)` as a task of its own; the scenario ends when all of them have ended.

        The same as `nursery.start_soon` in a nursery around the scenario. `name` is how reports call it.
        """
        self._host.spawn(service, args, name)


class Prepared(NamedTuple):
    """What is run in one execution, when it had to be set up first. `clock`, `instruments`: as for `trio.run`."""

    main: Callable[[], Awaitable[object]]
    clock: Clock | None = None
    instruments: Sequence[Instrument] = ()


_source_of = lru_cache(maxsize=64)(inspect.getsource)  # finding where a function ends takes longer than to run it


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """An async function and its declaration; calling it calls the function.

    `safeguards`: what each toggle does. `checks`: what judges every execution. `faults`: what may strike in it, if
    there is a budget for faults. `parameters`: the function's keyword parameters with defaults.
    `feed_loader`: called as `feed_loader(path, **options)` once per exploration, with `path` None for the scenario's
    own data; it raises InputError for a file that cannot be used. `narrate`: gives the line of the story of an event,
    or None. `incident`: date and name of what it is about, shown by `list`. `require_coverage`: what happens
    `sometimes` has to be reached, all of it or by name; else a result is a failure. `not_in_all`: safeguards that "all"
    leaves out: they mend one thing and break another. `safeguards_on`, `fault_budget`: what holds where nothing is
    asked for. `source`: what the fingerprint is of, if that is more than the source of the function.
    """

    function: Callable[..., Awaitable[object]]
    name: str
    summary: str = ""
    safeguards: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Checker, ...] = ()
    faults: tuple[Fault, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    feed_loader: FeedLoader | None = None
    narrate: Narrator | None = None
    display: Display = NO_DISPLAY
    """What reports show beside the story: charts, consequences, landmarks."""
    incident: str = ""
    semantics: str = "processes"
    require_coverage: bool | tuple[str, ...] = False
    not_in_all: tuple[str, ...] = ()
    wants_simulation: bool = True
    safeguards_on: tuple[str, ...] = ()
    fault_budget: int = 0
    source: str = ""
    prepare: Callable[[Simulation], Prepared] | None = None
    """Called before each execution, outside of it, to set up and give the program (a test, with its fixtures)."""

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[object]:
        """Call the function itself, so that one scenario can be built from another."""
        return self.function(*args, **kwargs)

    @property
    def fingerprint(self) -> str:
        """Six hexadecimal digits of the name and the source of the function."""
        try:
            source = self.source or _source_of(self.function)
        except (OSError, TypeError):
            source = ""
        return hashlib.blake2b(f"{self.name}\n{source}".encode(), digest_size=3).hexdigest()

    def resolve_params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters with their values: defaults, overridden by `given` (strings are converted).

        Raises UsageError for an unknown name or a value of the wrong type.
        """
        known = {p.name: p for p in self.parameters}
        values = {p.name: p.default for p in self.parameters}
        for name, value in given.items():
            if name not in known:
                raise unknown_name(f"parameter of {self.name}", name, known)
            values[name] = convert(known[name], value)
        return values

    def resolve_faults(self, given: FaultPlan | Fault | int | None) -> FaultPlan:
        """What may strike: a plan, or a budget for the faults that the scenario declares; None is its own budget, 0.

        Raises UsageError for a budget below 0, and for one without anything that it could be spent on.
        """
        if given is None:
            return FaultPlan(self.faults, self.fault_budget) if self.fault_budget else NO_FAULTS
        if isinstance(given, Fault):
            return FaultPlan((given,))
        if isinstance(given, FaultPlan):
            return given
        plan = FaultPlan(self.faults, given)
        if given and not self.faults:
            raise UsageError(
                f"{self.name} declares no faults that {given} could strike of.",
                why="a budget alone is spent on the faults that a scenario declares.",
                do="name kinds of fault, such as --fault crash; `racewindow faults` lists them.",
            )
        return plan

    def resolve_safeguards(self, given: Sequence[str] | str | None) -> tuple[str, ...]:
        """The safeguards to switch on, in the order of the declaration.

        `given`: names, or "all" but those of `not_in_all`, or "none"; None is what is on where nothing is asked for.
        Raises UsageError for an unknown or repeated name.
        """
        if given is None:
            return self.safeguards_on
        if given in ("none", ""):
            return ()
        if given == "all":
            return tuple(name for name in self.safeguards if name not in self.not_in_all)
        names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
        for position, name in enumerate(names):
            if name not in self.safeguards:
                raise unknown_name(f"safeguard of {self.name}", name, self.safeguards)
            if name in names[:position]:
                raise UsageError(f"safeguard {name!r} is named twice.", do="name each safeguard once.")
        return tuple(name for name in self.safeguards if name in names)


@overload
def scenario(function: Callable[..., Awaitable[object]], /) -> Scenario: ...
@overload
def scenario(
    *,
    name: str | None = None,
    safeguards: Mapping[str, str] | None = None,
    checks: Sequence[Checker] = (),
    faults: Sequence[Fault] = (),
    feed: FeedLoader | None = None,
    narrate: Narrator | None = None,
    display: Display = NO_DISPLAY,
    incident: str = "",
    require_coverage: bool | Sequence[str] = False,
    not_in_all: Sequence[str] = (),
) -> Callable[[Callable[..., Awaitable[object]]], Scenario]: ...
def scenario(
    function: Callable[..., Awaitable[object]] | None = None,
    /,
    *,
    name: str | None = None,
    safeguards: Mapping[str, str] | None = None,
    checks: Sequence[Checker] = (),
    faults: Sequence[Fault] = (),
    feed: FeedLoader | None = None,
    narrate: Narrator | None = None,
    display: Display = NO_DISPLAY,
    incident: str = "",
    require_coverage: bool | Sequence[str] = False,
    not_in_all: Sequence[str] = (),
) -> Scenario | Callable[[Callable[..., Awaitable[object]]], Scenario]:
    """Declare an async function of one `Simulation` (or of none) and keyword parameters to be a scenario.

    `name` defaults to the function's name with dashes. See `Scenario` for the rest. Raises UsageError for a parameter
    that lacks a default, two checks of one name, a name in `not_in_all` that is no safeguard, and anything among
    `faults` that is none.
    """
    for each in not_in_all:
        if each not in (safeguards or {}):
            raise unknown_name("safeguard", each, safeguards or {})
    for fault in faults:
        if not isinstance(fault, Fault):
            raise UsageError(
                f"{fault!r:.80} is not a fault.", do="give values of kinds such as racewindow_faults.Crash()."
            )
    names = [each.name for each in checks]
    for checker_name in names:
        if names.count(checker_name) > 1:
            raise UsageError(
                f"two checks are called {checker_name!r}.",
                why="violations are reported and counted by that name.",
                do="give each a name of its own.",
            )

    def declare(target: Callable[..., Awaitable[object]]) -> Scenario:
        return as_scenario(
            target,
            name=name,
            safeguards=dict(safeguards or {}),
            checks=tuple(checks),
            faults=tuple(faults),
            feed_loader=feed,
            narrate=narrate,
            display=display,
            incident=incident,
            require_coverage=required_of(require_coverage),
            not_in_all=tuple(not_in_all),
        )

    return declare if function is None else declare(function)


def as_scenario(target: Callable[..., Awaitable[object]] | Scenario, **declaration: Any) -> Scenario:
    """`target` itself if it is a scenario, else one made of any async function.

    Raises UsageError if it is not an async function, or needs arguments that the harness cannot give.
    """
    if isinstance(target, Scenario):
        return target
    if not callable(target):
        raise UsageError(f"{target!r:.80} is not an async function.", do="give an `async def` function.")
    wants_simulation, parameters = read_signature(target)
    name = declaration.pop("name", None) or function_name(target).replace("_", "-")
    doc = inspect.getdoc(target) or ""
    return Scenario(
        function=target,
        name=name,
        summary=doc.partition("\n\n")[0].replace("\n", " "),
        parameters=parameters,
        wants_simulation=wants_simulation,
        **declaration,
    )
