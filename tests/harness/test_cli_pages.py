"""`--report DIR` of `matrix` and `ci`, and `report DIR`, which knows what they have left there."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from tests.harness.ci_project import write_config
from tests.harness.command_line import CommandLine, names, racewindow
from tests.harness.test_cli_report import Page

__all__ = ["racewindow"]

PROGRAM = Path(__file__).with_name("matrix_program.py")
EVIL = "<img src=x onerror=alert(1)>"
FEW = ("--safeguards", "lock,wait", "--report", "pages")
TARGETS = """
[tool.racewindow]
schedules = 100

[[tool.racewindow.targets]]
name = "with a <b>lock</b>"
target = "mine.py"
safeguards = ["use_lock"]

[[tool.racewindow.targets]]
target = "mine.py"

[[tool.racewindow.targets]]
target = "broken.py"
"""


@pytest.fixture
def bank(racewindow: CommandLine) -> str:
    Path("bank.py").write_text(PROGRAM.read_text(encoding="utf-8"), encoding="utf-8")
    return "bank.py"


def words(html: str) -> str:
    """What a reader sees."""
    bare = re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(bare).split())


def test_the_page_of_a_matrix_says_what_to_put_into_the_runbook(racewindow: CommandLine, bank: str) -> None:
    ran = racewindow("matrix", bank, *FEW)
    text = Path("pages/index.html").read_text()
    page, said = Page(text), words(text)

    assert (ran.status, ran.out.splitlines()[-1]) == (0, "Report: pages/index.html")
    assert page.problems == []
    assert "bank.py:bank fails without safeguards: 2 checkers fail." in said
    runbook = said.partition("What to put into the runbook")[2].partition("What closes what")[0]
    assert "This set closes all that fails; with less, something stays open." in runbook
    assert "lock one deposit at a time wait the report waits until all deposits are made" in runbook
    assert re.search(r"✓ proved: \d+ executions", runbook)
    assert "racewindow matrix bank.py --safeguards lock,wait" in said


def test_every_cell_of_a_matrix_has_its_verdict(racewindow: CommandLine, bank: str) -> None:
    cells = json.loads(racewindow("matrix", bank, *FEW, "--json").out)["cells"]
    rows = re.findall(r"<tr><th scope=\"row\">(?:<b[^>]*>★ </b>)?<span>.*?</tr>", Path("pages/index.html").read_text())
    shown = {
        (frozenset(re.findall(r'class="chip">(\w+)<', row)), of): words(said).split()[-1]
        for row in rows
        for of, said in re.findall(r'data-of="(\w+)">(.*?)</td>', row)
    }

    assert len(rows) == 4
    for cell in cells:
        if cell["checker"] != "never_negative":
            assert shown[frozenset(cell["on"]), cell["checker"]] == cell["verdict"]


def test_what_is_no_proof_is_not_called_one(racewindow: CommandLine, bank: str) -> None:
    racewindow("matrix", bank, *FEW, "--strategy", "random", "--schedules", "60")
    said = words(Path("pages/index.html").read_text())

    assert "not found in 60" in said
    assert "as far as was run; not all is proved" in said
    assert "✓" not in said


def test_json_names_the_page(racewindow: CommandLine, bank: str) -> None:
    ran = racewindow("matrix", bank, *FEW, "--json")

    assert json.loads(ran.out)["report"] == str(Path("pages/index.html").absolute())


@pytest.mark.parametrize("words", [("matrix", "bank.py"), ("ci",)])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_run(
    racewindow: CommandLine, bank: str, words: tuple[str, ...]
) -> None:
    write_config()
    ran = racewindow(*words, "--report", bank)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"racewindow: the report cannot be written to {bank}.\nWhy: ")


@pytest.fixture
def pages(racewindow: CommandLine) -> str:
    """Of a run with a row that is fine, one that fails, and one that cannot be run."""
    write_config(TARGETS)
    ran = racewindow("ci", "--report", "pages")
    assert (ran.status, ran.out.splitlines()[-1]) == (2, "Report: pages/index.html")
    return ran.out


def test_the_page_of_a_run_has_its_rows_and_links_to_failures(pages: str) -> None:
    text = Path("pages/index.html").read_text()
    page, said = Page(text), words(text)
    links = {value for name, value in page.attributes if name == "href" and not value.startswith("#")}

    assert page.problems == []
    assert sorted(["index.html", *links]) == names("pages")
    assert len(links) == 1
    assert "racewindow ci: 2 to look at" in said
    assert "✓ ok with a <b>lock</b> safe" in said
    assert "✗ FAILED mine.py safe fails: violation" in said
    assert "! BROKEN broken.py safe not run" in said
    assert "broken.py does not exist." in said
    assert "Both orders" in words(Path("pages", *links).read_text())


def test_a_run_in_which_all_is_as_expected_has_no_failure_to_show(racewindow: CommandLine) -> None:
    write_config(TARGETS.partition('[[tool.racewindow.targets]]\ntarget = "mine.py"')[0])
    ran = racewindow("ci", "--report", "pages", "--json")

    assert names("pages") == ["index.html"]
    assert "racewindow ci: all as expected" in words(Path("pages/index.html").read_text())
    assert json.loads(ran.out)["report"] == str(Path("pages/index.html").absolute())


def test_a_folder_of_reports_is_told_by_their_titles(racewindow: CommandLine, pages: str, bank: str) -> None:
    Path("pages/m.json").write_text(racewindow("matrix", bank, *FEW[:2], "--json").out)
    Path("pages/e.json").write_text(racewindow("explore", "mine.py", "--json", "--no-explain").out)
    Path("pages/c.json").write_text(racewindow("ci", "--json").out)
    Path(f"pages/{EVIL[:4]}.html").write_text(f'<meta name="generator" content="racewindow"><title>{EVIL}</title>')
    Path("pages/other.html").write_text("<title>of somebody else</title>")
    ran = racewindow("report", "pages", "-o", "all.html")
    page, said = Page(Path("all.html").read_text()), words(Path("all.html").read_text())
    links = [value for name, value in page.attributes if name == "href" and not value.startswith("#")]

    assert (ran.status, ran.err) == (0, "")
    assert page.problems == []
    assert "img" not in page.tags
    assert "6 reports in pages" in said
    assert "m.json : matrix of bank.py:bank: closed by lock + wait" in said
    assert "e.json : exploration of two-writers: failure" in said
    assert "c.json : run of ci: 4 rows, exit status 2" in said
    assert "index.html : racewindow ci: 2 to look at" in said
    assert "of somebody else" not in said
    assert [link.startswith("pages/") for link in links] == [True] * 6
