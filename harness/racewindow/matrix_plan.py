"""In which order sets of safeguards are tried, so that little has to be run and an early end leaves much.

First no safeguard, all of them, and each by itself. Then downward from all of them, as long as everything stays closed:
one closing set soon. Then upward by size, leaving out sets that hold one that closes everything, for these cannot be
smallest: what is found this way needs no assumption. Last, what lies above the closing sets: each of them with one
more safeguard, and then whatever cannot be inferred (`racewindow.safeguard_matrix.Inference`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from racewindow.safeguard_matrix import Inference, SafeguardSet, Tried, subsets


class Plan:
    """The sets to try, one after the other; `tried` is filled by the caller, before the next one is asked for.

    `whole`: what "all" means. `everything`: infer nothing.
    """

    def __init__(
        self,
        safeguards: Sequence[str],
        whole: SafeguardSet,
        tried: Mapping[SafeguardSet, Tried],
        *,
        everything: bool = False,
    ) -> None:
        self.safeguards, self.whole, self.tried, self.everything = safeguards, whole, tried, everything
        self._waiting: list[SafeguardSet] = []
        self._looked = -1
        self._inference = Inference(safeguards, whole, tried)

    def __iter__(self) -> Iterator[SafeguardSet]:
        for on in self._in_order():
            if on not in self.tried:
                yield on

    @property
    def left(self) -> int:
        """About how many sets are still to be tried: all but those that may yet be inferred."""
        self._look()
        return max(1, len(self._waiting))

    def _in_order(self) -> Iterator[SafeguardSet]:
        yield frozenset()
        yield self.whole
        yield from (frozenset([name]) for name in self.safeguards)
        yield from self._downward()
        yield from (on for on in subsets(self.safeguards) if not any(each < on for each in self._look().closing))
        for below in self._look().closing:
            yield from (below | {name} for name in self.safeguards if name not in below)
        yield from (on for on in subsets(self.safeguards) if self.everything or not self._look().holds(on))

    def _downward(self) -> Iterator[SafeguardSet]:
        on = self.whole
        if self._look().closes(on):
            for name in self.safeguards:
                if name in on:
                    yield on - {name}
                    if self._look().closes(on - {name}):
                        on -= {name}

    def _look(self) -> Inference:
        """What is known by now."""
        if self._looked != len(self.tried):
            self._looked = len(self.tried)
            known = self._inference = Inference(self.safeguards, self.whole, self.tried)
            self._waiting = [
                on for on in subsets(self.safeguards) if on not in self.tried and (self.everything or not known.may(on))
            ]
        return self._inference
