"""`datetime.now`, `utcnow` and `today`, read from the virtual clock.

Responsible for the two classes that stand for `datetime.datetime` and `datetime.date` while an installation lasts: the
real ones are written in C and cannot be patched, so the *name* is replaced by a subclass.

Invariant: no value ever has the type of a stand-in. `datetime(2026, 1, 19)` and `datetime.now()` make plain values, so
that what is pickled, stored or handed to other libraries is what it would be without us. The stand-in recognises real
values in `isinstance` and `issubclass`, and equals and hashes like the class it stands for, so that it is found in
tables keyed by type. What remains different is identity: `type(value) is datetime` is False while an installation
lasts.
"""

from __future__ import annotations

import copyreg
import datetime as dt
import sys
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from racewindow.virtual.clock import EPOCH_NS
from racewindow.virtual.originals import REAL_DATE, REAL_DATETIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from racewindow.virtual.patching import Ledger
    from racewindow.virtual.world import World, WorldOf

_START = REAL_DATETIME.fromtimestamp(EPOCH_NS // 1_000_000_000, tz=dt.UTC)

_STANDS_FOR = "_racewindow_stands_for"

_UTCNOW_IS_DEPRECATED = sys.version_info >= (3, 12)


def _now(world: World, tz: dt.tzinfo | None) -> dt.datetime:
    moment = _START + dt.timedelta(microseconds=world.now_ns() // 1000)
    # Naive means local time, and local time is UTC while an installation lasts.
    return moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz)


class _StandInType(type):
    """The metaclass of stand-ins, which count as the class that they stand for; classes derived from them do not."""

    def __instancecheck__(cls, instance: object) -> bool:
        original = _stands_for(cls)
        return super().__instancecheck__(instance) if original is None else isinstance(instance, original)

    def __subclasscheck__(cls, subclass: type) -> bool:
        original = _stands_for(cls)
        return super().__subclasscheck__(subclass) if original is None else issubclass(subclass, original)

    def __eq__(cls, other: object) -> bool:
        original = _stands_for(cls)
        return cls is other or (original is not None and (other is original or _stands_for(other) is original))

    def __hash__(cls) -> int:
        original = _stands_for(cls)
        return super().__hash__() if original is None else hash(original)


def _stands_for(candidate: object) -> type[dt.date] | None:
    """Return the class that a stand-in stands for; None for anything else."""
    return vars(candidate).get(_STANDS_FOR) if type(candidate) is _StandInType else None


@cache
def stand_in(original: type[dt.date], world_of: WorldOf) -> type[dt.date]:
    """Return the class that takes the name of `original`; one, as a class is only collected with all that is old."""

    def new(cls: type, *args: Any, **kwargs: Any) -> object:
        return original(*args, **kwargs) if cls is virtual else original.__new__(cls, *args, **kwargs)

    namespace: dict[str, object] = {
        "__new__": new,
        "__slots__": (),
        "__module__": original.__module__,  # so that the class pickles under the name it has taken
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
        _STANDS_FOR: original,
    }
    virtual: Any = _StandInType(original.__name__, (original,), namespace)
    for name, method in _methods(original, virtual, world_of):
        type.__setattr__(virtual, name, method)
    result: type[dt.date] = virtual
    return result


def _methods(original: type, owner: Any, world_of: WorldOf) -> Iterator[tuple[str, object]]:  # see super()
    """Yield the class methods that read a clock, to be set on `owner`, a subclass of `original`."""

    def now(cls: Any, tz: dt.tzinfo | None = None) -> object:
        world = world_of()
        if world is None:
            return super(owner, cls).now(tz)
        return _of_class(cls, _now(world, tz))

    def utcnow(cls: Any) -> object:
        world = world_of()
        if _UTCNOW_IS_DEPRECATED:
            # The original would blame the line that calls it, which is one of ours.
            warnings.warn(_UTCNOW_WARNING, DeprecationWarning, stacklevel=2)
        if world is None:
            return super(owner, cls).now(dt.UTC).replace(tzinfo=None)
        return _of_class(cls, _now(world, None))

    def today(cls: Any) -> object:
        world = world_of()
        if world is None:
            return super(owner, cls).today()
        moment = _now(world, None)
        if issubclass(cls, REAL_DATETIME):
            return _of_class(cls, moment)
        return cls(moment.year, moment.month, moment.day)

    yield "today", classmethod(today)
    if issubclass(original, REAL_DATETIME):
        yield "now", classmethod(now)
        yield "utcnow", classmethod(utcnow)


_UTCNOW_WARNING = (
    "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. "
    "Use timezone-aware objects to represent datetimes in UTC: dt.datetime.now(datetime.UTC)."
)


def _of_class(cls: Any, moment: dt.datetime) -> object:  # a stand-in, or a user's subclass
    """Return `moment` as an instance of `cls`; as a plain value if `cls` is a stand-in."""
    return cls.combine(moment.date(), moment.timetz())


def patch_subclasses(ledger: Ledger, world_of: WorldOf) -> None:
    """Give the virtual clock to classes derived from the real ones before the installation.

    They inherit the methods written in C, whichever name we replace. Those that are themselves written in C cannot be
    reached. Stand-ins of earlier installations are among them, if a class made meanwhile was derived from one.
    """
    for original in (REAL_DATE, REAL_DATETIME):
        for owner in type.__subclasses__(original):
            if owner is REAL_DATETIME:
                continue
            for name, method in _methods(original, owner, world_of):
                if name not in vars(owner) or _stands_for(owner) is original:
                    ledger.set_class_attribute(owner, name, method)


def patch_pickling(ledger: Ledger, virtual: type[dt.date], original: type[dt.date]) -> None:
    """Let plain values be pickled and copied while their class goes under another name.

    `pickle` refuses a class that is not what its name leads to. The stand-in is, so values are reduced to it; the bytes
    are the same as without us.
    """
    table: dict[Any, Any] = copyreg.dispatch_table
    if original not in table:
        ledger.set_item(table, original, lambda value: (virtual, value.__reduce_ex__(4)[1]))  # type: ignore[arg-type]  # keyed by class
