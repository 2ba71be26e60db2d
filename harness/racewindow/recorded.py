"""A failure as it is handed to whoever explains it: as found by an exploration, or as a file tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from racewindow.judging import Identity
from racewindow.schedule import Schedule


class Recorded(Protocol):
    """A failure, or what its file says of it."""

    @property
    def schedule(self) -> Schedule:
        """What makes it happen."""

    @property
    def identity(self) -> Identity:
        """What it is."""


class Found(NamedTuple):
    """A failure as it was found, before it was made smaller."""

    schedule: Schedule
    identity: Identity


def original_of(failure: Recorded) -> Schedule | None:
    """The schedule with which a failure was found, if it has been made smaller since."""
    shrunk, original = getattr(failure, "shrunk", None), getattr(failure, "original", None)
    schedule: Schedule | None = original if shrunk is None else shrunk.original.schedule
    return schedule


def whole_of(failure: Recorded) -> Mapping[str, Any]:
    """The parameters that a failure was found under, before it was made smaller."""
    return (original_of(failure) or failure.schedule).params
