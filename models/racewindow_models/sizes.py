"""The sizes of a small scenario, as the user gives them."""

from __future__ import annotations

from racewindow import UsageError


def at_least(least: int, **sizes: int) -> None:
    """Raises UsageError for the first size below `least`, by the name of its parameter."""
    for name, value in sizes.items():
        if value < least:
            raise UsageError(f"the parameter {name!r} cannot be {value}.", why=f"it has to be at least {least}.")
