"""Runs suites as their owners do: pytest in a process of its own, in a folder of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import NamedTuple

import pytest

import racewindow

# A run inside this process forgets what it has loaded, and would load it anew beside the trio that was patched.
import_module("racewindow.pytest_told")
for name in racewindow.__all__:
    getattr(racewindow, name)

LOST_UPDATE = """
import pytest
import racewindow
import trio


async def deposit(balance, amount):
    await trio.lowlevel.checkpoint()
    seen = balance.get()
    await trio.lowlevel.checkpoint()
    balance.set(seen + amount)


async def deposit_twice(balance):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit, balance, 1)
        nursery.start_soon(deposit, balance, 1)
"""
"""Two deposits, of which one is lost in some orders of events."""

ORDERS = """
import pytest
import trio

pytestmark = pytest.mark.trio


async def order_of(count):
    order = []

    async def note(number):
        order.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(note, number)
    return order
"""
"""What trio leaves open: the order within a batch."""


class Ran(NamedTuple):
    """What came of a run of pytest: exit status, what it printed, and the outcome of each test."""

    status: int
    text: str
    outcomes: Mapping[str, str]

    def of(self, outcome: str) -> set[str]:
        """The names of the tests that came out so."""
        return {test for test, each in self.outcomes.items() if each == outcome}


def run_suite(pytester: pytest.Pytester, *options: str, inside: bool = False, **files: str) -> Ran:
    """Write the files, `test_mine="..."` into `test_mine.py`, and run pytest with warnings as errors.

    `inside`: in this process, which takes a quarter of the time.
    """
    if files:
        pytester.makepyfile(**files)
    strict = ("-W", "error", "--strict-markers", "-p", "no:cacheprovider")
    run = pytester.runpytest_inprocess if inside else partial(pytester.runpytest_subprocess, timeout=120)
    found = run("-rA", *strict, *options)
    text = found.stdout.str() + found.stderr.str()
    lines = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (?:\[\d+\] )?(\S+)", text, flags=re.MULTILINE)
    return Ran(int(found.ret), text, {test.partition("::")[2] or test: outcome for outcome, test in lines})
