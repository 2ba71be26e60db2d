"""The README is true: its Python is run, its commands are typed, and what they print is what it says.

Seconds and rates are not compared, `[...]` stands for any lines. What a command prints is written into the README anew
when RACEWINDOW_UPDATE_SNAPSHOTS is set; read the difference before you keep it.
"""

from __future__ import annotations

import difflib
import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from racewindow_models.feed_csv import PRICE_COLUMNS, TIME_COLUMNS

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
SHOW_OFF = ROOT / "examples" / "show_off.py"
LEFT_OUT = "[...]"
LANGUAGES = {"python", "console", "csv", "sh"}
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str


def blocks(language: str) -> list[str]:
    """The texts of the README's blocks in one language."""
    return [block.text for block in all_blocks(README) if block.language == language]


def all_blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2])


# --- Python ----------------------------------------------------------------------------------------------------------


def test_program_is_the_example_that_can_be_run() -> None:
    """Python without prompts is a piece of examples/show_off.py, word for word, and no longer than it claims to be."""
    shown = [text for text in blocks("python") if ">>>" not in text]
    code = [line for text in shown for line in text.splitlines() if line.strip() and '"""' not in line]

    assert shown
    for text in shown:
        assert text in SHOW_OFF.read_text(encoding="utf-8")
    assert len(code) <= 20


