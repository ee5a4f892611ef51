"""New orders for a trainer: whole, never older, never for a run that is over."""

from typing import Any

import msgspec
import pytest

from reconciler.plan import actions as a
from state.contract.files import read
from state.contract.orders import Orders
from state.contract.request import config_hash

CODE = "c" * 40


def test_new_orders_replace_the_old_ones(realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.orders(2, pause=True, goal_updates=9, job_uids=()))

    orders = read(realm.run.orders, Orders)
    assert (orders.sequence, orders.pause, orders.goal_updates, orders.quests) == (2, True, 9, ())


def test_the_jobs_of_new_orders_know_which_launch_trains_them(realm: Any, make: Any) -> None:
    _, told = realm.done(make.launch(job_uids=()), make.orders(2))

    assert told == "orders 2: 1 quest"
    (job,) = realm.view().jobs
    assert (job.config_hash, job.git_commit) == (config_hash(make.config), CODE)


def test_orders_name_the_persons_file_and_where_a_later_part_of_it_begins(realm: Any, make: Any) -> None:
    parts = [
        make.enqueue(job_uid=f"part{part}", quest_id="grown", part=part, follows=part > 1)
        for part in (1, 2, 3)
    ]
    realm.done(*parts, make.launch(job_uids=("part3", "part1")))

    third, first = read(realm.run.orders, Orders).quests

    assert (first.origin, first.first_row) == ("/data/sums.jsonl", 0)
    assert (third.origin, third.first_row) == ("/data/sums.jsonl", 6)


def test_orders_are_never_older_than_those_given(realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.orders(3, goal_updates=9))

    outcome = realm.fails(make.orders(2, pause=True))

    assert "has orders 3 already, the plan made 2" in outcome.text


def test_orders_from_which_a_quest_had_to_be_left_out_again_are_not_written_again(
    realm: Any, make: Any
) -> None:
    realm.done(make.launch())
    before = realm.run.orders.read_bytes()

    assert realm.done(make.orders(2, job_uids=(make.job, "ghost"))) == ["orders 1 say so already"]

    assert realm.run.orders.read_bytes() == before


def test_a_stopping_run_takes_no_new_orders(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    orders = read(realm.run.orders, Orders)
    realm.run.orders.write_bytes(msgspec.json.encode(msgspec.structs.replace(orders, stop="enough")))

    assert "is stopping (enough); it takes no new orders" in realm.fails(make.orders(2)).text


@pytest.mark.parametrize("action", ["orders", "confirm"])
def test_a_run_that_is_over_takes_nothing_more(action: str, realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.close("never_started"))

    late = make.orders(2) if action == "orders" else a.ConfirmRun(**make.key, pid=1)

    assert "is over (never_started); planned again" in realm.fails(late).text


def test_a_live_change_is_known_to_store_and_campaign_file_before_the_trainer_reads_it(
    realm: Any, make: Any
) -> None:
    action = make.live_orders(2)
    _, told = realm.done(make.launch(), action)

    assert told == f"orders 2: 1 quest, config {action.config.config_hash[7:15]}"
    given = read(realm.run.orders, Orders).config
    assert given == action.config
    (row,) = realm.rows("runs")
    assert (row["told_generation"], row["told_config_hash"]) == (2, given.config_hash)
    assert (row["generation"], row["config_hash"]) == (1, make.launch().config_hash)
    expected = {"config_hash": given.config_hash, "specs_commit": given.specs_commit}
    campaign = realm.json(realm.layout.campaign(make.campaign).record)
    (job,) = realm.rows("jobs")
    (kept,) = (one for one in realm.rows("campaigns") if one["uid"] == make.uid)
    for place in (campaign, job, kept):
        assert {name: place[name] for name in expected} == expected
    assert kept["generation"] == 2
