"""Runs of a case: what a trainer says of itself, its orders, and the config that is in force."""

from collections.abc import Mapping
from typing import Any

import msgspec
from case_constants import EARLIER

from reconciler.observed.records import RunFacts
from state.contract.effective import EffectiveRun
from state.contract.exit import RunExit
from state.contract.orders import ConfigInForce, Orders, QuestOrder, RowShape
from state.contract.process import ProcessIdentity
from state.contract.run_config import RunConfig
from state.contract.status import RunStatus
from state.ids import job_uid
from state.store.in_force import in_force
from state.store.rows import RunRow


def with_values(config: Any, changed: Mapping[str, Any]) -> Any:
    """Return the config with some of its values replaced, by dotted key."""
    values = msgspec.to_builtins(config)
    for key, value in changed.items():
        *sections, last = key.split(".")
        inner = values
        for section in sections:
            inner = inner[section]
        inner[last] = value
    return msgspec.convert(values, type(config))


def config_of_row(row: RunRow) -> ConfigInForce:
    now = in_force(row)
    config = msgspec.json.decode(now.config_json, type=RunConfig)
    return ConfigInForce(
        generation=now.generation, config=config, config_hash=now.config_hash, specs_commit=now.specs_commit
    )


def effective_run(row: RunRow, changed: Mapping[str, Any]) -> EffectiveRun:
    """Return the report of a trainer that uses what it was asked for, but for what the case says."""
    config = with_values(msgspec.json.decode(in_force(row).config_json, type=RunConfig), changed)
    return EffectiveRun(
        written_at=EARLIER,
        config_hash=in_force(row).config_hash,
        config=config,
        device="cpu",
        device_name=None,
        threads=2,
        torch_version="2",
        num_parameters=1,
    )


def run_status(words: Mapping[str, Any]) -> RunStatus:
    usual = {
        "phase": "training",
        "updated_at": EARLIER,
        "orders_sequence": 1,
        "step": 1,
        "takes_config": True,
    }
    return msgspec.convert(usual | dict(words), RunStatus)


def seen_run(uid: str, row: RunRow, words: Mapping[str, Any]) -> RunFacts:
    left = words.get("exit")
    return RunFacts(
        folder=f"g{row.generation}-a{row.attempt}",
        generation=row.generation,
        attempt=row.attempt,
        has_request=True,
        claimed=True,
        process=ProcessIdentity(
            pid=42, boot_id="b", start_ticks=1, cookie=words.get("cookie", "cookie"), claimed_at=EARLIER
        ),
        alive=words.get("alive", False),
        unreachable=words.get("unreachable", False),
        status=run_status(words["status"]) if "status" in words else None,
        exit=RunExit(
            exited_at=EARLIER, **({"message": "left", "last_checkpoint_step": None, "step": 0} | left)
        )
        if left
        else None,
        exit_file=words.get("exit_file", "exit.json"),
        orders=_orders(uid, row, words) if "orders" in words else None,
        effective=effective_run(row, words["effective"]) if "effective" in words else None,
        problems=tuple(words.get("problems", ())),
    )


def _orders(uid: str, row: RunRow, words: Mapping[str, Any]) -> Orders:
    quests = tuple(
        QuestOrder(
            quest_id=quest,
            job_uid=job_uid(uid, quest),
            digest="d",
            path="p",
            num_rows=10,
            shape=RowShape(),
            epochs=1,
            priority="normal",
        )
        for quest in words["orders"]
    )
    has_config = row.told_generation is not None and words["told"].get("given", True)
    return Orders(
        sequence=1,
        quests=quests,
        goal_updates=words.get("goal"),
        pause=words.get("pause", False),
        save=words.get("save", 0),
        config=config_of_row(row) if has_config else None,
    )


def with_run(world, launch):
    """Return the world with a run alike that made 100 updates in 100 seconds with 500 joules."""
    run = RunRow(
        campaign_uid="u", generation=1, attempt=1, state="ended", cookie="c", config_hash="h",
        config_json=msgspec.json.encode(launch.config).decode(), code_version="v", specs_commit="c",
        device=launch.device, resume_step=None, launched_at="2026-01-01T00:00:00Z", energy_joules=500.0,
        ended_at="2026-01-01T00:10:00Z", num_updates=100, num_tokens=5000, busy_seconds=100.0,
    )  # fmt: skip
    store = msgspec.structs.replace(world.facts.store, runs=(run,))
    return msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, store=store))
