"""`racewindow report`, end to end: what each format holds, that names stay text, and what it refuses."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.harness.ci_project import SAFE_ONLY, write_config
from tests.harness.command_line import CommandLine, racewindow
from tests.harness.test_cli_replay import recorded

__all__ = ["racewindow"]

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&`|@all ]]>#;\u202e"

HOSTILE = f'''
import trio
import racewindow

EVIL = {EVIL!r}

def charts(events):
    points = [racewindow.Point(n, float(n), EVIL, True) for n, _ in enumerate(events)]
    yield racewindow.Chart(EVIL, EVIL, [racewindow.Series(EVIL, points)], marks=[racewindow.Mark(0, EVIL)])

def consequences(events):
    yield racewindow.Consequence(0, EVIL, EVIL, 1, EVIL, wrong=True)

@racewindow.scenario(
    name=EVIL,
    safeguards={{"lock": EVIL}},
    display=racewindow.Display(charts=charts, consequences=consequences, landmarks={{EVIL: EVIL}}),
)
async def hostile(sim: racewindow.Simulation) -> None:
    """Names, values and messages are markup."""
    x = racewindow.Cell(EVIL, name=EVIL)

    async def add() -> None:
        seen = x.get()
        sim.emit(EVIL, value=EVIL)
        await trio.sleep(1)
        x.set(seen + "1")

    sim.spawn(add, name=EVIL + "1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(add, name=EVIL + "2")
    await trio.sleep(5)
    assert x.get() == EVIL + "11", EVIL
'''
VOID = {"meta", "br", "line", "circle", "polygon", "polyline"}


class Page(HTMLParser):
    """Reads a page and keeps what it is made of; `problems`: tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.problems += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self._open or self._open.pop() != tag):
            self.problems.append(tag)


@pytest.fixture
def failing(racewindow: CommandLine) -> str:
    return recorded(racewindow)


def test_a_page_shows_both_orders_and_what_closes_it(racewindow: CommandLine, failing: str) -> None:
    ran = racewindow("report", failing, "-o", "out.html")
    text = Path("out.html").read_text()
    page = Page(text)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Written: out.html (html, ")
    assert page.problems == []
    assert ("lang", "en") in page.attributes
    assert [tag for tag in page.tags if tag in {"main", "h1", "script", "form"}] == ["main", "h1", "form", "script"]
    for said in (
        "✗ Failing, as it was found",
        "✓ Reversed, with a wait for it: nothing fails",
        " only after add",
        f"racewindow replay {failing}",
        "--schedule rw1-",
        "mine.py:",
    ):
        assert said in text, said
    assert "Proved: of all" in text or "Proved: the only order" in text
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for name, value in page.attributes if name == "aria-describedby"} <= set(ids)


def test_a_page_asks_for_nothing_from_anywhere(racewindow: CommandLine, failing: str) -> None:
    racewindow("report", failing, "-o", "out.html", "--no-explain")
    page = Page(Path("out.html").read_text())

    assert {"link", "img", "iframe", "object", "base"}.isdisjoint(page.tags)
    assert not [value for name, value in page.attributes if name in {"src", "srcset", "action"}]
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert any(value.startswith("default-src 'none'") for _, value in page.attributes)
    assert "url(" not in Path("out.html").read_text()


def test_the_other_order_passes_when_it_is_replayed(racewindow: CommandLine, failing: str) -> None:
    data = json.loads(racewindow("report", failing, "--format", "json").out)
    *_, token = data["reversed"]["command"].split()

    def roles(order: str) -> list[str]:
        return [step["role"] for step in data[order]["steps"] if step["role"]]

    assert (roles("failing"), roles("reversed")) == (["first", "second"], ["second", "first"])
    assert data["reversed"]["passes"]
    assert racewindow("replay", "mine.py", "--schedule", token).status == 0
    assert racewindow("replay", failing).status == 1


def test_markup_in_names_and_values_stays_text(racewindow: CommandLine) -> None:
    Path("hostile.py").write_text(HOSTILE)
    file = recorded(racewindow, "hostile.py:hostile")
    racewindow("report", file, "-o", "out.html")
    racewindow("report", "found", "-o", "index.html")

    for name in ("out.html", "index.html"):
        text = Path(name).read_text()
        page = Page(text)
        assert page.problems == []
        assert "alert(1)" in text
        assert page.tags.count("script") == 1
        assert "img" not in page.tags
        assert not [each for each, _ in page.attributes if each.startswith("on")]
        assert "\u202e" not in text
    shown = Path("out.html").read_text()
    assert [each in shown for each in ("Who was hit", "Values over virtual time", "■ ", "dot landmark")] == [True] * 4
    markdown = racewindow("report", file, "--format", "markdown", "--no-explain").out
    mermaid = racewindow("report", file, "--format", "mermaid", "--no-explain").out
    prose = "".join(markdown.split("```")[::2])
    assert set(re.findall(r"</?\w+", prose)) == {"<details", "<summary", "</summary", "</details"}
    assert "@all" not in prose
    assert not set("<>;&|`@\u202e") & set(re.sub(r"#\d+;|->>", "", mermaid))
    for form in ("json", "chrome"):
        json.loads(racewindow("report", file, "--format", form, "--no-explain").out)


