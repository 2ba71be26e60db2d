"""Tasks that each read a balance in one step and write what they saw plus one in the next, tracked and not."""

from __future__ import annotations

import _thread
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from racewindow import Cell


class Plain:
    """A cell that nobody tracks."""

    def __init__(self, value: int) -> None:
        self.value = value

    def get(self) -> int:
        """What is in it."""
        return self.value

    def set(self, value: int) -> None:
        """Put something into it."""
        self.value = value


def deposits(
    tasks: int, rounds: int = 1, *, asserts: bool = False, cell: Callable[[int], Any] = Cell
) -> Callable[[], Awaitable[None]]:
    """So many tasks, each so many times; whether the loss of any fails."""

    async def program() -> None:
        balance = cell(0)

        async def deposit() -> None:
            for _ in range(rounds):
                await trio.lowlevel.checkpoint()
                seen = balance.get()
                await trio.lowlevel.checkpoint()
                balance.set(seen + 1)

        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(deposit)
        assert not asserts or balance.get() == tasks * rounds

    return program


def interrupted(program: Callable[[], Awaitable[None]], run: int, *, inside: bool = False) -> Callable[[], Any]:
    """The program, and Ctrl-C at the end of the run of that number; `inside`: and then it does not come to its end."""
    runs = 0

    async def main() -> None:
        nonlocal runs
        runs += 1
        number = runs
        try:
            await program()
        finally:
            if number == run:
                _thread.interrupt_main()  # from outside: a program may not send itself signals
                while inside:
                    pass

    return main
