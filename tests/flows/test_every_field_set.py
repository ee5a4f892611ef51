"""With every field of the specs set, apply comes to an end: what is written is what a file gives back.

A tuple is a list in a file, a struct an object: what compares the two as they are writes for ever.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from edits import new_world
from lab import realm, tiny_hero
from worlds import check_nothing_is_left

NAME = "one/campaign-001"
SHARED = {"version": "2", "labels": {"team": "a"}}
UNSET = {
    "suspend",  # nothing is done then
    *(
        "was",
        "state",
        "keep",
        "export_to",
        "starting_checkpoint",
        "rewind",
    ),  # other flows are about each of them
    *("save_steps", "optimizer_type", "load_in_4bit"),  # older names of what is set
    *(
        "steps",
        "schedule_updates",
        "final_rate_ratio",
    ),  # beside updates; the rate of a release stays before it
}
"""Fields of a campaign and of its settings that are absent here, with why."""
SETTINGS: dict[str, Any] = {
    "precision": "fp32",
    "batch_size": 2,
    "gradient_accumulation": 1,
    "optimizer": "muon",
    "method": "lora",
    "lora": {"rank": 4, "alpha": 8, "dropout": 0, "target_modules": ["v_proj", "q_proj"]},
    "learning_rate": 1e-3,
    "lr_scheduler": "wsd",
    "warmup_steps": 0,
    "max_length": 64,
    "weight_decay": 0,
    "weight_decay_on": "all",
    "adam_beta1": 0.9,
    "adam_beta2": 0.95,
    "adam_epsilon": 1e-12,
    "muon_learning_rate": 0.02,
    "muon_momentum": 0.95,
    "clip": 1,
    "seed": 2**53 - 1,
    "gradient_checkpointing": "auto",
    "packing": False,
    "compile": False,
    "evaluation": {
        "every_updates": 2,
        "max_rows": 4,
        "held_out": {"file": "data/held.jsonl", "fields": {"prompt": "p", "completion": "c"}},
    },
    "checkpoint": {"every_updates": 2, "every_minutes": 15},
    "loss_guard": {
        "enabled": True, "window": 64, "warm_up": 8, "deviations": 1_000_000, "least_nats": 0,
        "skips": 3, "per_updates": 100, "rollbacks": 1, "rate_factor": 1,
    },
    "save_total_limit": 3,
    "liger_kernel": {
        "enabled": False, "fused_rope": False, "fused_rms_norm": False, "fused_swiglu": False,
        "fused_linear_cross_entropy": False,
    },
}  # fmt: skip
CAMPAIGN: dict[str, Any] = {
    **SHARED,
    "id": "campaign-001",
    "name": "Größer",
    "description": "two\nlines\u2028",
    "skills_focus": ["copy"],
    "goal": {"updates": 500, "tokens": 10**15, "quests": 9},
    "config_overrides": SETTINGS,
    "milestones": [{"step": 2, "note": "first", "date": "2026-01-31"}],
    "releases": [{"at": 2, "updates": 2, "to": 1, "note": "out"}],
}


def specs(world: Any) -> dict[str, dict[str, Any]]:
    command = ["python", "-I", "-S", str(world.lab.home / "maker.py")]
    quests = [
        {"id": "a", "file": "data/a.jsonl", "epochs": 2, "priority": "high", "for": [NAME], "on_edit": "ignore",
         "allow_leakage": {"held-out": "shared"}},
        {"id": "b", "skill": "copy", "level": 1, "count": 6, "seed": 1, "for": ["one"]},
    ]  # fmt: skip
    rules = {"keep_checkpoints": 2, "keep_best": [{"metric": "val_loss", "direction": "lower", "count": 2}]}
    hero = tiny_hero("one") | SHARED | {"skills_affinity": ["copy"], "display": {"color": "#00ff00"}}
    return {
        "realm": realm(NAME, **SHARED, name="Flow"),
        "queue": {**SHARED, "quests": quests, "healthy_depth": 2},
        "skills/copy": {"id": "copy", "max_level": 3, "source": {"command": command}, "tags": ["x", "y"]},
        "heroes/one": hero,
        f"campaigns/{NAME}": CAMPAIGN,
        "retention": {**SHARED, "campaigns": {"active": rules}, "tags": {"good": [f"{NAME}@2"]}},
    }


def unset(record: msgspec.Struct) -> Iterator[str]:
    """Yield the fields that say nothing, of a spec and of all that it holds."""
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        parts = value if isinstance(value, tuple) else (value,)
        if value is None or value in ((), {}):
            yield field.name
        for part in parts:
            if isinstance(part, msgspec.Struct):
                yield from unset(part)


def test_with_every_field_of_a_campaign_set_a_second_tick_writes_nothing(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.lab.write("data/held.jsonl", '{"p": "1+1", "c": "2"}\n')
    world.commit(specs(world))
    world.apply()
    assert {*unset(world.plan().desired.campaigns[NAME].spec)} == UNSET
    plan = check_nothing_is_left(world)
    assert plan.blocked == ()
    assert world.apply() == 1
    assert {row.step for row in world.lab.ledger(NAME)} > {2, 4}
