"""Random draws that are a function of a key."""

from __future__ import annotations

from racewindow.strategies.random_walk import words


class Dice:
    """An endless stream of draws; the same key gives the same ones."""

    __slots__ = ("_words",)

    def __init__(self, key: bytes) -> None:
        self._words = words(key)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, each as likely; uneven by at most `limit` / 2 ** 32."""
        return (next(self._words) << 16 | next(self._words)) * limit >> 32