def test_formats_for_elsewhere(racewindow: CommandLine, failing: str) -> None:
    def made(form: str) -> str:
        ran = racewindow("report", failing, "--format", form, "--schedules", "400")
        assert (ran.status, ran.err) == (0, "")
        return ran.out

    text, markdown, mermaid = made("text"), made("markdown"), made("mermaid")
    trace = json.loads(made("chrome"))["traceEvents"]

    assert max(len(line) for line in text.splitlines() if "rw1-" not in line) <= 80
    assert text.startswith("FAILURE in two-writers: an assertion failed")
    assert markdown.startswith("## FAILURE in two\\-writers: an assertion failed")
    assert mermaid in markdown
    assert mermaid.startswith("sequenceDiagram\n  participant p0 as ")
    assert "FIRST of the racing pair" in mermaid
    assert mermaid.index("FIRST of the racing pair") < mermaid.index("SECOND of the racing pair")
    assert {event["ph"] for event in trace} == {"M", "X", "s", "f"}
    times = [event["ts"] for event in trace if event["ph"] == "X" and event["pid"] == 1]
    assert times == sorted(set(times))


def test_the_name_of_the_file_says_the_format(racewindow: CommandLine, failing: str) -> None:
    for name, begins in (("a.md", "## "), ("b.mmd", "sequence"), ("c.json", "{"), ("d.html", "<!doctype"), ("e", "<!")):
        assert racewindow("report", failing, "-o", name, "--no-explain").status == 0
        assert Path(name).read_text().startswith(begins)
    assert racewindow("report", failing, "--no-explain").out.startswith(f"Written: {Path(failing).stem}.html ")


def test_a_long_execution_is_drawn_in_part_and_listed_whole(racewindow: CommandLine) -> None:
    Path("long.py").write_text(
        "import trio, racewindow\n"
        "async def main():\n"
        "    x = racewindow.Cell(0, name='x')\n"
        "    async def steps():\n"
        "        for _ in range(150):\n"
        "            x.set(x.get() + 1)\n"
        "            await trio.lowlevel.checkpoint()\n"
        "    async with trio.open_nursery() as nursery:\n"
        "        for _ in range(10):\n"
        "            nursery.start_soon(steps)\n"
        "    assert x.get() == 0\n"
    )
    file = recorded(racewindow, "long.py:main", "--no-explain")
    ran = racewindow("report", file, "-o", "out.html", "--no-explain", "-q")
    page = Page(Path("out.html").read_text())

    assert ran.status == 0
    assert page.tags.count("tr") > 1_500
    assert page.tags.count("circle") <= 40
    assert Path("out.html").stat().st_size < 1_000_000


def test_a_folder_gets_an_index_and_nothing_of_it_is_run(racewindow: CommandLine, failing: str) -> None:
    Path("found/other.json").write_text("{}")
    Path("mine.py").write_text("raise SystemExit('it was run')")
    ran = racewindow("report", "found", "-o", "index.html")
    text = Path("index.html").read_text()

    assert (ran.status, ran.err) == (0, "")
    assert Page(text).problems == []
    assert "<h1>1 failure in found</h1>" in text
    assert "two-writers" in text
    assert "other.json" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mine.py",), "mine.py is not JSON."),
        (("nowhere",), "nowhere is not a file."),
        (("nowhere.json",), "nowhere.json does not exist."),
        (("empty",), "there is no failure in empty."),
        (("found", "--format", "text"), "found is a folder, and text is for one failure."),
        (("FILE", "--format", "pdf"), "there is no format called 'pdf'"),
        (("FILE", "-o", "found"), "found is a folder."),
        (("FILE", "-o", "FILE"), "is the failure itself."),
        (("FILE", "-o", "mine.py/out.html", "--no-explain"), "mine.py/out.html cannot be written."),
        (("FILE", "--schedules", "0"), "--schedules cannot be 0."),
        (("found/cut.json",), "found/cut.json is not JSON."),
        (("found/edited.json",), "The replay diverged"),
        (("found/passing.json",), "found/passing.json does not fail any more"),
    ],
)
def test_what_cannot_be_reported_gets_one_message(
    racewindow: CommandLine, failing: str, arguments: tuple[str, ...], said: str
) -> None:
    content = json.loads(Path(failing).read_text())
    Path("empty").mkdir()
    Path("found/cut.json").write_text(Path(failing).read_text()[:500])
    content["schedule"]["deviations"][0]["option"] = "<b>"
    Path("found/edited.json").write_text(json.dumps(content))
    content["schedule"]["deviations"] = []
    Path("found/passing.json").write_text(json.dumps(content | {"message": "?", "subject": "nobody"}))
    ran = racewindow("report", *(failing if each == "FILE" else each for each in arguments))

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("racewindow: ")
    assert said in " ".join(ran.err.split())
    assert "Traceback" not in ran.err


def test_the_commands_of_the_page_about_reports_do_what_they_say(racewindow: CommandLine, failing: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "report.md"
    lines = re.findall(r"^(racewindow .*?)(?:  +(.*))?$", page.read_text(), flags=re.MULTILINE)
    Path("failure.json").write_text(Path(failing).read_text().replace("../mine.py", "mine.py"))
    write_config(SAFE_ONLY)
    for command, _ in lines:
        ran = racewindow(*command.split()[1:])
        assert (ran.status, ran.err) == (int("explore" in command), ""), command

    assert len(lines) == 11
    for name in ("failure.html", "page.html", "failure.trace", "index.html", "pages/index.html"):
        assert Path(name).stat().st_size > 1_000
