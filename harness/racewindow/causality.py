"""Happens-before, races and histories of the steps of one execution, worked out one step after the other.

Vector clocks as bit masks: the steps that come before a step are those that its task has needed (program order,
spawning, waking, the closing of a nursery, time that passed because nothing could run) and those that touched what it
touches, with all that comes before these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from racewindow.footprint import ADDS, READS, WRITES, KeyTable
from racewindow.trail import CLOCK_TASK, MARK_MASK, MIXER, NO_VALUES, KeyState, Pending, Row, State, Stride, mixed

_UNTOUCHED: KeyState = (0, 0, 0, 0, 0, 0)
_NO_KEYS: dict[int, KeyState] = {}
_new = object.__new__
_SCOPES = -1
"""Among the keys as soon as a cancel scope has been written."""


class Causality:
    """The steps of an execution, related to each other.

    `prefix`: steps that are known from an earlier execution, and `keys`: the state of all keys after them. If `keys`
    are given, as to a search that goes back, `snapshots` has their state before each further step.
    """

    def __init__(self, table: KeyTable, prefix: Sequence[Stride] = (), keys: dict[int, KeyState] | None = None) -> None:
        self.table = table
        self.strides = list(prefix)
        self.keys: dict[int, KeyState] = {} if keys is None else keys
        self.goes_back = keys is not None
        self.snapshots: list[dict[int, KeyState]] = []
        self._barriers = sum([1 << index for index, stride in enumerate(self.strides) if stride.barrier])
        self._floor = (1 << self._barriers.bit_length()) - 1
        self._lean = _SCOPES not in self.keys

    def add(self, row: Row) -> None:
        """Work out what the next step came after, and what it raced with."""
        tid, previous, woken_by, joined, codes, choices, blocking, barrier, salt, still, written = row
        strides, table, keys = self.strides, self.table, self.keys
        index = len(strides)
        bit = 1 << index
        if self.goes_back:
            self.snapshots.append(_NO_KEYS if barrier else keys.copy())  # nobody goes back to a barrier
        if previous < 0 or tid == CLOCK_TASK:
            own, own_mark, root = self._history(tid, previous)
        else:  # the same without the call
            last = strides[previous]
            own, own_mark, root = last.before | 1 << previous, last.mark, hash((tid, last.view))
        enablers, enabled = own | self._floor, 0
        if woken_by or joined:
            more, mark, view = self._enabled_by(woken_by, joined)
            enablers |= more
            if not blocking:
                enabled, root = mark, hash((root, view))
        footprint, items, looks, lean, _, _ = table.decoded[codes]
        moved = footprint[1] & table.scopes
        if self._lean:
            if moved:
                self._relate_scopes()
            else:
                looks = lean
        conflicts, seen, views = self._look(looks, items, [root, salt, *choices])
        # `mixed`, twice, without the calls.
        mark = hash((tid, own_mark, enabled, salt, choices, seen)) & MARK_MASK
        mark = (mark * (mark ^ MIXER) >> 30) & MARK_MASK
        view = hash(tuple(views)) & MARK_MASK
        view = (view * (view ^ MIXER) >> 30) & MARK_MASK
        values = self._values(written, view) if written else NO_VALUES
        for number, mode in items:
            readers, writers, adders, base, version, seen = keys.get(number, _UNTOUCHED)
            readers |= bit if mode & READS else 0
            if mode & WRITES:
                keys[number] = (readers, writers | bit, adders, mark, mark, values.get(number, view))
            else:
                keys[number] = (readers, writers, adders | bit, base, version + mark, seen + view)
        before, races = enablers, 0
        if barrier:
            before = enablers = bit - 1
            self._barriers |= bit
            self._floor = bit | before  # all that follows comes after this step and those before it
        elif conflicts & ~enablers:
            before, races = self._close(enablers, conflicts & ~enablers)
        if moved:
            # What becomes of a scope depends on who has left it, which is no write: so on all that came before.
            view = mixed(hash((view, self._sum_of_marks(before))))
            self._see(items, view)
        if blocking:
            races = conflicts & ~own & ~self._barriers
        stride = _new(Stride)  # as Stride(...) does, in a third of the time
        stride.task, stride.choices, stride.codes = tid, choices, codes
        stride.footprint, stride.enablers, stride.own = footprint, enablers, own
        stride.before, stride.races, stride.blocking = before, races, blocking
        stride.barrier, stride.still, stride.values = barrier, still, values
        stride.mark, stride.view, stride.root = mark, view, root
        strides.append(stride)

    def _relate_scopes(self) -> None:
        """From now on readers of cancel scopes count: most executions do without, and every step reads some."""
        self._lean = False
        self.table.scopes_change = True
        self.keys[_SCOPES] = _UNTOUCHED
        scopes, readers = self.table.scopes, dict[int, int]()
        for index, stride in enumerate(self.strides):
            reads = stride.footprint.reads & scopes
            while reads:
                number = reads.bit_length() - 1
                readers[number] = readers.get(number, 0) | 1 << index
                reads ^= 1 << number
        for number, mask in readers.items():
            self.keys[number] = (mask, *_UNTOUCHED[1:])

    def _values(self, written: Mapping[int, int | State], view: int) -> Mapping[int, int]:
        """Numbers for what has been written; of a queue, those who wait stand for all that they have seen."""
        values: dict[int, int] = {}
        for number, value in written.items():
            if type(value) is int:
                values[number] = value
            else:
                owner, count, waiting = value  # type: ignore[misc]
                views = [self.strides[at].view if at < len(self.strides) else view for _, at in waiting]
                values[number] = mixed(hash((owner, count, *(task for task, _ in waiting), *views)))
        return values

    def _sum_of_marks(self, steps: int) -> int:
        return sum(stride.mark for index, stride in enumerate(self.strides) if steps >> index & 1)

    def _see(self, items: Sequence[tuple[int, int]], view: int) -> None:
        """What the last step has written is another value than it seemed."""
        for number, mode in items:
            if mode & WRITES:
                self.keys[number] = (*self.keys[number][:5], view)

    def _look(
        self, looks: Sequence[int], items: Sequence[tuple[int, int]], views: list[int]
    ) -> tuple[int, int, list[int]]:
        """What a step finds: (what it conflicts with, the versions of its keys summed up, `views` and theirs)."""
        keys, table, lean = self.keys, self.table, self._lean
        bit, conflicts, seen = 1 << len(self.strides), 0, 0
        for number in looks:
            readers, writers, adders, base, version, view = keys.get(number, _UNTOUCHED)
            keys[number] = (readers | bit, writers, adders, base, version, view)
            conflicts |= writers | adders
            seen += version  # a sum: who has made them is in the marks, and what nobody has touched yet says nothing
            if lean or view or not table.scopes >> number & 1:  # as if it were left out, as most of the time it is
                views.append(view)
        for number, mode in items:
            readers, writers, adders, base, version, view = keys.get(number, _UNTOUCHED)
            conflicts |= writers | readers
            if mode == ADDS:
                seen += base
            else:
                seen += version
                conflicts |= adders
                if mode & READS or number not in table.blind:
                    if lean or view or not table.scopes >> number & 1:
                        views.append(view)
                elif number not in table.sure:
                    views.append(bool(view))
        return conflicts, seen, views

    def _close(self, before: int, rest: int) -> tuple[int, int]:
        """(the first mask with the second one and all that comes before, the last ones of those that were added)."""
        strides = self.strides
        last = 0
        while rest:
            top = rest.bit_length() - 1
            last |= 1 << top
            before |= 1 << top | strides[top].before
            rest &= ~before
        return before, last

    def _history(self, tid: int, previous: int) -> tuple[int, int, int]:
        """(all that a task has done and what came before, a number for that, a number for what it has seen)."""
        if previous < 0:
            return 0, -1, hash((tid, -1))
        last = self.strides[previous]
        # The clock remembers nothing: what it does next depends on the time and on the deadlines.
        view = tid if tid == CLOCK_TASK else hash((tid, last.view))
        return last.before | 1 << previous, last.mark, view

    def _enabled_by(self, woken_by: Sequence[int], joined: Sequence[int]) -> tuple[int, int, int]:
        """The same for the steps that have spawned or woken a task, and the exits that it has waited for."""
        enablers = mark = view = 0
        for each in woken_by if len(woken_by) == 1 else set(woken_by):
            stride = self.strides[each]
            enablers |= stride.before | 1 << each
            mark += stride.mark
            view += stride.view
        for number in joined:
            _, writers, adders, _, version, seen = self.keys.get(number, _UNTOUCHED)
            enablers, _ = self._close(enablers, (writers | adders) & ~enablers)
            mark += version
            view += seen
        return enablers, mark, view

    def pending(self, tid: int, previous: int, codes: tuple[int, ...]) -> Pending:
        """A task that is blocked after all steps so far, and looks at these keys."""
        footprint, items, looks, *_ = self.table.decoded[codes]
        own, _, root = self._history(tid, previous)
        conflicts = 0
        for number, mode in (*((number, READS) for number in looks), *items):
            readers, writers, adders, *_ = self.keys.get(number, _UNTOUCHED)
            conflicts |= writers | adders | (readers if mode & WRITES else 0)
        return Pending(tid, codes, footprint, own, conflicts & ~own & ~self._barriers, root)
