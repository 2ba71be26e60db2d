"""The watchdog: a thread outside of all executions that notices a step that does not come back, and Ctrl-C.

It raises `StopExecution` into the exploring thread. A loop in Python is interrupted between two bytecodes; a blocking
call in C only on the main thread, where a signal interrupts it.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from racewindow.runtime.runner import SimRunner
from racewindow.runtime.step import StopExecution
from racewindow.virtual import real

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 0.4
"""After Ctrl-C the execution in progress may still end by itself for this long."""


class Watchdog:
    """Context manager around an exploration; `runner` is set while an execution of it is in progress.

    `interrupted`: Ctrl-C was pressed. `hung`: the execution in progress was stopped because one step took longer than
    `step_timeout` seconds of wall time.
    """

    def __init__(self, step_timeout: float) -> None:
        self.step_timeout = step_timeout
        self.interrupted = False
        self.hung = False
        self._interrupted_at = 0.0
        self.runner: SimRunner | None = None
        self._thread_id = threading.get_ident()
        self._main = threading.current_thread() is threading.main_thread()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="racewindow-watchdog", daemon=True)

    def __enter__(self) -> Self:
        if self._main:
            self._old_interrupt = signal.signal(signal.SIGINT, self._on_interrupt)
            if hasattr(signal, "SIGALRM"):
                self._old_alarm = signal.signal(signal.SIGALRM, self._on_alarm)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.runner = None
        self._end.set()
        self._thread.join()
        if self._main:
            signal.signal(signal.SIGINT, self._old_interrupt)
            if hasattr(signal, "SIGALRM"):
                signal.signal(signal.SIGALRM, self._old_alarm)

    def _on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt  # the second time: at once, wherever we are
        self.interrupted = True
        self._interrupted_at = real.monotonic()

    def _run(self) -> None:
        seen: tuple[SimRunner | None, int] = (None, 0)
        since = real.monotonic()
        while not self._end.wait(_LOOK_SECONDS):
            runner = self.runner
            now = real.monotonic()
            state = (runner, runner.step_serial if runner is not None else 0)
            if state != seen:
                seen, since = state, now
            if runner is None or not runner.driven:
                continue
            stuck = now - since > self.step_timeout
            if stuck or (self.interrupted and now - self._interrupted_at > _GRACE_SECONDS):
                self.hung = stuck and not self.interrupted
                self._stop()
                seen, since = (None, 0), now

    def _stop(self) -> None:
        if self._main and hasattr(signal, "SIGALRM"):
            signal.pthread_kill(self._thread_id, signal.SIGALRM)
        else:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread_id), ctypes.py_object(StopExecution))

    def _on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        if self.runner is not None and self.runner.driven:  # else the execution has ended meanwhile
            raise StopExecution


def platform_notes() -> tuple[str, ...]:
    """What this platform cannot do, said with every result that it may have touched."""
    return () if hasattr(signal, "SIGALRM") else (_WITHOUT_ALARMS,)


_WITHOUT_ALARMS = (
    "on this platform a step that blocks inside a C function cannot be interrupted, neither as a hang nor by Ctrl-C, "
    "and local time keeps the machine's own time zone"
)
