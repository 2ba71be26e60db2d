"""Serializability: the committed transactions could have run one after the other.

The direct serialization graph of Adya (Weak consistency, 1999, chapter 4), as Elle builds it from what was read and
written: an edge says which transaction has to come before which. *ww*: it wrote a version, and the other the next one.
*wr*: the other read what it wrote. *rw*: it read a version, and the other wrote the next one. There is a serial order
exactly if there is no cycle. The anomalies have Adya's names:

- G0 (write cycle): a cycle of ww alone
- G1a (aborted read): a version read that an aborted transaction wrote
- G1b (intermediate read): a version read that its writer wrote over itself
- G1c (circular information flow): a cycle of ww and wr
- G-single (read skew, lost update): a cycle with one rw
- G2 (write skew): a cycle with two rw or more

Departures: the order of versions is known (see `transactions`), so it is not inferred; there are no predicate reads, so
G2 means G2-item; nor is there real time, so what holds is serializable, not strictly. A transaction of unknown outcome
counts as committed if anything that is committed has read of it, else as if it had never been.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from racewindow.checkers import History, Verdict, Violation
from racewindow.transactions import Outcome, Transaction, Version, transactions_of

WW, WR, RW = "ww", "wr", "rw"
_NAMES = {
    "G0": "write cycle",
    "G1a": "aborted read",
    "G1b": "intermediate read",
    "G1c": "circular information flow",
    "G-single": "read skew or lost update",
    "G2": "write skew",
}


class Edge(NamedTuple):
    """`before` has to come before `after`, because of these versions (of wr, the same one twice)."""

    before: str
    after: str
    kind: str
    first: Version
    second: Version

    def __str__(self) -> str:
        did = "read" if self.kind == RW else "wrote"
        then = "read it" if self.kind == WR else f"wrote {self.second} over it"
        return f"{self.before} {did} {self.first}, {self.after} {then}"


Graph = Mapping[str, Sequence[Edge]]
"""The edges that leave each transaction."""


@dataclass(frozen=True, slots=True)
class Serializable:
    """A checker of the transactions in a history; see `serializable`."""

    name: str = "serializable"

    def check(self, history: History) -> Verdict:
        """Violated with every anomaly found; unknown if a version was read that may still be under way."""
        transactions = with_effect(transactions_of(history.events))
        written = [*_twice(transactions), *_early(transactions), *_dirty(transactions)]
        unwritten = list(_unwritten(transactions))
        times = {each.name: each.time_ns for each in transactions}
        edges = edges_of(transactions)
        cycles = [self._cycle(*found, times) for found in anomalies(edges)]
        violations = [*written, *(unwritten if history.finished else ()), *cycles]
        if unwritten and not violations:
            return Verdict.unknown(f"the execution ended early: {unwritten[0].message}, who may not have ended")
        return Verdict.violated(
            [Violation(v.class_, v.subject, f"{self.name}: {v.message}", v.time_ns, v.evidence) for v in violations]
        )

    @staticmethod
    def _cycle(class_: str, cycle: Sequence[Edge], times: Mapping[str, int]) -> Violation:
        steps = [str(edge) for edge in cycle]
        names = [edge.before for edge in cycle]
        text = f"{class_}, {_NAMES[class_]}: no order of {_and(names)} is serial: {'; '.join(steps)}"
        time_ns = max(times[name] for name in names)
        return Violation(class_, " ".join(names), text, time_ns, {"cycle": steps})


def serializable(*, name: str = "serializable") -> Serializable:
    """A checker: the committed transactions of a history could have run one after the other.

    They are recorded by `sim.transaction(name)`, which takes the versions that each read and wrote. Evidence is the
    shortest cycle, with its class: G0, G1a, G1b, G1c, G-single or G2.
    """
    return Serializable(name)


# --- which transactions count ----------------------------------------------------------------------------------------


def with_effect(transactions: Sequence[Transaction]) -> tuple[Transaction, ...]:
    """All but those of unknown outcome that nobody who is committed has read of; the others must have committed."""
    counted = {each.name for each in transactions if each.outcome is Outcome.COMMITTED}
    while True:
        seen = {version for each in transactions if each.name in counted for version in each.reads}
        more = {
            each.name
            for each in transactions
            if each.outcome is Outcome.UNKNOWN and each.name not in counted and seen & {*each.writes, *each.passing}
        }
        if not more:
            break
        counted |= more
    return tuple(each for each in transactions if each.name in counted or each.outcome is Outcome.ABORTED)


def _committed(transactions: Sequence[Transaction]) -> list[Transaction]:
    return [each for each in transactions if each.outcome is not Outcome.ABORTED]


# --- anomalies of single versions ------------------------------------------------------------------------------------


def _dirty(transactions: Sequence[Transaction]) -> Iterator[Violation]:
    """G1a and G1b. A version that a committed transaction left installed is clean, whoever else has used its number."""
    clean = {v for each in _committed(transactions) for v in each.writes}
    aborted = (each for each in transactions if each.outcome is Outcome.ABORTED)
    why = {v: ("G1a", each, "which aborted") for each in aborted for v in (*each.writes, *each.passing)}
    why |= {v: ("G1b", each, "which wrote over it") for each in _committed(transactions) for v in each.passing}
    for reader in _committed(transactions):
        for version in reader.reads:
            if version in why and version not in clean:
                class_, writer, and_then = why[version]
                text = f"{class_}, {_NAMES[class_]}: {reader.name} read {version} of {writer.name}, {and_then}"
                evidence = {"version": str(version), "reader": reader.name, "writer": writer.name}
                yield Violation(class_, reader.name, text, reader.time_ns, evidence)


def _twice(transactions: Sequence[Transaction]) -> Iterator[Violation]:
    """One version of two transactions: whichever was second has overwritten the other unseen."""
    writers: dict[Version, Transaction] = {}
    for each in _committed(transactions):
        for version in (*each.passing, *each.writes):
            other = writers.setdefault(version, each)
            if other is not each:
                text = f"{other.name} and {each.name} both wrote {version}"
                evidence = {"version": str(version), "writers": [other.name, each.name]}
                yield Violation("version twice", f"{other.name} {each.name}", text, each.time_ns, evidence)


def _early(transactions: Sequence[Transaction]) -> Iterator[Violation]:
    """A version that a transaction read before it wrote it itself."""
    for each in _committed(transactions):
        for version in each.reads:
            if version in each.writes or version in each.passing:
                text = f"{each.name} read {version} before it wrote it itself"
                yield Violation("read before written", each.name, text, each.time_ns, {"version": str(version)})


def _unwritten(transactions: Sequence[Transaction]) -> Iterator[Violation]:
    """A version that nobody wrote, although others that are not newer were written."""
    written = {v for each in transactions for v in (*each.writes, *each.passing)}
    lowest: dict[object, int] = {}
    for version in written:
        lowest[version.key] = min(version.number, lowest.get(version.key, version.number))
    for each in _committed(transactions):
        for version in each.reads:
            if version not in written and version.number >= lowest.get(version.key, version.number + 1):
                text = f"{each.name} read {version}, which no transaction wrote"
                yield Violation("never written", each.name, text, each.time_ns, {"version": str(version)})


# --- the graph -------------------------------------------------------------------------------------------------------


def edges_of(transactions: Sequence[Transaction]) -> tuple[Edge, ...]:
    """The direct serialization graph of the committed ones, by what they left installed."""
    committed = _committed(transactions)
    writer: dict[Version, str] = {}
    for each in committed:
        for version in each.writes:
            writer.setdefault(version, each.name)
    dirty = {v for each in transactions for v in each.passing}
    dirty |= {v for each in transactions if each.outcome is Outcome.ABORTED for v in each.writes}
    installed = sorted(writer, key=lambda v: (repr(v.key), v.number))
    after = {one: two for one, two in pairwise(installed) if one.key == two.key}
    edges = [Edge(writer[one], writer[two], WW, one, two) for one, two in after.items()]
    for each in committed:
        for version in each.reads:
            if version in dirty and version not in writer:
                continue
            if version in writer:
                edges.append(Edge(writer[version], each.name, WR, version, version))
            later = [v for v in installed if v.key == version.key and v.number > version.number]
            if later:
                edges.append(Edge(each.name, writer[later[0]], RW, version, later[0]))
    return tuple(dict.fromkeys(edge for edge in edges if edge.before != edge.after))


def anomalies(edges: Sequence[Edge]) -> Iterator[tuple[str, tuple[Edge, ...]]]:
    """For each knot of transactions that all have to come before each other, its gravest class and a shortest cycle."""
    for knot in knots(edges):
        inside = [edge for edge in edges if edge.before in knot and edge.after in knot]
        for class_, cycle in (
            ("G0", shortest_cycle(inside, {WW}, {WW})),
            ("G1c", shortest_cycle(inside, {WW, WR}, {WW, WR})),
            ("G-single", shortest_cycle(inside, {RW}, {WW, WR})),
            ("G2", shortest_cycle(inside, {RW}, {WW, WR, RW})),
        ):
            if cycle:
                yield class_, cycle
                break


def shortest_cycle(edges: Sequence[Edge], first: Collection[str], rest: Collection[str]) -> tuple[Edge, ...]:
    """A shortest cycle that begins with an edge of a kind in `first` and goes on with kinds in `rest`; () if none."""
    usable = _graph([edge for edge in edges if edge.kind in rest])
    cycles = [
        (edge, *back)
        for edge in edges
        if edge.kind in first and (back := shortest_path(usable, edge.after, edge.before)) is not None
    ]
    return min(cycles, key=lambda cycle: (len(cycle), cycle[0].before), default=())


def shortest_path(graph: Graph, start: str, end: str) -> tuple[Edge, ...] | None:
    """A shortest way from one transaction to another; None if there is none."""
    came_by: dict[str, Edge | None] = {start: None}
    queue = deque([start])
    while queue and end not in came_by:
        at = queue.popleft()
        for edge in graph.get(at, ()):
            if edge.after not in came_by:
                came_by[edge.after] = edge
                queue.append(edge.after)
    if end not in came_by:
        return None
    path: list[Edge] = []
    while (edge_here := came_by[end]) is not None:
        path.append(edge_here)
        end = edge_here.before
    return tuple(reversed(path))


def knots(edges: Sequence[Edge]) -> list[frozenset[str]]:
    """The strongly connected components of two transactions or more, in alphabetical order."""
    forward = _graph(edges)
    backward = _graph([edge._replace(before=edge.after, after=edge.before) for edge in edges])
    found: list[frozenset[str]] = []
    for name in sorted(forward):
        if not any(name in knot for knot in found):
            knot = _reached(forward, name) & _reached(backward, name)
            if len(knot) > 1:
                found.append(frozenset(knot))
    return found


def _reached(graph: Graph, start: str) -> set[str]:
    seen, queue = {start}, [start]
    while queue:
        new = {edge.after for edge in graph.get(queue.pop(), ())} - seen
        seen |= new
        queue += sorted(new)
    return seen


def _graph(edges: Sequence[Edge]) -> dict[str, list[Edge]]:
    graph: dict[str, list[Edge]] = {}
    for edge in sorted(edges, key=lambda edge: (edge.after, [WW, WR, RW].index(edge.kind))):
        graph.setdefault(edge.before, []).append(edge)
    return graph


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
