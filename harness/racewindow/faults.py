"""Faults: what may break, where, and how often. The protocol; the kinds themselves live in packages that list them.

A fault is a frozen value with a kind, a target and parameters. It strikes at a *fault point*, a place that the program
offers in a step of its victim, so whether it strikes is a decision like any other: option 0 is that nothing happens. A
`FaultPlan` says which faults may strike and how many of them in one execution.

To write one: subclass `Fault` as a frozen dataclass with keyword-only fields whose names carry their units, and list
the class under the entry-point group `racewindow.faults`. What is asked of a value of such a field is said with it, by
`fault_parameter`. A fault never names a service; its target is a pattern.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import metadata
from typing import Any, ClassVar, NamedTuple, Protocol

from racewindow.errors import InputError, UsageError, unknown_name
from racewindow.fault_parameters import fault_parameter, milder_values, parameters_of, shown

GROUP = "racewindow.faults"
"""The entry-point group under which a package lists its kinds of fault."""
EVERYWHERE = "*"


class Process(Protocol):
    """What a process fault acts upon: an instance of a service with a life cycle, such as a supervisor's."""

    @property
    def name(self) -> str:
        """The instance's name, `writer-2`."""

    def crash(self) -> None:
        """End all of its tasks where they stand: nothing is cleaned up, and what it had in memory is gone."""

    def restart(self, after_seconds: float) -> None:
        """Crash, and start anew from nothing after some virtual time."""

    def pause(self, seconds: float) -> None:
        """Let none of its tasks take a step for some virtual time."""

    def linger(self, seconds: float) -> None:
        """Live on for some virtual time after it was told to stop, unknown to whoever told it."""

    def cancel(self) -> None:
        """Cancel it as its supervisor would when it has to stop: `finally` blocks run."""


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """A place at which faults may strike, as it is reached.

    `name`: dotted, such as `db.read`. `service`: who has reached it, and would be the victim. `process`: the instance
    that it belongs to, None where nothing has a life cycle.
    """

    name: str
    service: str
    process: Process | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that may break. Subclasses are the kinds.

    `kind` and `family` name it, `summary` says what it does in one line (the first of the docstring, unless set),
    `points` are patterns of the fault points that it applies to. `target`: a pattern of service names.
    `after_seconds`, `until_seconds`: virtual times between which it may strike (the first included, the second not).
    """

    kind: ClassVar[str] = ""
    family: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    points: ClassVar[tuple[str, ...]] = (EVERYWHERE,)

    target: str = fault_parameter(EVERYWHERE, "pattern of the services that it may strike")
    after_seconds: float = fault_parameter(0.0, "it may strike from this virtual time on")
    until_seconds: float = fault_parameter(math.inf, "and before this one")

    def __init_subclass__(cls, **options: Any) -> None:
        super(Fault, cls).__init_subclass__(**options)
        said = vars(cls).get("__doc__") or ""
        if "summary" not in vars(cls) and not said.startswith(f"{cls.__name__}("):  # as a dataclass says of itself
            cls.summary = said.strip().partition("\n")[0]

    def __post_init__(self) -> None:
        for each in parameters_of(type(self)):
            each.check(getattr(self, each.name))
        if not self.after_seconds < self.until_seconds:
            raise UsageError(
                f"{self.kind}: until_seconds cannot be {self.until_seconds:g}.",
                why=f"nothing lies between {self.after_seconds:g} s and {self.until_seconds:g} s.",
                do="give a later end, or leave it out.",
            )

    def can_strike(self, point: FaultPoint) -> bool:
        """Whether there is anything that it could do at a point to which it applies; by default there is."""
        del point
        return True

    async def strike(self, point: FaultPoint) -> None:
        """What happens by itself before the point goes on; by default nothing, and the point acts on the value."""
        del point

    @property
    def acts_by_itself(self) -> bool:
        """Whether it does something in `strike`, for which only a point that can wait has room."""
        return type(self).strike is not Fault.strike

    def weaker(self) -> Iterator[Fault]:
        """Milder versions of the same, for shrinking; by default with one parameter weakened at a time."""
        for each in parameters_of(type(self)):
            for milder in milder_values(each, getattr(self, each.name)):
                yield dataclasses.replace(self, **{each.name: milder})

    @property
    def text(self) -> str:
        """The fault in one word, `stall:seconds=30,target=committer`; `parse_fault` reads it."""
        values = ((each, getattr(self, each.name)) for each in parameters_of(type(self)))
        given = [f"{each.name}={shown(value)}" for each, value in values if value != each.default]
        return f"{self.kind}:{','.join(given)}" if given else self.kind

    @property
    def home(self) -> str:
        """Where its class is, `package.module:Class`."""
        return f"{type(self).__module__}:{type(self).__qualname__}"

    def applies(self, point: str, service: str, kinds: Collection[str] | None) -> bool:
        """Whether it may strike there, budget and time aside; `kinds`: those that the point acts on, None for any."""
        if kinds is None:
            if not any(fnmatchcase(point, pattern) for pattern in self.points):
                return False
        elif self.kind not in kinds:
            return False
        return fnmatchcase(service, self.target)

    def __or__(self, other: Fault | FaultPlan) -> FaultPlan:
        return FaultPlan((self,)) | other


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which faults may strike in an execution, and how many.

    `budget`: at most so many in one execution; `budgets`: at most so many of a kind. Plans are put together by `|`,
    which adds what may strike and keeps the larger budget.
    """

    faults: tuple[Fault, ...] = ()
    budget: int = 1
    budgets: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unique = tuple({each.text: each for each in self.faults}.values())
        object.__setattr__(self, "faults", unique)
        kinds = {each.kind for each in unique}
        limits: dict[str, Any] = {"all faults together": self.budget, **self.budgets}
        for kind, budget in limits.items():
            if isinstance(budget, bool) or not isinstance(budget, int) or budget < 0:
                raise UsageError(
                    f"the fault budget for {kind} cannot be {budget!r}.",
                    why="it is how many may strike in one execution, so it is a whole number of at least 0.",
                    do="give 0 for none, 1 for one.",
                )
        for kind in self.budgets:
            if kind not in kinds:
                raise unknown_name("kind of fault in this plan", kind, kinds)

    def __hash__(self) -> int:
        return hash((self.faults, self.budget))

    def __bool__(self) -> bool:
        """Whether anything may strike at all."""
        return bool(self.faults) and self.budget > 0

    def __or__(self, other: Fault | FaultPlan) -> FaultPlan:
        plan = other if isinstance(other, FaultPlan) else FaultPlan((other,))
        budgets = dict(self.budgets)
        for kind, budget in plan.budgets.items():
            budgets[kind] = max(budget, budgets.get(kind, 0))
        return FaultPlan(self.faults + plan.faults, max(self.budget, plan.budget), budgets)

    def affords(self, struck: Sequence[int], number: int) -> bool:
        """Whether fault `number` (from 1) may still strike in an execution in which these have."""
        if len(struck) >= self.budget:
            return False
        if not self.budgets:
            return True
        kind = self.faults[number - 1].kind
        limit = self.budgets.get(kind)
        return limit is None or sum(self.faults[each - 1].kind == kind for each in struck) < limit

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that may strike, in order."""
        return tuple(dict.fromkeys(each.kind for each in self.faults))

    @property
    def summary(self) -> str:
        """`up to 2 faults of kinds crash, stall (at most 1 crash)`."""
        limits = ", ".join(f"at most {n} {kind}" for kind, n in self.budgets.items())
        kinds = self.kinds
        return (
            f"up to {self.budget} fault{'' if self.budget == 1 else 's'} of kind{'' if len(kinds) == 1 else 's'} "
            f"{', '.join(kinds)}" + (f" ({limits})" if limits else "")
        )


NO_FAULTS = FaultPlan((), 0)


class Offer(NamedTuple):
    """A fault that may strike at the point just reached.

    `number`: its place in the plan, from 1. `text`: its name. `affordable`: whether the budget still allows it.
    """

    number: int
    text: str
    affordable: bool


# --- among the choices of a step -------------------------------------------------------------------------------------

NO_FAULT = -2
"""Among the choices of a step: nothing struck at the point. Fault number n of the plan is NO_FAULT - n.

