"""Tracked state behaves like the ordinary containers, and each access leaves exactly the footprint that it should."""

from __future__ import annotations

import contextlib
import copy
import enum
import gc
import json
import re
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, TrackedDict, TrackedList, tracked
from racewindow.errors import UsageError
from tests.harness.executions import session, walk


def inside(function: Callable[[], object], *, plain: bool = False) -> Any:
    """What `function` returns inside an execution that is on the record, or under plain trio."""
    answer: list[object] = []

    async def main() -> None:
        answer.append(function())

    if plain:
        trio.run(main)
    else:
        with session(main) as running:
            execution = running.record(walk(0))
        assert execution.failure is None, execution.failure.message
    return answer[0]


def touched(setup: Callable[[], Any], action: Callable[[Any], object]) -> list[str]:
    """What one step that does `action` to what `setup` made has in its footprint, scopes and clock aside."""

    async def main() -> None:
        thing = setup()
        await trio.lowlevel.checkpoint()
        with contextlib.suppress(LookupError, AttributeError):
            action(thing)

    with session(main) as running:
        execution = running.record(walk(0))
    assert execution.failure is None, execution.failure.message
    return [f"{each.mode} {each.key}" for each in execution.trace.steps[1].accesses if "Scope" not in each.key]


# --- cells -----------------------------------------------------------------------------------------------------------


def test_a_cell_holds_one_value() -> None:
    """What was set last is what is there."""

    def use() -> list[object]:
        cell = Cell(1, name="x")
        seen: list[object] = [cell.get(), repr(cell)]
        cell.set(2)
        return [*seen, cell.get(), cell.update(lambda value: value + 5), cell.get()]

    assert inside(use) == inside(use, plain=True) == [1, "Cell(1)", 2, 7, 7]


@pytest.mark.parametrize(
    ("action", "footprint"),
    [
        (lambda cell: cell.get(), ["read x"]),
        (lambda cell: cell.set(2), ["write x"]),
        (lambda cell: cell.update(lambda value: value), ["read x", "write x"]),
        (repr, []),
        (lambda cell: (cell.get(), cell.get()), ["read x"]),
    ],
)
def test_the_footprint_of_a_cell(action: Callable[[Any], object], footprint: list[str]) -> None:
    """Reading reads, writing writes, and showing it to a person is neither."""
    assert touched(lambda: Cell(1, name="x"), action) == footprint


def test_unnamed_objects_are_named_by_who_made_them_and_as_how_many_th() -> None:
    """The names say what kind of thing it is, too."""

    def make() -> tuple[Any, ...]:
        return (Cell(0), TrackedDict(), TrackedList([7]), Cell(0), _Account(1))

    def use(made: tuple[Any, ...]) -> None:
        made[0].set(1)
        made[1]["k"] = 1
        made[2][0] = 1
        made[3].set(1)
        made[4].balance = 2

    assert touched(make, use) == [
        "write main:Cell#1",
        "write main:TrackedDict#2['k']",
        "write main:TrackedDict#2[*]",
        "write main:TrackedList#3[0]",
        "write main:Cell#4",
        "write main:_Account#5.balance",
    ]


def test_two_cells_of_one_name_share_a_key() -> None:
    """Merging keys is sound: it can only make more steps depend on each other."""
    assert touched(lambda: (Cell(0, name="x"), Cell(0, name="x")), lambda made: made[1].set(1)) == ["write x"]


def test_making_an_object_is_not_an_access() -> None:
    """Nobody else can know it yet."""

    def make(_: object) -> None:
        for each in (lambda: Cell(0), lambda: TrackedDict({"a": 1}), lambda: TrackedList([1]), _Order, _Slotted):
            each()
        _Account(1), _Frozen(1)

    assert touched(lambda: None, make) == []


# --- where they may be made ------------------------------------------------------------------------------------------

MAKERS: dict[str, Any] = {
    "a Cell": lambda: Cell(0),
    "a TrackedDict": lambda: TrackedDict(),  # noqa: PLW0108  # the line is that of the caller
    "a TrackedList": lambda: TrackedList(),  # noqa: PLW0108
    "a _Account": lambda: _Account(1),
}


