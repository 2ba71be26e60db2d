"""`docs/plan.md` says what is checked: its reference is made of the schema, and its examples are plans."""

from __future__ import annotations

import os
import re
from pathlib import Path

from racewindow_models.plan.checks import BOUNDED, CHECKS
from racewindow_models.plan.references import OF_PLANS
from racewindow_models.plan.system import EXCHANGE
from tests.harness.command_line import CommandLine, racewindow
from tests.models.plan_reference import reference

__all__ = ["racewindow"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plan.md"
BEGIN, END = "<!-- reference: made of the schema -->\n", "\n<!-- end of the reference -->"


def test_its_reference_is_that_of_the_schema() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    shown, _, after = rest.partition(END)
    page = f"\n{reference()}\n"
    if os.environ.get("RACEWINDOW_UPDATE_SNAPSHOTS"):
        PAGE.write_text(before + BEGIN + page + END + after, encoding="utf-8")
        return

    assert shown == page, "if that is meant: RACEWINDOW_UPDATE_SNAPSHOTS=1 pytest, and read the difference"


def test_its_steps_and_tables_are_those_of_the_template() -> None:
    """What the page shows of a plan is in the template, word for word."""
    shown = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert len(shown) > 1
    for block in shown:
        assert block in EXCHANGE.template or block in _examples(), block


def test_the_mistake_that_it_shows_is_told_so(racewindow: CommandLine) -> None:
    wrong = EXCHANGE.template.replace('do = "copy"', 'do = "cpy"')
    Path("tonight.toml").write_text(wrong, encoding="utf-8")

    assert f"```\n{racewindow('plan', 'check', 'tonight.toml').err}```" in PAGE.read_text(encoding="utf-8")


def _examples() -> str:
    folder = PAGE.parents[1] / "examples" / "plans"
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.toml")))


def test_it_explains_every_check_and_every_safeguard() -> None:
    text = PAGE.read_text(encoding="utf-8")

    for name in (*CHECKS, *BOUNDED, *OF_PLANS):
        assert f"`{name}`" in text, name
