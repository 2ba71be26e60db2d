"""A package of somebody else's brings a scenario: it is installed without network, listed by its name, and explored."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "examples" / "own_window"
PAGE = ROOT / "docs" / "modelling.md"

CLI = ("-c", "import sys; from racewindow.cli import main; sys.exit(main())")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package is installed in, built with what is here."""
    folder = tmp_path_factory.mktemp("own")
    source = folder / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder / "site", source],
        check=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    return folder / "site"


def run(installed: Path, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a command prints where the package is installed."""
    roots = [str(installed), *(path for path in sys.path if path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RACEWINDOW", "COV_"))}
    environment["PYTHONPATH"] = os.pathsep.join(roots)
    command = (sys.executable, *command)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_its_scenario_is_listed_by_its_name_and_explored(installed: Path, tmp_path: Path) -> None:
    listed = run(installed, *CLI, "list", folder=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert re.search(r"^\s*worker-restart\b", listed.stdout, re.MULTILINE), listed.stdout
    assert "The worker that charges orders is replaced" in listed.stdout

    options = ("--strategy", "dpor", "--no-explain", "--no-shrink")
    found = run(installed, *CLI, "explore", "worker-restart", *options, folder=tmp_path)
    assert found.returncode == 1
    assert "charged_once is violated" in found.stdout


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    tested = run(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", folder=tmp_path)

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout


def test_what_the_page_shows_is_in_the_package() -> None:
    """Word for word; what is left out between two pieces is its own block."""
    files = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.[pt][yo]*")))
    shown = re.findall(r"^```(?:python|toml)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert len(shown) > 4
    for block in shown:
        assert block in files, block