@pytest.mark.parametrize("what", MAKERS)
def test_tracked_state_made_outside_an_execution_is_refused_with_file_and_line(what: str) -> None:
    """It would be shared by all executions; the message names the line that makes it."""
    make = MAKERS[what]
    with pytest.raises(UsageError) as refused:
        make()
    assert str(refused.value) == (
        f"{what} was made outside an execution, at {__file__}:{make.__code__.co_firstlineno}.\n"
        "Why: it would be shared by all executions, and each would start from what the last one left.\n"
        "Do:  make it inside the scenario function, or in a function called from there."
    )


def test_tracked_state_works_under_plain_trio() -> None:
    """The same code runs in production."""

    async def main() -> None:
        cell, book, queue, account = Cell(0), TrackedDict({"a": 1}), TrackedList([1]), _Account(5)

        async def set_later() -> None:
            await trio.sleep(0.01)
            cell.set(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(set_later)
            await racewindow.until(lambda: cell.get() == 1)
        book["b"] = 2
        queue.append(2)
        account.balance += 1
        assert (dict(book), list(queue), account.balance) == ({"a": 1, "b": 2}, [1, 2], 6)
        assert racewindow.choose("xy") == "x"

    trio.run(main)


# --- dictionaries and lists against the built-in ones ----------------------------------------------------------------

_KEYS, _VALUES = st.sampled_from(["a", "b", 1, None, (1, 2)]), st.integers(0, 3)
_INDEXES = st.integers(-4, 4)
_SLICES = st.slices(4)
_SHORT = st.lists(_VALUES, max_size=3)

_DICT_CALLS = st.one_of(
    st.tuples(st.just("__setitem__"), _KEYS, _VALUES),
    st.tuples(st.sampled_from(["__getitem__", "__delitem__", "__contains__", "get", "pop", "setdefault"]), _KEYS),
    st.tuples(st.sampled_from(["get", "pop", "setdefault"]), _KEYS, _VALUES),
    st.tuples(st.sampled_from(["__len__", "popitem", "clear", "copy", "__iter__", "__reversed__"])),
    st.tuples(st.sampled_from(["keys", "values", "items"])),
    st.tuples(st.sampled_from(["update", "__or__", "__ior__", "__eq__"]), st.dictionaries(_KEYS, _VALUES, max_size=3)),
    st.tuples(st.just("__getitem__"), st.just([])),  # cannot be a key
)
_LIST_CALLS = st.one_of(
    st.tuples(st.just("__setitem__"), _INDEXES, _VALUES),
    st.tuples(st.just("__setitem__"), _SLICES, _SHORT),
    st.tuples(st.sampled_from(["__getitem__", "__delitem__", "pop"]), _INDEXES),
    st.tuples(st.sampled_from(["__getitem__", "__delitem__"]), _SLICES),
    st.tuples(st.just("insert"), _INDEXES, _VALUES),
    st.tuples(st.sampled_from(["append", "remove", "index", "count", "__contains__"]), _VALUES),
    st.tuples(st.sampled_from(["extend", "__iadd__", "__add__", "__eq__"]), _SHORT),
    st.tuples(st.sampled_from(["pop", "clear", "reverse", "sort", "copy", "__len__", "__iter__", "__reversed__"])),
    st.tuples(st.just("__getitem__"), st.just("x")),  # cannot be an index
)


def _call(thing: Any, name: str, *args: Any) -> object:
    """What a call comes to, in words that are the same for both kinds of container."""
    try:
        value = getattr(thing, name)(*args)
    except Exception as error:  # noqa: BLE001  # which, is what is compared
        return type(error).__name__
    if name.startswith("__i") and value is thing:
        return "itself"
    return _plain(value)


def _plain(value: Any) -> object:
    if isinstance(value, TrackedDict):
        return dict(value)
    if isinstance(value, int | str | None | bool | dict):
        return value
    return list(value)


def _agree(make_tracked: Callable[[], Any], thing: Any, calls: list[tuple[Any, ...]], *, plain: bool) -> None:
    def use() -> None:
        one, other = make_tracked(), thing
        for call in calls:
            assert _call(one, *call) == _call(other, *call), call
            assert _plain(one) == other, call
            assert one == other, call
            assert list(one) == list(other), call
            assert repr(other) in repr(one), call

    inside(use, plain=plain)


@given(
    initial=st.dictionaries(_KEYS, _VALUES, max_size=3), calls=st.lists(_DICT_CALLS, max_size=8), plain=st.booleans()
)
def test_a_tracked_dictionary_behaves_like_a_dictionary(
    initial: dict[Any, int], calls: list[tuple[Any, ...]], *, plain: bool
) -> None:
    """The same answers, the same errors, the same contents in the same order."""
    _agree(lambda: TrackedDict(initial), dict(initial), calls, plain=plain)


@given(initial=_SHORT, calls=st.lists(_LIST_CALLS, max_size=8), plain=st.booleans())
def test_a_tracked_list_behaves_like_a_list(initial: list[int], calls: list[tuple[Any, ...]], *, plain: bool) -> None:
    """The same answers, the same errors, the same contents in the same order."""
    _agree(lambda: TrackedList(initial), list(initial), calls, plain=plain)


@pytest.mark.parametrize(
    "use",
    [
        lambda: dict(TrackedDict([("a", 1)])) == {"a": 1},
        lambda: TrackedDict({"a": 1}) != {"a": 2},
        lambda: {"b": 2} | TrackedDict({"a": 1}) == {"b": 2, "a": 1},
        lambda: list(TrackedDict({"a": 1}).items() | {("b", 2)}) != [],
        lambda: [0] + TrackedList([1]) == [0, 1],  # noqa: RUF005  # is what is tested
        lambda: TrackedList([1]) == TrackedList([1]),
        lambda: TrackedList([1]) != (1,),
        lambda: TrackedList(range(3)).copy().pop() == 2,
        lambda: json.dumps(list(TrackedList([1]))) == "[1]",
        lambda: sorted(TrackedList(["bb", "a"]), key=len) == ["a", "bb"],
        lambda: not TrackedList() and not TrackedDict(),
    ],
)
def test_other_things_people_do_with_containers(use: Callable[[], bool]) -> None:
    """Each is true of the built-in ones as well."""
    assert inside(use)


def test_a_tracked_list_cannot_be_hashed() -> None:
    """As a list."""
    with pytest.raises(TypeError, match="unhashable"):
        inside(lambda: pytest.fail(str(hash(TrackedList()))), plain=True)


# --- their footprints ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "footprint"),
    [
        (lambda d: d["a"], ["read d['a']"]),
        (lambda d: d.get("z"), ["read d['z']"]),
        (lambda d: d["z"], ["read d['z']"]),
        (lambda d: "a" in d, ["read d['a']"]),
        (lambda d: d.__setitem__("a", 5), ["write d['a']"]),
        (lambda d: d.__setitem__("z", 5), ["write d['z']", "write d[*]"]),
        (lambda d: d.__delitem__("a"), ["read d['a']", "write d[*]", "write d['a']"]),
        (lambda d: d.__delitem__("z"), ["read d['z']"]),
        (lambda d: d.setdefault("a", 5), ["read d['a']"]),
        (lambda d: d.setdefault("z", 5), ["read d['z']", "write d['z']", "write d[*]"]),
        (len, ["read d[*]"]),
        (list, ["read d[*]"]),
        (bool, ["read d[*]"]),
        (lambda d: list(d.values()), ["read d[*]", "read d['a']", "read d['b']"]),
        (lambda d: d.update(a=3), ["write d['a']"]),
        (lambda d: d == {"a": 1}, ["read d[*]", "read d['a']", "read d['b']"]),
    ],
)
def test_the_footprint_of_a_dictionary(action: Callable[[Any], object], footprint: list[str]) -> None:
    """Keys are told apart; which keys there are is one more part, `*`, that adding and removing keys writes."""
    assert touched(lambda: TrackedDict({"a": 1, "b": 2}, name="d"), action) == footprint


