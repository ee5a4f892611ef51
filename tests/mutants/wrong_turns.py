"""The wrong turns of an earlier system of this kind, each as one edit of our code and the test that must fail then.

All seventeen of its list are here.
"""

from typing import NamedTuple


class WrongTurn(NamedTuple):
    """A mistake that was made once, and who notices when it is made again."""

    turn: str
    """What went wrong there; the docstring of the test has these words too."""
    file: str
    old: str
    """Occurs once in the file."""
    new: str
    test: str
    """The test that must fail."""


RULES = "tests/reconciler/plan/retention/test_rules.py::"
ACT = "tests/reconciler/act/"
STATE = "tests/state/"

WRONG_TURNS = (
    WrongTurn(
        "config hash and code version were written by one writer and dropped by the other",
        "state/campaign_file.py",
        '        "config_hash": row.config_hash,\n',
        "",
        f"{STATE}test_campaign_file.py::test_a_new_campaigns_record_has_every_field_of_the_documents",
    ),
    WrongTurn(
        "the hash covered overrides only",
        "state/contract/run_config.py",
        "return sha256_of(msgspec.to_builtins(config))",
        "return sha256_of(msgspec.to_builtins(config.training))",
        "tests/reconciler/plan/configs/test_config_hash.py::test_a_change_in_any_layer_changes_the_hash",
    ),
    WrongTurn(
        "active pointer and symlink disagreed",
        "reconciler/act/derived.py",
        "    replace_link(layout.active_link, row.folder_name)\n",
        "    if not layout.active_link.is_symlink():\n        replace_link(layout.active_link, row.folder_name)\n",
        f"{ACT}test_campaigns.py::test_pointer_link_and_store_name_the_same_campaign",
    ),
    WrongTurn(
        "activating never demoted the old campaign",
        "reconciler/act/campaigns.py",
        'replace(row, status="paused") for row in demoted]',
        "replace(row) for row in demoted]",
        f"{ACT}test_campaigns.py::test_activating_demotes_the_campaign_that_was_active",
    ),
    WrongTurn(
        "a new id was the count of live campaigns plus one",
        "reconciler/app/committing/new.py",
        "number = 1 + max(used_numbers(environment, options, top, hero), default=0)",
        'number = 1 + len(list((top / "specs" / "campaigns" / hero).glob("*.yaml")))',
        "tests/reconciler/cli/test_writing_commands.py::test_a_number_that_was_ever_used_is_not_used_again",
    ),
    WrongTurn(
        "archiving into an existing folder nested it",
        "reconciler/act/archive.py",
        "        move_folder(source, target.folder)\n",
        '        __import__("shutil").move(source, target.folder)\n',
        f"{ACT}test_archive.py::test_archiving_never_nests_a_campaign_in_a_folder_of_that_name",
    ),
    WrongTurn(
        "the ledger was keyed by bare step",
        "state/store/schema.py",
        'Table("ledger", LedgerRow, ("sequence",)',
        'Table("ledger", LedgerRow, ("step",)',
        f"{STATE}store/test_tables.py::test_the_ledger_keeps_every_save_of_a_step",
    ),
    WrongTurn(
        "the ledger was keyed by bare step, retention too",
        "reconciler/plan/retention/history.py",
        "_check_unique(list(zip(segments, steps, strict=True))",
        "_check_unique(list(steps)",
        f"{RULES}test_the_ledger_key_is_segment_and_step",
    ),
    WrongTurn(
        "the sidecar was written before the rename",
        "reconciler/act/archive.py",
        "    _move_folder(source.folder, target, row)\n    _rewrite_sidecars(tools, row, source.folder, target)\n",
        "    _rewrite_sidecars(tools, row, source.folder, target)\n    _move_folder(source.folder, target, row)\n",
        f"{ACT}test_archive.py::test_ledger_sidecar_and_row_name_the_new_place",
    ),
    WrongTurn(
        "best-by-accuracy returned the worst",
        "reconciler/app/looking/ledger_queries.py",
        'sign = 1.0 if direction_of(metric) == "higher" else -1.0',
        "sign = -1.0",
        "tests/reconciler/app/looking/test_ledger_queries.py::test_best_accuracy_in_a_skill_is_the_highest",
    ),
    WrongTurn(
        "best-by-accuracy returned the worst, and retention kept it",
        "reconciler/plan/retention/keep_rules.py",
        'best.direction == "lower"',
        "bool(best.direction)",
        f"{RULES}test_accuracy_is_better_when_higher_and_loss_when_lower",
    ),
    WrongTurn(
        "the best was for ever the last before a harder quest: losses on other rows were compared",
        "reconciler/app/looking/ledger_queries.py",
        'return (item for item in has if (item.measured_on or "") == newest)',
        "return iter(has)",
        "tests/reconciler/app/looking/test_ledger_queries.py::"
        "test_held_out_losses_are_compared_on_the_rows_that_were_measured_on_last",
    ),
    WrongTurn(
        "the best of a harder quest was dropped, as easier rows had a lower loss",
        "reconciler/plan/retention/keep_rules.py",
        "newest = best_positions(history, best, alike)",
        "newest = best_positions(history, best, history.healthy)",
        "tests/reconciler/plan/retention/test_held_out_rows.py::"
        "test_the_best_of_a_harder_quest_stays_though_an_easier_one_had_lower_losses",
    ),
    WrongTurn(
        "merge-on-save brought deleted entries back",
        "state/formats.py",
        "return record | {key: value for key, value in existing.items() if key not in record}",
        "return _merged(record, existing)\n\n\ndef _merged(new: Any, old: Any) -> Any:\n"
        "    if not (isinstance(new, dict) and isinstance(old, Mapping)):\n        return new or old\n"
        "    return {key: _merged(new.get(key), old.get(key)) for key in {**old, **new}}",
        f"{STATE}test_campaign_file.py::test_milestones_that_left_the_spec_do_not_come_back_from_the_file",
    ),
    WrongTurn(
        "four retention engines and the training library's own limit shared one folder",
        "trainer/checkpoints/save.py",
        "        publish_folder(staging, final)\n",
        "        publish_folder(staging, final)\n"
        '        for older in sorted(folder.glob("checkpoint-*")):\n'
        '            older != final and __import__("shutil").rmtree(older)\n',
        "tests/trainer/checkpoints/test_save.py::test_a_save_leaves_every_earlier_checkpoint_alone",
    ),
    WrongTurn(
        "a size cap deleted every checkpoint, newest included",
        "reconciler/plan/retention/protections.py",
        "    yield from _newest(history)\n",
        "",
        f"{RULES}test_the_newest_stays_whatever_the_rules_say",
    ),
    WrongTurn(
        "deleting step 100 matched 1000 and 10000",
        "reconciler/act/trash.py",
        "    folder = folder_of(tools, action.campaign_uid, action.campaign, action.sequence)\n    begun = _stone",
        "    folder = folder_of(tools, action.campaign_uid, action.campaign, action.sequence)\n"
        '    folder = max(folder.parent.glob(f"{folder.name}*"))\n    begun = _stone',
        f"{ACT}test_trash.py::test_dropping_step_7_leaves_step_70_and_700",
    ),
    WrongTurn(
        "deleting step 100 matched 1000 and 10000, as a pin of one held all",
        "reconciler/plan/retention/protections.py",
        "map(reasons.__contains__, history.ids)",
        "[any(map(one.startswith, reasons)) for one in history.ids]",
        f"{RULES}test_a_pin_holds_the_checkpoint_that_it_names_and_no_other",
    ),
    WrongTurn(
        '"training" stayed in the status file for days after the process died',
        "state/status_files.py",
        'if last.state != "ended":',
        "if last is not None:",
        f"{STATE}test_status_files.py::test_training_is_said_only_while_a_run_is_open",
    ),
    WrongTurn(
        "jobs pointed at checkpoints that retention had deleted",
        "reconciler/plan/keeping/kept.py",
        'if job.status in ("queued", "processing") and job.start_step is not None:',
        "if False:",
        "tests/reconciler/plan/keeping/test_kept.py::test_what_an_open_job_began_from_is_needed",
    ),
    WrongTurn(
        "evaluations of one level counted for the next",
        "state/examinations.py",
        "of_level = counts.setdefault((result.level, result.version), [])",
        "of_level = counts.setdefault((0, result.version), [])",
        f"{STATE}test_examinations.py::test_an_examination_counts_for_the_level_that_it_was_of_and_for_no_other",
    ),
    WrongTurn(
        "today's date went into training text",
        "trainer/data/templates.py",
        'environment.globals["strftime_now"] = _refuse_the_clock',
        'environment.globals["strftime_now"] = __import__("time").strftime',
        "tests/trainer/data/test_rendering.py::test_a_template_that_cannot_be_learnt_from_is_refused_with_the_row",
    ),
)
