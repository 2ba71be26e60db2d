"""A plan with a mistake gets file, line, key, what was expected and the nearest valid name, whatever the mistake is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from racewindow.plans import load_plan
from racewindow_models.plan.system import EXCHANGE
from tests.harness.command_line import CommandLine, racewindow
from tests.models.plan_mistakes import CATALOGUE, Mistake

__all__ = ["racewindow"]


def template_with(mistake: Mistake) -> str:
    """The template with the mistake; what is replaced has to be there."""
    assert mistake.old in EXCHANGE.template, mistake.kind
    return EXCHANGE.template.replace(mistake.old, mistake.new, 1)


@pytest.mark.parametrize("mistake", CATALOGUE, ids=lambda each: each.kind)
def test_a_mistake_is_told_with_file_line_key_what_was_expected_and_the_nearest_name(
    mistake: Mistake,
    racewindow: CommandLine,
) -> None:
    text = template_with(mistake)
    Path("p.toml").write_text(text, encoding="utf-8")

    ran = racewindow("plan", "check", "p.toml")

    assert (ran.status, ran.out) == (2, "")
    assert "the plan p.toml has" in ran.err
    assert "racewindow plan check p.toml" in ran.err
    told = " ".join(ran.err.split())
    key = f", {re.escape(mistake.key)}" if mistake.key else ""
    found = re.search(rf"line (\d+), column (\d+){key}: ([^;]*); expected (.*?)\.(?: did| line| Do|$| [a-z])", told)
    assert found is not None, ran.err
    line, column = int(found[1]), int(found[2])
    assert mistake.wrong in told
    assert mistake.expected in told
    assert not mistake.nearest or f"did you mean {mistake.nearest!r}?" in told
    assert_points_at(text.splitlines()[line - 1][column - 1 :], mistake)


def assert_points_at(rest: str, mistake: Mistake) -> None:
    """Line and column are those of the key, of the element of a list, or of the table that lacks a key."""
    last = mistake.key.rpartition(".")[2]
    if not mistake.key or "' is missing" in mistake.wrong:
        return
    assert rest.startswith(('"', "[[") if last.endswith("]") else (last, f"{last} ")), (rest, mistake.key)


def test_there_are_more_than_thirty_kinds() -> None:
    assert len({mistake.kind for mistake in CATALOGUE}) == len(CATALOGUE) > 50


def test_the_template_fits_a_terminal() -> None:
    assert max(map(len, EXCHANGE.template.splitlines())) <= 80


def test_the_template_has_none(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(EXCHANGE.template, encoding="utf-8")

    assert load_plan(str(path)).scenario.name == "p"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(racewindow: CommandLine) -> None:
    text = EXCHANGE.template.replace('tick = "5 s"', "tick = 5").replace('max_age = "15 s"', "maxage = 3")
    Path("p.toml").write_text(text, encoding="utf-8")

    ran = racewindow("plan", "check", "p.toml")

    assert ran.err.startswith("racewindow: the plan p.toml has 2 mistakes.")
    assert ran.err.index("feed.tick") < ran.err.index("exchange.maxage")


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Some editors put one there, and nobody sees it."""
    path = tmp_path / "p.toml"
    path.write_text(EXCHANGE.template, encoding="utf-8-sig")

    assert load_plan(str(path)).scenario.name == "p"


def test_what_a_safeguard_does_is_told_as_it_is_in_this_plan(racewindow: CommandLine) -> None:
    """A writer that is ready when it is started does not wait for its loader, whatever asks it."""
    for ready, so in (("loaded", False), ("started", True)):
        Path("p.toml").write_text(EXCHANGE.template.replace('ready = "loaded"', f'ready = "{ready}"'), encoding="utf-8")

        told = " ".join(racewindow("plan", "check", "p.toml").out.split())

        assert ("here says so as soon as it is started" in told) == so


def test_a_wrong_key_of_a_bound_is_not_told_as_if_true_or_false_had_been_meant(racewindow: CommandLine) -> None:
    bound = 'safe_to_leave = true\neventually_reopens = { withn = "5 min" }'
    Path("p.toml").write_text(EXCHANGE.template.replace("safe_to_leave = true", bound), encoding="utf-8")

    told = racewindow("plan", "check", "p.toml").err

    assert "did you mean 'within'?" in told
    assert "true or false" not in told


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("nothing.toml", None, "does not exist"),
        ("latin.toml", "plan = 1 # ä".encode("latin-1"), "it is not text in UTF-8"),
    ],
)
def test_a_file_that_is_no_plan_is_named(
    name: str,
    content: bytes | None,
    told: str,
    racewindow: CommandLine,
) -> None:
    if content is not None:
        Path(name).write_bytes(content)

    for command in (("plan", "check"), ("explore",)):
        ran = racewindow(*command, name)

        assert (ran.status, ran.out) == (2, "")
        assert f"the plan {name}" in ran.err and told in ran.err
