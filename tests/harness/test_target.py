"""What a person types finds its scenario; whatever is wrong with it is one message and never a traceback."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from racewindow.errors import InputError, UsageError
from racewindow.report_layout import message
from racewindow.scenarios import Scenario
from racewindow.target import GROUP, list_scenarios, resolve
from tests.snapshots.compare import assert_snapshot

MINE = '''
import trio
from racewindow import Simulation, scenario
from helper import twice

@scenario(name="the-restart", safeguards={"wait": "it waits"})
async def restart(sim: Simulation, *, ticks: int = 2) -> None:
    """Restarts."""

async def plain() -> None: ...
async def _private() -> None: ...
def helper() -> None: ...
number = 3
'''

FILES: dict[str, str | bytes] = {
    "mine.py": MINE,
    "helper.py": "async def twice() -> None: ...",
    "plain.py": "from helper import twice\nasync def only() -> None: ...\nasync def _not_me() -> None: ...",
    "two.py": "async def first() -> None: ...\nasync def second() -> None: ...",
    "none.py": "def sync() -> None: ...",
    "broken.py": "x = 1\ndef f(:\n",
    "raises.py": "import helper\ndef deeper():\n    return 1 / 0\ndeeper()",
    "library.py": "import json\njson.loads('[')",
    "missing.py": "import no_such_library",
    "ends.py": "import sys\nsys.exit(3)",
    "misuse.py": "from racewindow import scenario\n@scenario\nasync def f(a, b): ...",
    "null.py": "x = 1\0",
    "latin.py": b"x = '\xe9'",
    "unknown.py": "# coding: klingon",
    "json.py": "async def f() -> None: ...",
    "my-file.py": "async def f() -> None: ...",
    "boxes.py": "import dataclasses\n@dataclasses.dataclass\nclass Box:\n    x: 'int'\nasync def f() -> None: ...",
    "needs.py": "async def f(sim, other) -> None: ...",
    "partial.py": "import functools\nasync def f(sim, *, n: int = 1) -> None: ...\ng = functools.partial(f, n=2)",
    "package/__init__.py": "",
    "package/needy.py": "import no_such_library",
    "package/good.py": "async def f() -> None: ...",
    "package/bad.py": "raise ValueError('no')",
    "folder.py/x.py": "",
}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios of three packages, one of which is broken, as their installation would list them."""
    monkeypatch.syspath_prepend(Path.cwd())
    entries = EntryPoints(
        EntryPoint(name, value, GROUP)
        for name, value in (
            ("restart", "mine:restart"),
            ("restart", "mine:restart"),
            ("plain", "mine:plain"),
            ("twins", "two:first"),
            ("twins", "two:second"),
            ("broken", "package.bad:f"),
            ("gone", "package.good:g"),
            ("wrong", "needs:f"),
        )
    )
    monkeypatch.setattr("importlib.metadata.entry_points", lambda *, group: entries.select(group=group))


# --- what is found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "full", "name"),
    [
        ("mine.py:restart", "mine.py:restart", "the-restart"),
        ("mine.py:the-restart", "mine.py:restart", "the-restart"),
        ("mine.py:plain", "mine.py:plain", "plain"),
        ("mine.py:_private", "mine.py:_private", "private"),
        ("mine.py", "mine.py:restart", "the-restart"),
        ("./plain.py", "./plain.py:only", "only"),
        ("package.good:f", "package.good:f", "f"),
        ("mine:restart", "mine:restart", "the-restart"),
        ("my-file.py", "my-file.py:f", "f"),
        ("json.py", "json.py:f", "f"),
        ("boxes.py", "boxes.py:f", "f"),
        ("partial.py:g", "partial.py:g", "f"),
        ("partial.py:f", "partial.py:f", "f"),
    ],
)
def test_a_target_is_found(text: str, full: str, name: str) -> None:
    scenario, found = resolve(text)

    assert (found, scenario.name.strip("-")) == (full, name)


def test_an_installed_name_is_found(installed: None) -> None:
    scenario, found = resolve("restart")

    assert (found, scenario.name, dict(scenario.safeguards)) == ("restart", "the-restart", {"wait": "it waits"})
    assert resolve("plain")[0].parameters == ()


