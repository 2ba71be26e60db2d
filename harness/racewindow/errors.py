"""Every exception that a user of racewindow can see.

Each message answers three questions in this order: what happened, why, and what to do. The command line prints the
message alone (exit status 2 for `UsageError` and its kin), so it has to stand by itself without a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RacewindowError(Exception):
    """Base of all errors that racewindow raises on purpose.

    Parameters
    ----------
    what: one sentence, what happened, naming the object.
    why: the reason, where it is not obvious.
    do: what the reader can do about it; a command that can be pasted where there is one.
    """

    def __init__(self, what: str, *, why: str = "", do: str = "") -> None:
        self.what, self.why, self.do = what, why, do
        lines = [what]
        if why:
            lines.append(f"Why: {why}")
        if do:
            lines.append(f"Do:  {do}")
        super().__init__("\n".join(lines))


class UsageError(RacewindowError):
    """An argument, option or name that makes no sense; nothing has been run."""


class InputError(UsageError):
    """A file or value given by the user that cannot be used; names the file and, where there is one, the line."""


class NotReproducedError(UsageError):
    """A recorded failure that does not happen any more, where it has to."""


class UnsupportedTrioError(RacewindowError):
    """The installed trio is outside the range whose private parts this version knows."""


class RealIOError(RacewindowError):
    """Code inside an execution asked for real input or output: a socket, a file descriptor, a subprocess."""

    def __init__(self, call: str, instead: str) -> None:
        super().__init__(
            f"{call} asks for real I/O inside an execution.",
            why="an execution can be repeated exactly because nothing in it comes from outside; real I/O does.",
            do=instead,
        )
        self.call, self.instead = call, instead


class RealThreadError(RacewindowError):
    """Code inside an execution asked for a real thread, or for something that only a real thread can do."""

    def __init__(self, call: str, instead: str) -> None:
        super().__init__(
            f"{call} asks for a real thread inside an execution.",
            why="the operating system would choose the order of events, and no schedule could repeat it.",
            do=instead,
        )
        self.call, self.instead = call, instead


class DivergenceError(RacewindowError):
    """A schedule does not fit the program that it is replayed on; says at which step and what differs."""


class ExplorationFailed(RacewindowError, AssertionError):  # noqa: N818  # reads as the assertion it is in a test report
    """Raised by `Result.check`: its text is the report of the first failure with the command that replays it."""

    def __init__(self, report: str) -> None:
        super().__init__(report)


class CallError(Exception):
    """A call between services got no reply. What a program does about it is part of what is tested."""


class CallTimedOutError(CallError):
    """The caller has waited long enough. The effect may have happened, may happen later, or never."""


class ConnectionLostError(CallError):
    """The connection broke: the peer is down or cut off. Whether the effect happened is not known."""


class StoreError(Exception):
    """A store did not do what it was asked. What a program does about it is part of what is tested."""


class CommitFailedError(StoreError):
    """The commit failed, says the store. Whether it took effect is not known."""


class TransactionAbortedError(StoreError):
    """The store gave the transaction up: nothing of it took effect, and it may be tried again."""


def unknown_name(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among `known`, with the nearest ones."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3)
    do = f"did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
    do += f"Known: {', '.join(names)}." if names else "There are none."
    return UsageError(f"there is no {what} called {name!r}.", do=do)
