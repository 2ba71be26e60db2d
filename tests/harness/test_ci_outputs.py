"""What `racewindow ci` writes for other programs: each form holds every row, and is what its format says it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from racewindow.ci.github import annotations_of
from racewindow.ci.junit import junit_text
from racewindow.ci.markdown import markdown_text
from racewindow.ci.places import place_of
from racewindow.ci.rows import Row
from racewindow.ci.sarif import sarif_text
from tests.harness.ci_project import keep_failure, make_project, make_stale, write_config
from tests.harness.command_line import MINE, CommandLine, racewindow

__all__ = ["racewindow"]

HOSTILE = "a|b `c` <d> ]]> & \x00 \ud800 100%\n::error::x ```"
ODD = Row(kind="target", name=HOSTILE, target=HOSTILE, expected="safe", found="not run", status="broken",
          why=(HOSTILE, "more"), file="pyproject.toml", line=3)  # fmt: skip


@pytest.fixture
def written(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> str:
    """The stdout of a run of the project, which has written `junit.xml`, `log.sarif`, `page.md` and `step.md`."""
    make_project()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    Path("step.md").write_text("before\n", encoding="utf-8")
    ran = racewindow("ci", "--junit", "junit.xml", "--sarif", "log.sarif", "--markdown", "page.md", "--github")
    assert ran.status == 2
    return ran.out


def line_in_mine(code: str) -> int:
    """The line of `mine.py` that has `code`."""
    return next(number for number, line in enumerate(MINE.splitlines(), start=1) if code in line)


def test_each_form_has_each_row(written: str) -> None:
    junit_holds()
    sarif_holds()
    page = Path("page.md").read_text(encoding="utf-8")
    assert Path("step.md").read_text(encoding="utf-8") == f"before\n{page}\n"
    assert re.findall(r"^\| (\S+ \w+) \| (.*?) \|", page, re.MULTILINE)[1:] == [
        ("⚠️ UNSURE", f"past: {next(Path('tests/racewindow_corpus').glob('moved-*')).stem}"),
        ("✅ ok", "locked"),
        ("❌ FAILED", "mine.py"),
        ("🚫 BROKEN", "broken.py"),
    ]
    assert "1 of 4 as expected" in page
    assert "Seed 0." in page
    told = [line for line in written.splitlines() if line.startswith("::")]
    assert len(told) == 3
    assert told[0].startswith("::warning file=tests/racewindow_corpus/moved-")
    assert told[1].startswith(f"::error file=mine.py,line={line_in_mine('seen = x.get')},title=racewindow%3A mine.py::")
    assert told[2].startswith("::error file=pyproject.toml,line=14,")


def xml_of(text: str) -> ET.Element:
    """The root of a document of our own."""
    return ET.fromstring(text.encode())  # noqa: S314  # nobody else wrote it


def junit_holds() -> None:
    """Every row is a case; the counts are those of the cases."""
    root = xml_of(Path("junit.xml").read_text(encoding="utf-8"))
    assert root.tag == "testsuites"
    for each in (root, *root.iter("testsuite")):
        cases = list(each.iter("testcase"))
        assert each.get("tests") == str(len(cases))
        assert each.get("failures") == str(len(list(each.iter("failure"))))
        assert each.get("errors") == str(len(list(each.iter("error"))))
        assert each.get("skipped") == "0"
        assert all(case.get("name") and case.get("classname") and case.get("time") for case in cases)
    kinds = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    stale = next(name for name in kinds if name and name.startswith("moved-"))
    assert kinds == {
        stale: ["error", "system-out"],
        "locked": ["system-out"],
        "mine.py": ["failure", "system-out"],
        "broken.py": ["error", "system-out"],
    }
    failure = next(root.iter("failure"))
    assert "racewindow replay .racewindow/failures/two-writers-" in (failure.text or "")


# Of the schema, sarif-schema-2.1.0.json, the objects that are written here: what each has to have, and may have.
OBJECTS: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"invocations", "results", "columnKind"}),
    "driver": ({"name"}, {"semanticVersion", "rules"}),
    "rule": ({"id"}, {"shortDescription", "defaultConfiguration"}),
    "invocation": ({"executionSuccessful"}, {"exitCode"}),
    "result": (
        {"message"},
        {"ruleId", "ruleIndex", "level", "locations", "relatedLocations", "codeFlows", "partialFingerprints"}
        | {"properties"},
    ),
    "location": (set(), {"id", "physicalLocation", "message"}),
    "physical": (set(), {"artifactLocation", "region"}),
    "message": ({"text"}, set()),
    "codeFlow": ({"threadFlows"}, {"message"}),
    "threadFlow": ({"locations"}, set()),
    "step": ({"location"}, set()),
}


def is_object(kind: str, value: Any) -> Any:
    """The object, once it has been checked."""
    required, optional = OBJECTS[kind]
    assert isinstance(value, dict)
    assert required <= value.keys() <= required | optional, (kind, value.keys())
    return value


def is_location(value: Any) -> tuple[str, int]:
    """Where it is, once it has been checked."""
    physical = is_object("physical", is_object("location", value)["physicalLocation"])
    uri, line = physical["artifactLocation"]["uri"], physical["region"]["startLine"]
    assert re.fullmatch(r"(file://)?[\w./%~-]+", uri)
    assert line >= 1
    if "message" in value:
        is_object("message", value["message"])
    return uri, line


def read_sarif(text: str) -> list[dict[str, Any]]:
    """The results of a log, once all of it has been checked."""
    log = is_object("log", json.loads(text))
    assert log["version"] == "2.1.0"
    run = is_object("run", log["runs"][0])
    rules = is_object("driver", run["tool"]["driver"])["rules"]
    for rule in rules:
        is_object("rule", rule)
        is_object("message", rule["shortDescription"])
    assert [is_object("invocation", each)["exitCode"] for each in run["invocations"]]
    for result in run["results"]:
        is_object("message", is_object("result", result)["message"])
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert all(isinstance(each, str) for each in result["partialFingerprints"].values())
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            is_location(place)
        for flow in result.get("codeFlows", ()):
            for thread in is_object("codeFlow", flow)["threadFlows"]:
                assert [
                    is_location(is_object("step", s)["location"]) for s in is_object("threadFlow", thread)["locations"]
                ]
    results: list[dict[str, Any]] = run["results"]
    return results


def sarif_holds() -> None:
    """One result for each row that is not as expected, the failing one at the lines that race."""
    results = read_sarif(Path("log.sarif").read_text(encoding="utf-8"))
    assert [each["ruleId"] for each in results] == ["racewindow/unknown", "violation", "racewindow/broken"]
    racing = results[1]
    assert is_location(racing["locations"][0]) == ("mine.py", line_in_mine("seen = x.get"))
    assert is_location(racing["relatedLocations"][0]) == ("mine.py", line_in_mine("x.set(seen + 1)"))
    steps = racing["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [is_location(each["location"])[1] for each in steps] == [
        line_in_mine("seen = x.get"),
        line_in_mine("x.set(seen + 1)"),
    ]
    assert is_location(results[2]["locations"][0]) == ("pyproject.toml", 14)


def test_where_everything_is_as_expected_there_is_nothing_to_annotate(racewindow: CommandLine) -> None:
    write_config('[[tool.racewindow.targets]]\ntarget = "others.py:fine"\nschedules = 1\n')
    ran = racewindow("ci", "--sarif", "log.sarif", "--github", "--json")

    assert ran.status == 0
    assert json.loads(ran.out)["rows"][0]["status"] == "ok"
    assert read_sarif(Path("log.sarif").read_text(encoding="utf-8")) == []
    assert "::" not in ran.err


def test_a_verdict_that_is_no_failure_is_shown_where_the_target_is_configured(racewindow: CommandLine) -> None:
    write_config('\n[[tool.racewindow.targets]]\ntarget = "others.py:fine"\nexpect = "fails"\nschedules = 1\n')
    racewindow("ci", "--sarif", "log.sarif")
    results = read_sarif(Path("log.sarif").read_text(encoding="utf-8"))

    assert [(each["ruleId"], is_location(each["locations"][0])) for each in results] == [
        ("racewindow/verdict", ("pyproject.toml", 2))
    ]


def test_the_files_can_be_named_in_the_configuration(racewindow: CommandLine) -> None:
    row = '[[tool.racewindow.targets]]\ntarget = "others.py:fine"\nschedules = 1\n'
    write_config('[tool.racewindow]\njunit = "a.xml"\nsarif = "a.sarif"\nmarkdown = "a.md"\n' + row)

    assert racewindow("ci", "--sarif", "b.sarif").status == 0
    assert sorted(path.name for path in Path().glob("?.*")) == ["a.md", "a.xml", "b.sarif"]


def test_odd_characters_break_no_form() -> None:
    root = xml_of(junit_text([ODD], 0))
    assert [case.get("name", "")[:6] for case in root.iter("testcase")] == ["a|b `c"]
    read_sarif(sarif_text([ODD]))
    (line,) = annotations_of([ODD])
    assert "\n" not in line
    assert "title=racewindow%3A a|b" in line
    page = markdown_text([ODD], 0, ["x|y"])
    assert sum(line.startswith("| ") for line in page.splitlines()) == 2
    assert "````text" in page


def test_a_place_that_cannot_be_found_is_none(racewindow: CommandLine) -> None:
    mine = str(Path("mine.py").absolute())

    assert place_of("mine.py:3 add", (mine, 1)) == ("mine.py", 3, "", "mine.py")
    assert place_of("gone.py:3 add", (mine, 1)) is None
    assert place_of("somewhere", (mine, 1)) is None
    found = place_of("racewindow_models/scenarios/paradex.py:3 x", (mine, 1))
    assert found is not None
    assert found.path.endswith("racewindow_models/scenarios/paradex.py")
    assert (found.name, found.is_inside) == ("racewindow_models/scenarios/paradex.py", False)


def test_what_races_in_a_package_is_shown_where_the_target_is_configured(racewindow: CommandLine) -> None:
    write_config('\n[[tool.racewindow.targets]]\ntarget = "aws-dns-plan"\n')
    ran = racewindow("ci", "--sarif", "log.sarif", "--github")
    (result,) = read_sarif(Path("log.sarif").read_text(encoding="utf-8"))

    assert is_location(result["locations"][0]) == ("pyproject.toml", 2)
    assert len(result["relatedLocations"]) == 2
    assert "::error file=pyproject.toml,line=2," in ran.out
    assert " at racewindow_models/" in ran.out


def test_a_failure_of_the_past_is_shown_at_its_source(racewindow: CommandLine) -> None:
    keep_failure()
    write_config('[[tool.racewindow.targets]]\ntarget = "others.py:fine"\nschedules = 1\n')
    assert racewindow("ci", "--sarif", "log.sarif").status == 1
    results = read_sarif(Path("log.sarif").read_text(encoding="utf-8"))

    assert [is_location(each["locations"][0]) for each in results] == [("moved.py", 5)]


def test_an_interrupted_run_writes_what_it_has(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    make_stale()
    write_config()

    def interrupted(*_: object, **__: object) -> Row:
        raise KeyboardInterrupt

    monkeypatch.setattr("racewindow.ci.running.run_target", interrupted)
    assert racewindow("ci", "--junit", "junit.xml").status == 130
    assert len(list(xml_of(Path("junit.xml").read_text(encoding="utf-8")).iter("testcase"))) == 1
