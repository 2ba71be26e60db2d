"""Cloudflare, Knight and TSB: what is rolled out in part, what is seen of it, and repairs that make it worse."""

from __future__ import annotations

import pytest

from racewindow import Event
from racewindow_faults import Pause, Skip
from racewindow_models.scenarios.cloudflare_killswitch import cloudflare_killswitch
from racewindow_models.scenarios.cloudflare_rollout import cloudflare_rollout
from racewindow_models.scenarios.knight_partial_rollout import knight_partial_rollout
from racewindow_models.scenarios.tsb_cutover import tsb_cutover
from tests.models.incidents import happens, said, searched, violated


def test_cloudflare_a_query_that_names_its_database_changes_nothing() -> None:
    """The control: the same rollout over the same nodes, with one row for each feature whoever answers."""
    assert searched(cloudflare_rollout, copies=1).verdict == "complete"


def test_cloudflare_a_file_below_the_limit_is_no_failure() -> None:
    """Twice or three times as large is more than normal, and still fits."""
    assert searched(cloudflare_rollout, copies=3).verdict == "complete"


@pytest.mark.parametrize("safeguard", ["keep_last_good", "validate_at_builder"])
def test_cloudflare_the_proxy_that_starts_with_nothing_has_no_bad_file_either(safeguard: str) -> None:
    def is_bad(event: Event) -> bool:
        data = event.data
        return event.kind == "config.activated" and data["consumer"] == "proxy-new" and data["rows"] > data["limit"]

    assert happens(cloudflare_rollout, is_bad)
    assert not happens(cloudflare_rollout, is_bad, safeguard)


def test_cloudflare_a_new_proxy_without_a_last_good_file_does_not_serve() -> None:
    def has_none(event: Event) -> bool:
        return event.kind == "guard.kept" and event.data["what"] == "does not serve, having no other"

    assert happens(cloudflare_rollout, has_none, "keep_last_good")


def test_cloudflare_a_canary_with_the_rows_of_a_good_node_lets_the_next_file_through() -> None:
    assert "file 2 (rows of node-1), which has 240 rows" in said(
        searched(cloudflare_rollout, "canary"), "config_valid_before_activate"
    )


def test_cloudflare_a_rule_that_no_proxy_needs_can_be_switched_off() -> None:
    """The control: the same switch, everywhere at once."""
    result = searched(cloudflare_killswitch, rule_in_use=False)
    assert result.verdict == "complete"
    assert happens(cloudflare_killswitch, lambda event: event.kind == "switch.off", rule_in_use=False)


def test_knight_the_repair_breaks_the_servers_that_were_well() -> None:
    assert said(searched(knight_partial_rollout), "repair_no_worse") == (
        "desk takes the new code off at 735 s, which breaks server-1 and server-2 as well"
    )


def test_knight_a_switch_in_the_step_that_sends_is_pulled_before_anything_is_sent_twice() -> None:
    """By old code, in some orders; the orders before it and the servers with new code are not harmed."""

    def is_pulled(event: Event) -> bool:
        return event.kind == "switch.pulled"

    def is_second(event: Event) -> bool:
        return event.kind == "order.executed" and event.data["sent"] > event.data["quantity"]

    assert happens(knight_partial_rollout, is_pulled, "kill_switch")
    assert not happens(knight_partial_rollout, is_second, "kill_switch")
    assert not happens(knight_partial_rollout, lambda event: event.kind == "repair.done", "kill_switch")
    assert not happens(knight_partial_rollout, is_pulled, "kill_switch", "version_check")


def test_knight_a_server_that_is_left_out_of_the_rollout_is_enough() -> None:
    """As it was in fact; the check of all servers finds it, and so the market opens without the flag."""
    fault = Skip(target="technician")
    assert "no_overexecution" in violated(searched(knight_partial_rollout, faults=fault))
    assert not violated(searched(knight_partial_rollout, "version_check", faults=fault))


def test_knight_with_all_servers_on_the_list_the_flag_is_on_and_all_is_well() -> None:
    """The control is an order: the check that closes it refuses nothing that is right."""

    def is_on(event: Event) -> bool:
        return event.kind == "config.activated" and event.data["consumer"] == "server-3"

    assert happens(knight_partial_rollout, is_on, "version_check")


def test_tsb_a_staged_cutover_bounds_the_harm_and_is_no_check() -> None:
    assert violated(searched(tsb_cutover, "staged_cutover", customers=3)) == {
        "validate_before_exit",
        "config_valid_before_activate",
    }


def test_tsb_the_way_back_holds_however_long_a_site_is_not_complete() -> None:
    """With a provisioner that stands still for hours, one customer of three is turned away, and the others go back."""
    fault = Pause(target="provisioner-dc-2", seconds=4 * 3_600)
    result = searched(tsb_cutover, "staged_cutover", faults=fault, customers=3)
    assert "config_valid_before_activate" in violated(result)
    assert "few_turned_away" not in violated(result)
    assert happens(tsb_cutover, lambda event: event.kind == "customer.old", "staged_cutover")


def test_tsb_every_customer_is_served_once_every_site_has_been_tried() -> None:
    assert happens(
        tsb_cutover,
        lambda event: event.kind == "customer.served" and event.data["site"] == "dc-2",
        "independent_validation",
    )