def test_a_file_elsewhere_finds_its_siblings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")

    assert resolve("../mine.py:restart")[1] == "../mine.py:restart"
    assert resolve(str(tmp_path / "mine.py"))[0].name == "the-restart"


def test_a_file_that_was_edited_a_moment_ago_is_read_anew() -> None:
    before, _ = resolve("plain.py")
    Path("plain.py").write_text(str(FILES["plain.py"]).replace("only", "ONLY"), encoding="utf-8")
    after, _ = resolve("plain.py")

    assert (before.name, after.name) == ("only", "ONLY")
    assert not Path("__pycache__").exists()


def test_a_module_is_called_by_its_stem_on_every_machine() -> None:
    names = {resolve(text)[0].function.__module__ for text in ("mine.py", "json.py", "my-file.py")}

    assert names == {"mine", "scenario_file_json", "my_file"}
    assert "loads" in vars(sys.modules["json"]), "the library of that name is still itself"


def test_classes_of_the_file_know_their_module() -> None:
    """Dataclasses with annotations in strings look themselves up in `sys.modules`."""
    resolve("boxes.py")
    box = sys.modules["boxes"].Box

    assert dataclasses.is_dataclass(box)
    assert sys.modules[box.__module__].Box is box


def test_what_fails_to_load_leaves_no_half_of_a_module() -> None:
    with pytest.raises(InputError):
        resolve("raises.py")

    assert "raises" not in sys.modules


def test_an_edit_that_fails_to_load_leaves_the_module_that_was_there() -> None:
    resolve("plain.py")
    before = sys.modules["plain"]
    Path("plain.py").write_text("1 / 0", encoding="utf-8")
    with pytest.raises(InputError):
        resolve("plain.py")

    assert sys.modules["plain"] is before


def test_a_file_that_may_not_be_read_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(InputError) as caught:
        resolve("mine.py")

    assert str(caught.value) == "mine.py cannot be read.\nWhy: Permission denied.\nDo:  check who may read the file."


# --- what is not -----------------------------------------------------------------------------------------------------

BAD = [
    "restort",
    "mine",
    "mine.restart",
    "found/x.json",
    "twins",
    "broken",
    "gone",
    "wrong",
    "no.py",
    "mime.py:restart",
    "folder.py",
    "mine.py:restrat",
    "mine.py:helper",
    "mine.py:number",
    "mine.py:Simulation",
    "two.py",
    "none.py",
    "broken.py",
    "raises.py",
    "library.py",
    "missing.py",
    "ends.py",
    "misuse.py",
    "null.py",
    "latin.py",
    "unknown.py",
    "needs.py:f",
    "package.nothing:f",
    "nothing.at.all:f",
    "package.bad:f",
    "package.needy:f",
    "package.good:g",
    "package/good:f",
    ":f",
]


def test_each_bad_target_is_one_message(installed: None) -> None:
    told = []
    for text in BAD:
        with pytest.raises(UsageError) as caught:
            resolve(text)
        told.append(f"--- {text}\n{message(str(caught.value))}\n")

    assert_snapshot("target_bad.txt", "\n".join(told))


def test_an_interrupt_while_loading_is_an_interrupt() -> None:
    Path("slow.py").write_text("raise KeyboardInterrupt", encoding="utf-8")

    with pytest.raises(KeyboardInterrupt):
        resolve("slow.py")


# --- the list --------------------------------------------------------------------------------------------------------


def test_the_list_has_every_scenario_and_a_broken_one_hides_no_other(installed: None) -> None:
    found = [(each.name, isinstance(each.scenario, Scenario), each.problem) for each in list_scenarios()]

    assert found == [
        ("broken", False, "bad.py, line 1: ValueError: no"),
        ("gone", False, "AttributeError: module 'package.good' has no attribute 'g'"),
        ("plain", True, ""),
        ("restart", True, ""),
        ("twins", True, ""),
        ("twins", True, ""),
        (
            "wrong",
            False,
            "f needs an argument 'other' that nobody can give it.",
        ),
    ]


def test_an_empty_list_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: EntryPoints())

    assert list_scenarios() == []
