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
        last = next((i for i in range(len(self.strides) - 1, -1, -1) if self.strides[i].barrier), -1)
        self._floor = (1 << last + 1) - 1  # the last step for which time passed, and those before it
        self._found, self._searched = 0, 0
        self._lean = _SCOPES not in self.keys

    def add(self, row: Row) -> None:
        """Work out what the next step came after, and what it raced with."""
        tid, previous, woken_by, joined, codes, choices, blocking, barrier, salt, still, written = row
        strides, table, keys = self.strides, self.table, self.keys
        bit = 1 << len(strides)
        if self.goes_back:
            self.snapshots.append(_NO_KEYS if barrier else keys.copy())  # nobody goes back to a barrier
        own, own_mark, root = 0, -1, tid
        if previous >= 0:
            last = strides[previous]
            own, own_mark = last.before | 1 << previous, last.mark
            if tid != CLOCK_TASK:  # which remembers nothing: what it does depends on the time and on the deadlines
                root = last.view
        enablers, enabled = own | self._floor, 0
        if woken_by or joined:
            more, enabled, view = self._enabled_by(woken_by, joined)
            enablers |= more
            root, enabled = (root, 0) if blocking else (hash((root, view)), enabled)
        footprint, items, looks, unscoped, _, _ = table.decoded[codes]
        moved = footprint[1] & table.scopes
        if moved and self._lean:
            self._relate_scopes()
        lean, conflicts, seen, views = self._lean, 0, 0, [root, salt, *choices]
        for number in unscoped if lean else looks:
            readers, writers, adders, base, version, view = keys.get(number, _UNTOUCHED)
            keys[number] = (readers | bit, writers, adders, base, version, view)
            conflicts |= writers | adders
            seen += version  # a sum: who has made them is in the marks, and what nobody has touched yet says nothing
            if lean or view or not table.scopes >> number & 1:  # as if it were left out, as most of the time it is
                views.append(view)
        for number, mode in items:
            readers, writers, adders, base, version, view = keys.get(number, _UNTOUCHED)
            if mode == ADDS:
                conflicts |= writers | readers
                seen += base
            else:
                conflicts |= writers | readers | adders
                seen += version
                if number in table.blind and not mode & READS:
                    if number not in table.sure:
                        views.append(bool(view))
                elif lean or view or not table.scopes >> number & 1:
                    views.append(view)
        # `mixed`, twice, without the calls.
        mark = hash((tid, own_mark, enabled, salt, choices, seen)) & MARK_MASK
        mark = (mark * (mark ^ MIXER) >> 30) & MARK_MASK
        view = hash(tuple(views)) & MARK_MASK
        view = (view * (view ^ MIXER) >> 30) & MARK_MASK
        before, rest, races = enablers, conflicts & ~enablers, 0
        if barrier:
            before = enablers = bit - 1
            self._floor = bit | before  # all that follows comes after this step and those before it
        elif rest:
            before, races = self._close(enablers, rest)
        if blocking:
            races = conflicts & ~own & ~self._barriers()
        if moved:
            # What becomes of a scope depends on who has left it, which is no write: so on all that came before.
            view = mixed(hash((view, self._sum_of_marks(before))))
        values = self._values(written, view) if written else NO_VALUES
        for number, mode in items:
            readers, writers, adders, base, version, seen = keys.get(number, _UNTOUCHED)
            if mode & WRITES:  # whoever conflicts with a read does so with a write
                keys[number] = (readers, writers | bit, adders, mark, mark, values.get(number, view))
            else:
                readers |= bit if mode & READS else 0
                keys[number] = (readers, writers, adders | bit, base, version + mark, seen + view)
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

    def _barriers(self) -> int:
        """The steps for which time has passed because nothing could run."""
        for index in range(self._searched, len(self.strides)):
            self._found |= self.strides[index].barrier << index
        self._searched = len(self.strides)
        return self._found

    def _sum_of_marks(self, steps: int) -> int:
        return sum(stride.mark for index, stride in enumerate(self.strides) if steps >> index & 1)

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
        own, root = 0, tid
        if previous >= 0:
            last = self.strides[previous]
            own, root = last.before | 1 << previous, tid if tid == CLOCK_TASK else last.view
        conflicts = 0
        for number, mode in (*((number, READS) for number in looks), *items):
            readers, writers, adders, *_ = self.keys.get(number, _UNTOUCHED)
            conflicts |= writers | adders | (readers if mode & WRITES else 0)
        return Pending(tid, codes, footprint, own, conflicts & ~own & ~self._barriers(), root)
