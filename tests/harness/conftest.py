"""Fixtures of the tests of `racewindow.virtual`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from racewindow.virtual import Installation, install
from tests.harness.virtual_stage import WORLD_OF, loaded


@pytest.fixture
def program() -> Iterator[Any]:
    """A program that imported everything by name before the exploration."""
    with loaded("program_before") as module:
        yield module


@pytest.fixture
def installed(program: Any) -> Iterator[Installation]:  # has to be loaded first
    """The virtual machine."""
    with install(WORLD_OF) as installation:
        yield installation