@pytest.mark.parametrize(
    ("action", "footprint"),
    [
        (lambda x: x[1], ["read l[1]"]),
        (lambda x: x[-1], ["read l[2]", "read l[*]"]),
        (lambda x: x[7], ["read l[7]", "read l[*]"]),
        (lambda x: x.__setitem__(1, 5), ["write l[1]"]),
        (lambda x: x.__setitem__(-1, 5), ["write l[2]", "read l[*]"]),
        (lambda x: x[1:], ["read l[*]", "read l[1]", "read l[2]"]),
        (lambda x: x.append(5), ["read l[*]", "write l[*]", "write l[3]"]),
        (lambda x: x.insert(2, 5), ["write l[*]", "write l[2]", "write l[3]"]),
        (lambda x: x.pop(), ["read l[2]", "read l[*]", "write l[*]", "write l[2]", "write l[3]"]),
        (lambda x: x.__delitem__(2), ["write l[*]", "write l[2]", "write l[3]"]),
        (lambda x: x.__delitem__(slice(1, 2)), ["write l[*]", "write l[1]", "write l[2]", "write l[3]"]),
        (lambda x: x.__delitem__(slice(0, 0)), ["write l[*]", "write l[3]"]),
        (lambda x: x.__delitem__(9), ["read l[*]"]),
        (len, ["read l[*]"]),
        (lambda x: x.__setitem__(slice(0, 1), [9]), ["write l[*]", "write l[0]", "write l[1]", "write l[2]"]),
        (lambda x: 10 in x, ["read l[0]"]),
    ],
)
def test_the_footprint_of_a_list(action: Callable[[Any], object], footprint: list[str]) -> None:
    """Indexes are told apart; the length is one more part, `*`; what moves is written."""
    assert touched(lambda: TrackedList([10, 20, 30], name="l"), action) == footprint


