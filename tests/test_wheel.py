"""What is handed out: the wheel, in an environment that holds nothing but what it says it depends on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"racewindow", "racewindow_faults", "racewindow_models"}

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path, status: int = 0) -> str:
    """The output of a command that does not see this checkout; it has to end with `status`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, folder=ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and its declared dependencies; returns its folder of commands."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    commands = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = commands / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel,
        folder=folder)  # fmt: skip
    # The dependencies are there already, beside much else. No network: they are linked, one by one.
    links = folder / "dependencies"
    links.mkdir()
    for each in needed_by(wheel):
        for top in {Path(file).parts[0] for file in each.files or () if not str(file).startswith("..")}:
            (links / top).symlink_to(Path(str(each.locate_file(top))))
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    (Path(purelib) / "dependencies.pth").write_text(f"{links}\n", encoding="utf-8")
    return commands


def needed_by(wheel: Path) -> list[Distribution]:
    """All distributions that the wheel needs, directly or not, without its extras."""
    found: dict[str, Distribution] = {}
    todo = list(requirements(metadata_of(wheel)))
    while todo:
        name = todo.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError as error:
            pytest.fail(f"the test environment lacks {error}")
        todo += requirements(str(found[name].read_text("METADATA")))
    return list(found.values())


def requirements(metadata: str) -> Iterator[str]:
    """Names of the requirements that apply here."""
    for line in re.findall(r"^Requires-Dist: (.*)$", metadata, flags=re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name.lower()


def names_in(wheel: Path) -> set[str]:
    """Every file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata_of(wheel: Path) -> str:
    """The wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return archive.read(name).decode("utf-8")


def test_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    """No tests, no benchmarks, no stray file; what a type checker and a scenario need is there."""
    names = names_in(wheel)
    data = sorted((ROOT / "models/racewindow_models/data").iterdir())

    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert data
    assert {f"racewindow_models/data/{file.name}" for file in data} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_holds_every_module_that_is_under_version_control(wheel: Path) -> None:
    """The wheel is the source, neither more nor less."""
    source = {
        path.relative_to(ROOT / root).as_posix()
        for root in ("harness", "faults", "models")
        for path in (ROOT / root).rglob("*.py")
    }

    assert {name for name in names_in(wheel) if name.endswith(".py")} == source


def test_says_under_which_licence_and_where_the_data_are_from(wheel: Path) -> None:
    """LICENSE and NOTICE travel with the wheel, and the notice names the source of the recordings."""
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.rpartition("/")[2]: name for name in archive.namelist() if "/licenses/" in name}
        notice = " ".join(archive.read(texts["NOTICE"]).decode("utf-8").split())
        licence = archive.read(texts["LICENSE"]).decode("utf-8")

    assert "Apache License" in licence
    assert "License-Expression: Apache-2.0" in metadata_of(wheel)
    assert "market facts" in notice
    assert "GNU General Public License" in notice
    assert "No code of freqtrade is used" in notice


def test_finds_the_failure_in_an_empty_environment_and_folder(environment: Path, tmp_path: Path) -> None:
    """The command, the scenario, its data and its dependencies are all that the main job needs."""
    command = environment / "racewindow"
    text = run(command, "explore", "paradex", "--schedules", "50", "--seed", "1", folder=tmp_path, status=1)

    assert text.startswith("FAILURE in paradex: no_false_liquidation is violated")
    assert "funding index 0 (default;" in text

    (file,) = set(re.findall(r"^ *(\.racewindow/failures/\S+\.json)$", text, flags=re.MULTILINE))
    again = run(command, "replay", file, folder=tmp_path, status=1)

    assert again.startswith("Reproduced: the same failure, step for step.")


def test_lists_its_kinds_of_fault(environment: Path, tmp_path: Path) -> None:
    """The entry points are there, and each of them can be loaded."""
    listed = json.loads(run(environment / "racewindow", "faults", "--json", folder=tmp_path))["faults"]

    assert len(listed) > 40
    assert {(each["origin"], each["problem"]) for each in listed} == {("racewindow", None)}


def test_runs_from_where_it_was_installed(environment: Path, tmp_path: Path) -> None:
    """Guards the tests above: nothing in that environment comes from this checkout, or is not a dependency."""
    code = (
        "import importlib.util, json, racewindow, racewindow_models\n"
        "absent = [name for name in ('pytest', 'hypothesis', 'mypy', 'pip') if not importlib.util.find_spec(name)]\n"
        "print(json.dumps([racewindow.__file__, racewindow_models.__file__, absent]))"
    )
    harness, models, absent = json.loads(run(environment / "python", "-c", code, folder=tmp_path))

    for file in (harness, models):
        assert Path(file).is_relative_to(environment.parent)
    assert absent == ["pytest", "hypothesis", "mypy", "pip"]