def test_session_gives_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python with prompts is run as it stands, all of it in one session."""
    monkeypatch.syspath_prepend(str(SHOW_OFF.parent))
    monkeypatch.delitem(sys.modules, "show_off", raising=False)
    session = "".join(text for text in blocks("python") if ">>>" in text)
    line = README.read_text(encoding="utf-8").partition(session)[0].count("\n")
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", str(README), line)
    said: list[str] = []

    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)

    assert results.attempted > 0
    assert results.failed == 0, "".join(said)


def test_example_passes_under_plain_trio() -> None:
    """What the README says about trio.run, which is why one needs more than trio.run."""
    done = subprocess.run([sys.executable, SHOW_OFF], capture_output=True, text=True, check=True)

    assert done.stdout == "Under trio.run it passes, as often as you like.\n"


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_commands_print_what_is_shown(tmp_path: Path) -> None:
    """Every command of the README, typed in its order in one folder, prints what stands under it."""
    shutil.copytree(SHOW_OFF.parent, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for number, text in enumerate(blocks("csv")):
        (tmp_path / ("prices.csv" if number == 0 else f"prices{number + 1}.csv")).write_text(text, encoding="utf-8")
    typed = {block: blocks("console")[block] for block in range(len(blocks("console")))}

    true = {number: "".join(told(command, shown, tmp_path) for command, shown in sessions(text))
            for number, text in typed.items()}  # fmt: skip
    if os.environ.get("RACEWINDOW_UPDATE_SNAPSHOTS"):
        page = README.read_text(encoding="utf-8")
        for number, text in typed.items():
            page = page.replace(f"```console\n{text}```", f"```console\n{true[number]}```")
        README.write_text(page, encoding="utf-8")
        typed = true

    assert len(true) > 0
    for number, text in typed.items():
        assert text == true[number], "if that is meant: RACEWINDOW_UPDATE_SNAPSHOTS=1 pytest, and read the difference"


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what is shown under it."""
    parts = re.split(r"^\$ (.*(?:(?<=\\)\n.*)*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", "a console block begins with a command"
    yield from zip(parts[1::2], parts[2::2], strict=True)


def told(command: str, shown: str, folder: Path) -> str:
    """The command and what has to stand under it: `shown` itself if that is true of what the command prints."""
    command = with_names_of_now(command, folder)
    printed = output_of(command, folder)
    if not agree(shown, printed):
        printed = output_of(command, folder)  # an explanation is cut off after 10 s, and this machine may be busy
    true = shown if agree(shown, printed) else with_the_same_left_out(shown, printed)
    return f"$ {command}\n{true}"


def output_of(command: str, folder: Path) -> str:
    """What a person would see. `make demo` would set up the environment first, so only what it then runs is run."""
    if command == "make demo":
        command = demo_command()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RACEWINDOW", "COV_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def with_names_of_now(command: str, folder: Path) -> str:
    """The command with the name that the file of the failure has now: it ends in a fingerprint of the failure."""
    for name in re.findall(r"\S+-[0-9a-f]{8}\.json", command):
        there = sorted(folder.glob(f"{name.rpartition('-')[0]}-*.json"))
        if len(there) == 1:
            command = command.replace(name, there[0].relative_to(folder).as_posix())
    return command


def demo_command() -> str:
    """What the Makefile runs for `make demo`, once everything is set up."""
    found = re.search(r"^demo:.*\n\t@\$\(BIN\)/(racewindow [^;]*);", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def agree(shown: str, printed: str) -> bool:
    """Whether they are the same but for seconds, rates and what is left out."""
    pieces = comparable(shown).split(f"{LEFT_OUT}\n")
    return re.fullmatch(r"(?:.*\n)*".join(map(re.escape, pieces)), comparable(printed)) is not None


def comparable(text: str) -> str:
    """The text with seconds and rates blotted out; the sentence that holds them is put on one line first."""
    text = re.sub(
        r"^Explored: [^.]*(?:\.\d[^.]*)*\.$", lambda found: " ".join(found[0].split()), text, flags=re.MULTILINE
    )
    text = re.sub(r"\d+\.\d+ s\b", "? s", text)
    return re.sub(r"[\d,]+ executions/s", "? executions/s", text)


def with_the_same_left_out(shown: str, printed: str) -> str:
    """`printed`, without about what `shown` leaves out; all of it if that leaves nothing out."""
    if LEFT_OUT not in shown:
        return printed
    lines, at = printed.splitlines(keepends=True), 0
    kept: list[str] = []
    pieces = shown.split(f"{LEFT_OUT}\n")
    for number, piece in enumerate(pieces):
        if number:
            kept.append(f"{LEFT_OUT}\n")
        wanted = piece.splitlines(keepends=True)
        if not wanted:
            continue
        start = at if number == 0 else nearest(wanted[0], lines, at)
        end = len(lines) if number == len(pieces) - 1 else nearest(wanted[-1], lines, start) + 1
        kept += lines[start:end]
        at = end
    return "".join(kept)


def nearest(line: str, lines: list[str], at: int) -> int:
    """The place, from `at`, of the line that is most like `line`."""
    alike = [difflib.SequenceMatcher(None, line, each).ratio() for each in lines[at:]]
    return at + alike.index(max(alike)) if alike else at


# --- the pages -------------------------------------------------------------------------------------------------------


def test_every_block_is_of_a_kind_that_is_held_true() -> None:
    """A block in another language would be checked by nobody; one in `sh` may only name targets of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    typed = [line for text in blocks("sh") for line in text.splitlines()]

    assert {block.language for block in all_blocks(README)} == LANGUAGES
    for line in typed:
        make, target = line.split()[:2]
        assert make == "make"
        assert target in targets


def test_columns_of_a_feed_are_those_that_are_read() -> None:
    """The prose names every column that a feed is searched for, in the order of the search."""
    prose = " ".join(README.read_text(encoding="utf-8").split())

    for names in (TIME_COLUMNS, PRICE_COLUMNS):
        quoted = [f"`{name}`" for name in names]
        assert f"{', '.join(quoted[:-1])} or {quoted[-1]}" in prose


def test_blocks_fit_a_terminal() -> None:
    """80 columns."""
    for block in all_blocks(README):
        for line in block.text.splitlines():
            assert len(line) <= 80 or line.startswith("$ "), line


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in link or (page.parent / link).exists(), link


def test_docs_are_all_in_the_index() -> None:
    """docs/README.md names every page beside it."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index]

    assert missing == ["README.md"]


# --- these tests can fail --------------------------------------------------------------------------------------------

PRINTED = """FAILURE in x

How it came to this:
  one
  two

Explored: 2 executions, 1 failed; 66,000 steps in 11.25 s, 1,663
  executions/s.
  seed 0
"""


@pytest.mark.parametrize(
    "shown",
    [
        PRINTED,
        PRINTED.replace("11.25 s, 1,663\n  executions/s", "2.0 s, 23\n  executions/s"),
        PRINTED.replace("11.25 s, 1,663\n  executions/s", "2.0 s, 23 executions/s"),
        "FAILURE in x\n[...]\n",
        "[...]\n  seed 0\n",
        "[...]\n  one\n[...]\n  seed 0\n",
    ],
)
def test_true_text_is_accepted(shown: str) -> None:
    """Only what may differ does."""
    assert agree(shown, PRINTED)


@pytest.mark.parametrize(
    "shown",
    [
        PRINTED.replace("1 failed", "2 failed"),
        PRINTED.replace("66,000", "66,001"),
        PRINTED.replace("  one\n", ""),
        "FAILURE in x\n",
        "FAILURE in x\n\n[...]\n  three\n[...]\n",
        "[...]\n  two\n[...]\n  one\n[...]\n",
        "",
    ],
)
def test_false_text_is_noticed(shown: str) -> None:
    """A line that is not there, is another, or is left out without saying so."""
    assert not agree(shown, PRINTED)


def test_text_is_renewed_with_the_same_left_out() -> None:
    """What was left out stays left out, and what is shown becomes true."""
    shown = "FAILURE in y\n\n[...]\n  ones\n  two\n[...]\n  seed 1\n"
    renewed = with_the_same_left_out(shown, PRINTED)

    assert renewed == "FAILURE in x\n\n[...]\n  one\n  two\n[...]\n  seed 0\n"
    assert agree(renewed, PRINTED)
