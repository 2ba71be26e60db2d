"""What the programs of the corpus are made of: processes that access shared cells, one access per step.

A step is what a task does from one checkpoint to the next. So that the steps of a program are the events that the
published numbers count, a process has no checkpoint before its first access, one before each further access, and none
after its last. One exception cannot be avoided: a task that begins by waiting needs a step to get there, which touches
nothing. It adds orders, and no traces.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import trio

from racewindow import Cell, until

T = TypeVar("T")
Main = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and what was counted of it outside this project (None: not counted there).

    `traces`: Mazurkiewicz traces, deadlocked ends included. `interleavings`: orders of its accesses. `failing` and
    `failing_interleavings`: those of them that fail, `ending` saying how: "violation" or "deadlock". `chance`: that one
    uniform random walk fails, computed over the whole tree with one access per step; so not where a task begins by
    waiting.
    """

    name: str
    function: Main
    traces: int | None
    interleavings: int | None
    failing: int | None = 0
    failing_interleavings: int | None = 0
    ending: str = "ok"
    chance: float | None = None

    @property
    def deadlocks(self) -> int | None:
        """Traces that end in a deadlock."""
        return self.failing if self.ending == "deadlock" else 0

    def __repr__(self) -> str:
        return self.name


def flag(name: str) -> Cell[bool]:
    """A lock that nobody holds, or a flag that is not set."""
    return Cell(False, name=name)  # noqa: FBT003  # a value


class Process:
    """One task's way to shared state."""

    def __init__(self) -> None:
        self._begun = False

    async def step(self, access: Callable[[], T]) -> T:
        """One access of any kind."""
        if self._begun:
            await trio.lowlevel.checkpoint()
        self._begun = True
        return access()

    async def read(self, cell: Cell[T]) -> T:
        """Look."""
        return await self.step(cell.get)

    async def write(self, cell: Cell[Any], value: object = 1) -> None:
        """A blind write."""
        await self.step(lambda: cell.set(value))

    async def add(self, cell: Cell[int], amount: int = 1) -> int:
        """Read and write in one step; the new value."""
        return await self.step(lambda: cell.update(lambda value: value + amount))

    async def compare_and_set(self, cell: Cell[Any], expected: object, value: object) -> bool:
        """Write `value` if the cell holds `expected`, in one step; when it does not, that was a read."""

        def access() -> bool:
            if cell.get() != expected:
                return False
            cell.set(value)
            return True

        return await self.step(access)

    async def wait(self, predicate: Callable[[], object]) -> None:
        """Be blocked until the predicate holds; what follows without another step belongs to this one."""
        self._begun = True
        await until(predicate)

    async def lock(self, mutex: Cell[bool]) -> None:
        """Wait until nobody holds it, and take it."""
        await self.wait(lambda: not mutex.get())
        mutex.set(True)

    async def try_lock(self, mutex: Cell[bool]) -> bool:
        """Take it if nobody holds it; when somebody does, that was a read."""
        return await self.compare_and_set(mutex, expected=False, value=True)

    async def unlock(self, mutex: Cell[bool]) -> None:
        """Give it back."""
        await self.write(mutex, value=False)


Task = Callable[[Process], Awaitable[object]]


async def together(*tasks: Task) -> list[Any]:
    """Run tasks beside each other; what each returned.

    A task that finds something wrong returns False and main asserts at the end: an exception would cancel the others,
    whose remaining accesses the published numbers count.
    """
    returned: list[Any] = [None] * len(tasks)

    async def run(number: int, task: Task) -> None:
        returned[number] = await task(Process())

    async with trio.open_nursery() as nursery:
        for number, task in enumerate(tasks):
            nursery.start_soon(run, number, task, name=f"task{number}")
    return returned


def straight(*texts: str) -> Main:
    """A program without branches from the text of its tasks: `straight("w x; r y", "w y; r x")`.

    `r`ead, `w`rite, `rmw` (add one), `lock`, `unlock`, and `await` (wait until it is not 0), each of one cell.
    """
    tasks = [[operation.split() for operation in text.split("; ")] for text in texts]
    names = dict.fromkeys(name for operations in tasks for _, name in operations)

    async def main() -> None:
        cells: dict[str, Cell[Any]] = {name: Cell(0, name=name) for name in names}

        def task(operations: list[list[str]]) -> Task:
            async def body(process: Process) -> None:
                for verb, name in operations:
                    await _VERBS[verb](process, cells[name])

            return body

        await together(*map(task, tasks))

    return main


_VERBS: dict[str, Callable[[Process, Cell[Any]], Awaitable[object]]] = {
    "r": Process.read,
    "w": Process.write,
    "rmw": Process.add,
    "lock": Process.lock,
    "unlock": Process.unlock,
    "await": lambda process, cell: process.wait(cell.get),
}