class Market(enum.Enum):
    BTC = 1


class Plain:
    """Its `repr` has an address."""


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("a", "d['a']"),
        (1, "d[1]"),
        (Market.BTC, 'd["BTC"]'),
        (("BTC", 1), 'd[["BTC", 1]]'),
        (frozenset("abcdefgh"), 'd[["a", "b", "c", "d", "e", "f", "g", "h"]]'),
        (Plain(), 'd["<tests.harness.test_tracking.Plain object>"]'),
        ("*", "d['*']"),
    ],
)
def test_keys_are_written_the_same_in_every_process(key: object, shown: str) -> None:
    """No address, no order of a set."""
    assert touched(lambda: TrackedDict(name="d"), lambda d: d.get(key)) == [f"read {shown}"]


# --- tracked classes -------------------------------------------------------------------------------------------------


@tracked
class _Account:
    """An account."""

    limit = 10

    def __init__(self, balance: int) -> None:
        self.balance = balance

    def deposit(self, amount: int) -> None:
        self.balance += amount

    @property
    def rich(self) -> bool:
        return self.balance > self.limit

    @classmethod
    def empty(cls) -> _Account:
        return cls(0)

    @staticmethod
    def currency() -> str:
        return "EUR"

    @cached_property
    def first_balance(self) -> int:
        return self.balance


@tracked
@dataclass
class _Order:
    price: int = 0
    tags: list[str] = field(default_factory=list)


@tracked
@dataclass(slots=True)
class _Slotted:
    price: int = 0


@tracked
@dataclass(frozen=True)
class _Frozen:
    price: int


class _Savings(_Account):
    """Not decorated itself."""

    def __init__(self, balance: int, rate: int) -> None:
        self.rate = rate
        super().__init__(balance)


@tracked
class _Premium(_Savings):
    """Decorated once more."""


class _Fallback:
    def __init__(self) -> None:
        self.known = 1

    def __getattr__(self, name: str) -> str:
        return f"no {name}"


