"""Runs the command line as a person would: in a folder of its own, with a few programs to explore."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from racewindow.cli import main

PROGRAM = [sys.executable, "-c", "import sys; from racewindow.cli import main; sys.exit(main())"]

MINE = '''
import trio
import racewindow

@racewindow.scenario(safeguards={"use_lock": "one at a time"})
async def two_writers(sim: racewindow.Simulation, *, writers: int = 2) -> None:
    """Each writer adds one to the same cell."""
    x, lock = racewindow.Cell(0, name="x"), trio.Lock()

    async def add() -> None:
        if sim.safeguard("use_lock"):
            await lock.acquire()
        seen = x.get()
        sim.log.info("read", seen=seen, around={"b", "a", "c"})
        sim.emit("x.read", value=seen)
        await trio.sleep(1.5)
        x.set(seen + 1)
        sim.emit("x.write", value=seen + 1)
        if sim.safeguard("use_lock"):
            lock.release()

    async with trio.open_nursery() as nursery:
        for _ in range(writers):
            nursery.start_soon(add)
    assert x.get() == writers, f"x is {x.get()}"
'''

OTHERS = '''
import trio
import racewindow

async def fine() -> None:
    print("a line for each execution")
    await trio.sleep(1)

async def deadlock() -> None:
    await trio.sleep_forever()

async def raises() -> None:
    await trio.sleep(3)
    raise KeyError("x")

runs = 0

async def moody() -> None:
    global runs
    runs += 1
    if runs % 2:
        await trio.sleep(1)

async def long() -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(steps)

async def steps() -> None:
    for _ in range(100):
        await trio.lowlevel.checkpoint()

def read(path, **options):
    """A loader of a feed."""
    return path

def narrow(path):
    """A loader without options."""
    raise OSError("not ours")

@racewindow.scenario(feed=read)
async def fed(sim: racewindow.Simulation) -> None: ...

@racewindow.scenario(feed=narrow)
async def narrowly_fed(sim: racewindow.Simulation) -> None: ...
'''


def names(folder: str = ".") -> list[str]:
    """What is in a folder, by name."""
    return sorted(path.name for path in Path(folder).iterdir())


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit status, its stdout and its stderr."""

    status: int
    out: str
    err: str


class CommandLine:
    """Runs commands in this process, and in fresh ones."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str) -> Ran:
        """Run `racewindow ARGUMENTS` in this process."""
        self._capture.readouterr()
        status = main(arguments)
        return Ran(status, *self._capture.readouterr())

    @staticmethod
    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `racewindow ARGUMENTS` in a process of its own."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    @classmethod
    def fresh(cls, *arguments: str, **environment: str) -> Ran:
        """Run `racewindow ARGUMENTS` in a process of its own, to its end."""
        with cls.start(*arguments, **environment) as process:
            out, err = process.communicate()
        return Ran(process.returncode, out, err)


@pytest.fixture
def racewindow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    """The command line in a folder with `mine.py` and `others.py`; what it imports is forgotten afterwards."""
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "others.py").write_text(OTHERS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delenv("RACEWINDOW_DEBUG", raising=False)
    before = set(sys.modules)
    yield CommandLine(capsys)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