Not -1, which Python hashes like -2: steps are told apart by hashes of their choices.
"""


def split_choices(choices: tuple[int, ...], names: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Of the choices of a step: the values that it took, and the names of the faults that struck in it."""
    if not choices:
        return (), ()
    values = tuple(each for each in choices if each > NO_FAULT)
    return values, tuple(names[number - 1] for number in struck_in(choices))


def struck_in(choices: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers of the faults that struck in a step with these choices."""
    return tuple(NO_FAULT - each for each in choices if each < NO_FAULT)


# --- kinds by name ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedKind:
    """One installed kind of fault, or why it cannot be loaded. `origin`: its distribution."""

    name: str
    origin: str
    fault: type[Fault] | None = None
    problem: str = ""


def installed_kinds() -> list[ListedKind]:
    """Every kind that an installed package lists, by name; one that cannot be loaded does not hide the others."""
    unique = {(each.name, each.value): each for each in metadata.entry_points(group=GROUP)}
    found = []
    for _, entry in sorted(unique.items()):
        origin = "" if entry.dist is None else str(entry.dist.name)
        try:
            loaded = entry.load()
        except Exception as error:  # noqa: BLE001  # whatever a module of somebody else's raises when it is imported
            found.append(ListedKind(entry.name, origin, problem=f"{type(error).__name__}: {error}"))
            continue
        if isinstance(loaded, type) and issubclass(loaded, Fault) and loaded.kind == entry.name:
            found.append(ListedKind(entry.name, origin, fault=loaded))
        else:
            problem = f"{entry.value} is not a racewindow.Fault whose kind is {entry.name!r}"
            found.append(ListedKind(entry.name, origin, problem=problem))
    return found


def parse_fault(text: str, *, known: Iterable[type[Fault]] = (), home: str = "") -> Fault:
    """The fault that a text such as `stall:seconds=30,target=committer` names; times may have a unit (ms, s, min, h).

    `known`: kinds that are not installed, such as a scenario's own. `home`: where the class is if no name finds it.
    Raises UsageError for an unknown kind, an unknown parameter or a value that it cannot have.
    """
    kind, _, rest = text.partition(":")
    cls = _class_of(kind.strip(), {each.kind: each for each in known}, home)
    by_name = {each.name: each for each in parameters_of(cls)}
    given: dict[str, Any] = {}
    for part in filter(None, (each.strip() for each in rest.split(","))):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise UsageError(
                f"the fault {text!r} cannot be read.",
                why=f"{part!r} is not a parameter and its value, joined by '='.",
                do=f"for example: {kind}:{next(iter(by_name))}=...",
            )
        if name not in by_name:
            raise unknown_name(f"parameter of {kind}", name, by_name)
        if name in given:
            raise UsageError(f"the fault {text!r} cannot be read.", why=f"it sets {name} twice.")
        given[name] = by_name[name].read(value)
    return cls(**given)


def _class_of(kind: str, known: Mapping[str, type[Fault]], home: str) -> type[Fault]:
    if kind in known:
        return known[kind]
    installed = installed_kinds()
    named = [each for each in installed if each.name == kind]
    if len(named) > 1:
        raise UsageError(
            f"{len(named)} installed packages list a kind of fault {kind!r}.",
            why=f"they are: {', '.join(each.origin or 'one without a name' for each in named)}.",
            do="uninstall one of them; `racewindow faults` shows where each comes from.",
        )
    for listed in named:
        if listed.fault is None:
            raise InputError(
                f"the kind of fault {kind!r} of the package {listed.origin or 'that lists it'} cannot be loaded.",
                why=f"{listed.problem}.",
                do="reinstall or update that package.",
            )
        return listed.fault
    module, _, name = home.partition(":")
    if name:
        try:
            found: Any = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            found = None
        if isinstance(found, type) and issubclass(found, Fault):
            return found
    raise unknown_name("kind of fault", kind, {*known, *(each.name for each in installed)})