@pytest.mark.parametrize(
    ("make", "action", "footprint"),
    [
        (lambda: _Account(1), lambda a: a.balance, ["read A.balance"]),
        (lambda: _Account(1), lambda a: a.deposit(1), ["read A.balance", "write A.balance"]),
        (lambda: _Account(1), lambda a: a.rich, ["read A.balance", "read A.limit"]),
        (lambda: _Account(1), lambda a: (a.currency(), a.__class__), []),
        (lambda: _Account(1), lambda a: setattr(a, "limit", 3), ["write A.limit"]),
        (lambda: _Account(1), lambda a: a.leader, ["read A.leader"]),
        (lambda: _Account(1), lambda a: hasattr(a, "leader"), ["read A.leader"]),
        (lambda: _Account(1), lambda a: setattr(a, "leader", 3), ["write A.leader"]),
        (lambda: _Account(1), lambda a: delattr(a, "balance"), ["write A.balance"]),
        (_Account.empty, lambda a: a.balance, ["read A.balance"]),
        (_Order, lambda a: a.price, ["read A.price"]),
        (_Order, lambda a: (a.tags, a.tags.append("x")), ["read A.tags"]),
        (_Order, lambda a: a == _Order(), ["read A.price", "read B.price", "read A.tags", "read B.tags"]),
        (_Order, repr, ["read A.price", "read A.tags"]),
        (_Slotted, lambda a: a.price, ["read A.price"]),
        (_Slotted, lambda a: setattr(a, "price", 1), ["write A.price"]),
        (lambda: _Frozen(1), lambda a: a.price, ["read A.price"]),
        (lambda: _Savings(1, 2), lambda a: (a.rate, a.balance), ["read A.rate", "read A.balance"]),
        (lambda: _Premium(1, 2), lambda a: setattr(a, "rate", 1), ["write A.rate"]),
        (_Fallback, lambda a: a.known, []),
        (tracked(_Fallback), lambda a: (a.known, a.other), ["read A.known", "read A.other"]),
    ],
)
def test_the_footprint_of_a_tracked_class(
    make: Callable[[], Any], action: Callable[[Any], object], footprint: list[str]
) -> None:
    """Attributes are told apart, set or not; methods and properties are what they use."""
    found = [re.sub(r" main:\w+#(\d)", lambda each: " " + "-AB"[int(each[1])], line) for line in touched(make, action)]

    assert sorted(found) == sorted(footprint)  # Python 3.13 compares dataclasses in another order


def test_a_tracked_class_stays_the_class_it_was() -> None:
    """Name, module, documentation, equality, `isinstance` and errors are those of the original."""

    def use() -> bool:
        account, order = _Savings(5, 1), _Order(3)
        assert isinstance(account, _Account)
        assert account.rich is False
        assert account.first_balance == 5
        assert (order, repr(order)) == (_Order(3), "_Order(price=3, tags=[])")
        with pytest.raises(AttributeError, match="'_Account' object has no attribute 'leader'"):
            _Account(1).leader  # type: ignore[attr-defined]  # noqa: B018
        with pytest.raises(AttributeError, match="cannot assign to field"):
            _Frozen(1).price = 2  # type: ignore[misc]
        with pytest.raises(TypeError, match="positional argument"):
            _Account()  # type: ignore[call-arg]
        return True

    assert (_Account.__name__, _Account.__module__, _Account.__doc__) == ("_Account", __name__, "An account.")
    assert inside(use)
    assert inside(use, plain=True)


def test_a_class_that_looks_up_its_attributes_itself_is_refused() -> None:
    """Two of them cannot both have the last word."""
    with pytest.raises(UsageError, match=r"Proxy has a __getattribute__ of its own and cannot be tracked\."):

        @tracked
        class Proxy:
            def __getattribute__(self, name: str) -> str:
                return name


def test_copies_are_tracked_objects_of_their_own_execution() -> None:
    """A copy, deep or not, is as good as the original and does not drag the execution along."""

    def use() -> bool:
        cell, book, queue, account = Cell([1]), TrackedDict({"a": [1]}), TrackedList([[1]]), _Account(5)
        for duplicate in (copy.copy, copy.deepcopy):
            other = duplicate(cell), duplicate(book), duplicate(queue), duplicate(account)
            assert (other[0].get(), dict(other[1]), list(other[2]), other[3].balance) == ([1], {"a": [1]}, [[1]], 5)
            assert [type(each) for each in other] == [Cell, TrackedDict, TrackedList, _Account]
            other[0].set([2])
            other[1]["b"] = [2]
            other[2].append([2])
            other[3].balance = 6
        assert (cell.get(), dict(book), list(queue), account.balance) == ([1], {"a": [1]}, [[1]], 5)
        assert copy.deepcopy(cell).get() is not cell.get()
        return True

    assert inside(use)
    assert inside(use, plain=True)


def test_memory_of_classes_made_inside_an_execution_is_given_back() -> None:
    """A scenario may declare its tracked classes inside; nothing keeps them."""
    made: list[weakref.ref[type]] = []

    async def main() -> None:
        @tracked
        class Local:
            def __init__(self) -> None:
                self.x = 1

        made.append(weakref.ref(Local))
        assert Local().x == 1

    racewindow.explore(main, schedules=5, strategy="random")
    gc.collect()

    assert len(made) >= 5
    assert [ref for ref in made if ref() is not None] == []
