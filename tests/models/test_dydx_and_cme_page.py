"""The page about dYdX and CME names everything that can be switched on or is checked, and sets what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from racewindow import Scenario
from racewindow_models.scenarios.cme_failover import cme_failover
from racewindow_models.scenarios.dydx_settlement import dydx_settlement
from racewindow_models.scenarios.dydx_stale_oracle import dydx_stale_oracle

PAGE = (Path(__file__).parents[2] / "docs" / "dydx-and-cme.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("scenario", [dydx_settlement, dydx_stale_oracle, cme_failover], ids=lambda each: each.name)
def test_the_page_explains_every_safeguard_and_checker_and_sets_what_there_is(scenario: Scenario) -> None:
    _, found, section = PAGE.partition(f"\n## `{scenario.name}`")
    assert found
    section = section.partition("\n## ")[0]
    names = {*scenario.safeguards, *(each.name for each in scenario.checks)}
    assert {name for name in names if f"`{name}`" not in section} == set()
    assert scenario.resolve_params(dict(re.findall(r"`(\w+)=(\w+)`", section)))
