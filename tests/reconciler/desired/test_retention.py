"""`specs/retention.yaml`: what loads, and what is a mistake, in a person's words."""

import pytest

from reconciler.desired.loading import load
from reconciler.desired.metrics import direction_of
from reconciler.desired.parse_cache import NoCache

PATH = "specs/retention.yaml"


def said(mistakes) -> list[str]:
    return [f"{one.where}: {one.sentence}" for one in mistakes]


def test_the_example_of_the_documents_loads(tree, small) -> None:
    small[PATH] = """\
campaigns:
  active:
    keep_checkpoints: 40
    keep_best: [{metric: val_loss, count: 3}, {metric: accuracy/bin, count: 1}]
    keep_every: 10000
    keep_all_ledger_entries: true
  archived:
    keep_best_checkpoint: true
    keep_final_checkpoint: true
    delete_intermediate: true
    keep_metrics: forever
trash: {asked: 72h, rolled: 1h}
"""
    retention = load(tree(small), NoCache()).retention
    assert retention is not None
    assert retention.spec.campaigns.active.keep_checkpoints == 40
    assert retention.spec.campaigns.archived.delete_intermediate
    assert retention.where("campaigns", "active", "keep_every") == "specs/retention.yaml:5"


def test_every_rule_pins_and_tags_load(tree, small) -> None:
    small[PATH] = """\
campaigns:
  active: {keep_hourly: 24, keep_daily: 7, keep_weekly: 4, keep_monthly: -1, keep_yearly: -1, keep_within: 30d,
    keep_tags: [release], keep_best: [{metric: f1, direction: higher, count: 2}]}
pins: [pip/campaign-001@500]
tags: {release: [pip/campaign-001@1000]}
minimum_age: 30m
"""
    spec = load(tree(small), NoCache()).retention.spec
    assert (spec.pins, spec.tags) == (("pip/campaign-001@500",), {"release": ("pip/campaign-001@1000",)})


def test_without_the_file_there_is_no_retention(tree, small) -> None:
    assert load(tree(small), NoCache()).retention is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("campaigns: {active: {keep_all_ledger_entries: true}}",
         ":1:13: active keeps nothing: every checkpoint but the protected ones would be deleted;"
         " give it a rule such as keep_checkpoints: 40, or remove it to keep everything"),
        ("campaigns: {active: {keep_checkpoints: 0, keep_daily: 0}}", ":1:13: active keeps nothing"),
        ("campaigns: {active: {keep_best: [{metric: val_loss, count: 0}]}}", ":1:13: active keeps nothing"),
        ("campaigns: {archived: {delete_intermediate: true}}", ":1:13: archived keeps nothing"),
        ("campaigns: {active: {keep_checkpoints: 1, keep_best: yes}}",
         ':1:54: is "yes" (a string); expected a list, for example [{metric: ...}]'),
        ("campaigns: {active: {keep_best: [{metric: f1}]}}",
         ':1:43: "f1" is no metric; known: train_loss, val_loss, perplexity, accuracy/<skill>; '
         "a metric of your own needs direction: lower or direction: higher"),
        ("campaigns: {active: {keep_best: [{metric: val_los}]}}",
         ':1:43: "val_los" is no metric; known: train_loss, val_loss, perplexity, accuracy/<skill>; '
         'a metric of your own needs direction: lower or direction: higher; did you mean "val_loss"?'),
        ("campaigns: {active: {keep_best: [{metric: acuracy/bin}]}}",
         ':1:43: "acuracy/bin" is no metric; known: train_loss, val_loss, perplexity, accuracy/<skill>; '
         'a metric of your own needs direction: lower or direction: higher; did you mean "accuracy/bin"?'),
        ("campaigns: {active: {keep_best: [{metric: accuracy/bin, direction: lower}]}}",
         ":1:68: is lower; of accuracy/bin the higher values are better; remove the line"),
        ("campaigns: {active: {keep_best: [{metric: accuracy/bon}]}}",
         ':1:43: "bon" is not the id of a skill; known: bin; did you mean "bin"?'),
        ("campaigns: {active: {keep_best: [{metric: a b}]}}", ':1:43: is "a b"; expected a metric such as val_loss'),
        ("campaigns: {active: {keep_checkpoints: -2}}", ":1:40: must be at least -1 (got -2)"),
        ("campaigns: {active: {keep_checkpoint: 2}}", ':1:22: misspelt key "keep_checkpoint"; did you mean "keep_checkpoints"?'),
        ("campaigns: {active: {keep_checkpoints: 2, keep_all_ledger_entries: false}}",
         ":1:68: is false; what is known of a checkpoint is never deleted; say true, or remove the line"),
        ("campaigns: {archived: {keep_metrics: 30d}}", ':1:38: is "30d"; known: forever'),
        ("trash: {asked: 23h}", ":1:16: is 23h; expected at least 24h"),
        ("trash: {rolled: 9m}", ":1:17: is 9m; expected at least 10m"),
        ("copies: {to: [/mnt/a, nas]}", ':1:23: is "nas"; expected the absolute path of a folder, without ..'),
        ("copies: {to: [/mnt/a, /mnt/a], min_copies: 3}",
         ":1:44: is 3, the one in the root counted, but copies.to names 1; name a folder on another disk for each"),
        ("scrub: {every: 59m}", ":1:16: is 59m; expected at least 1h"),
        ("scrub: {rate: fast}", ':1:15: is "fast"; expected an amount a second such as 50MB/s or 1GB/s'),
        ("pins: [pip/campaign-001@1e3]", ':1:8: is "pip/campaign-001@1e3"; expected <hero>/<campaign>@<step>'),
        ("pins: [pip/campaign-001@007]", ':1:8: is "pip/campaign-001@007"; expected <hero>/<campaign>@<step>'),
        ("pins: [a/b@1, a/b@1]", ':1:15: "a/b@1" stands here twice'),
        ("tags: {x: [a/b@1, a/b@1]}", ':1:19: "a/b@1" stands here twice'),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_place_and_what_to_do(mistakes_in, small, text, sentence) -> None:
    small[PATH] = text + "\n"
    [found] = said(mistakes_in(small))
    assert found.startswith(PATH + sentence)


def test_a_metric_of_ones_own_is_fine_with_its_direction(tree, small) -> None:
    small[PATH] = "campaigns: {active: {keep_best: [{metric: f1, direction: higher}]}}\n"
    assert load(tree(small), NoCache()).retention is not None


def test_rules_that_delete_nothing_need_no_rule(tree, small) -> None:
    small[PATH] = "campaigns: {archived: {keep_metrics: forever}}\n"
    assert load(tree(small), NoCache()).retention is not None


@pytest.mark.parametrize(
    ("metric", "direction"),
    [("val_loss", "lower"), ("perplexity", "lower"), ("accuracy", "higher"), ("accuracy/sy", "higher"), ("f1", None)],
)  # fmt: skip
def test_the_direction_of_a_metric_is_that_of_its_name(metric, direction) -> None:
    """Kills: best-by-accuracy returned the worst."""
    assert direction_of(metric) == direction
