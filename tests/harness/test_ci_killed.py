"""After whatever write a run of `racewindow ci` is killed, the corpus and the files of failures are whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.ci_project import write_config
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]

KILLED_AT_EVERY_WRITE = """
import contextlib, json, os, shutil, signal, sys
from pathlib import Path
from racewindow.cli import main
from racewindow import explainer
from racewindow.failure_file import load

explainer.explain_briefly = lambda scenario, failure, on_progress=None: failure  # takes longest, and writes nothing

HERE = str(Path.cwd())
WRITES = ("open", "os.rename", "os.remove", "os.mkdir", "os.link")

def writes(event, arguments):
    if event not in WRITES or (event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        return False
    return os.path.abspath(os.fspath(arguments[0])).startswith(HERE) if isinstance(arguments[0], str) else False

def run_and_die(at):
    count = 0
    def hook(event, arguments):
        nonlocal count
        if writes(event, arguments):
            count += 1
            if count == at:
                sys.setprofile(die)  # an audit comes before what it tells of: a file is opened, and still empty
    def die(frame, event, argument):
        if frame.f_code is not hook.__code__ and event in ("return", "c_return"):
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        os._exit(main(["ci", "--junit", "junit.xml"]))

def whole():
    for folder in ("tests/racewindow_corpus", ".racewindow/failures"):
        for path in Path(folder).glob("*.json") if Path(folder).is_dir() else ():
            load(path)
    times = Path(".racewindow/ci-times.json")
    if times.exists():
        json.loads(times.read_text())

killed = 0
for at in range(1, 100):
    if at % 2:
        for folder in ("tests", ".racewindow"):
            shutil.rmtree(folder, ignore_errors=True)
    child = os.fork()
    if not child:
        run_and_die(at)
    status = os.waitpid(child, 0)[1]
    whole()
    if not os.WIFSIGNALED(status):
        break
    killed += 1
print(killed, os.waitstatus_to_exitcode(status))
"""


@pytest.mark.slow
def test_no_kill_leaves_half_a_file(racewindow: CommandLine) -> None:
    write_config('[[tool.racewindow.targets]]\ntarget = "mine.py"\nstrategy = "random"\nschedules = 50\n')
    done = subprocess.run([sys.executable, "-c", KILLED_AT_EVERY_WRITE], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    killed, status = map(int, done.stdout.split())
    assert killed >= 8
    assert status == 1
    assert racewindow("ci").status == 1  # on what the killed ones left
    assert [path.name for path in Path("tests/racewindow_corpus").iterdir() if path.suffix != ".json"] == []
