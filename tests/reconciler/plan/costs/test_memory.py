"""What a run needs is estimated, or measured where a run like it told its peak; it is never guessed."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from reconciler.cli.text_cost import memory_lines
from reconciler.observed.facts import CampaignFacts
from reconciler.observed.machine_records import Gpu, GpuInventory
from reconciler.observed.model_records import ModelFacts, PretrainedConfig
from reconciler.observed.records import RunFacts
from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.costs.memory import RunMemory, is_probed_first, memory_of
from state.contract.memory_need import FIRST_USE, LIBRARIES, memory_need, shape_of, tokens_at_once
from state.contract.run_config import (
    ChatConfig,
    CheckpointConfig,
    EvaluationConfig,
    ModelConfig,
    RunConfig,
    TokenizerConfig,
    TrainingConfig,
)
from state.contract.status import RunStatus
from state.host_memory import HostMemory
from state.store.rows import CampaignRow, RunRow

NAME, HASH = "dio/campaign-001", "sha256:" + "1" * 64
QWEN3_600M = {
    "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8,
    "head_dim": 128, "intermediate_size": 3072, "tie_word_embeddings": True,
}  # fmt: skip


def a_launch(device: str = "cuda:0", sizes: dict[str, Any] = QWEN3_600M) -> Change:
    config = RunConfig(
        model=ModelConfig(
            init="scratch", base_model=None, family="qwen3", architecture="Qwen3ForCausalLM",
            vocab_size=151_936, max_context_length=2048, config=sizes,
        ),
        tokenizer=TokenizerConfig(kind="bytes", digest="d"),
        chat=ChatConfig(template="chatml", digest="d"),
        training=TrainingConfig(
            precision="bf16", batch_size=1, gradient_accumulation=16, optimizer="adamw", learning_rate=4e-4,
            lr_scheduler="constant", warmup_steps=100, max_length=2048, weight_decay=0.0, adam_beta1=0.9,
            adam_beta2=0.999, adam_epsilon=1e-8, muon_learning_rate=None, muon_momentum=0.95, clip=1.0,
            seed=0, gradient_checkpointing=False,
        ),
        evaluation=EvaluationConfig(every_updates=0, held_out_fraction=0.0, max_rows=0),
        checkpoint=CheckpointConfig(every_updates=100, every_minutes=10),
    )  # fmt: skip
    launch = a.LaunchRun(
        campaign=NAME, campaign_uid="u", generation=1, attempt=2, config=config, config_hash=HASH,
        job_uids=(), goal_updates=None, device=device, threads=None, model_dir=None, held_out=None,
        optimizer_state="resume", specs_commit="c",
    )  # fmt: skip
    return Change(id="1", action=launch, subject="s", reason="r", cause="c", source="edit")


def a_card(gigabytes: float) -> GpuInventory:
    card = Gpu(
        index=0, uuid="g", name="n", memory_total_bytes=int(gigabytes * 1e9), memory_used_bytes=0,
        utilization_percent=0,
    )  # fmt: skip
    return GpuInventory(gpus=(card,), source="given")


def a_run(
    peak: int | None,
    *,
    uid: str = "u",
    device: str = "cuda:0",
    failure_class: str | None = None,
    **training: Any,
) -> RunRow:
    config = a_launch().action.config
    config = msgspec.structs.replace(config, training=msgspec.structs.replace(config.training, **training))
    return RunRow(
        campaign_uid=uid, generation=1, attempt=len(training) + 1, state="ended", cookie="c", config_hash="h",
        config_json=msgspec.json.encode(config).decode(), code_version="v", specs_commit="s", device=device,
        resume_step=None, launched_at="2026-01-31T11:00:00Z", ended_at="2026-01-31T12:00:00Z",
        failure_class=failure_class, peak_memory_bytes=peak,
    )  # fmt: skip


def seen(row: RunRow, peak: int) -> RunFacts:
    """Return what a living run told of itself."""
    status = RunStatus(
        phase="training", updated_at="2026-01-31T13:00:00Z", orders_sequence=1, step=3, peak_memory_bytes=peak
    )
    return RunFacts(folder="f", generation=row.generation, attempt=row.attempt, status=status)


@pytest.fixture
def need(world_of: Any) -> Any:
    def of(
        change: Change, *rows: RunRow, card: GpuInventory, runs: tuple[RunFacts, ...] = (), **facts: Any
    ) -> RunMemory:
        world = world_of({}).facts
        campaign = CampaignRow(uid="u", name=NAME, status="active", created_at="2026-01-31T10:00:00Z")
        store = msgspec.structs.replace(world.store, runs=rows, campaigns=(campaign,))
        there = msgspec.structs.replace(
            world, campaigns={NAME: CampaignFacts(runs=runs)}, gpus=card, store=store, **facts
        )
        (found,) = memory_of(there, [change])
        return found

    return of


def test_without_an_earlier_run_it_is_estimated_from_the_config(need: Any) -> None:
    found = need(a_launch(), card=a_card(24))
    assert (found.evidence, found.measured_at, found.verdict) == ("estimated", None, "fits")
    assert 10e9 < found.need_bytes < 24e9


def test_a_card_that_has_less_does_not_fit(need: Any) -> None:
    assert need(a_launch(), card=a_card(8)).verdict == "does not fit"


def test_what_runs_of_the_same_model_and_settings_took_replaces_the_estimate(need: Any) -> None:
    found = need(a_launch(), a_run(7_000), a_run(9_000, uid="of another campaign"), card=a_card(24))
    assert (found.need_bytes, found.evidence) == (9_000, "measured")
    assert found.measured_at == "2026-01-31T12:00:00Z"


def small(device: str) -> Change:
    """Return a launch of a hero whose tensors are smaller than the libraries of its trainer."""
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    change = a_launch(device, {**QWEN3_600M, **heads, "hidden_size": 64, "num_hidden_layers": 2})
    config = change.action.config
    config = msgspec.structs.replace(config, model=msgspec.structs.replace(config.model, vocab_size=256))
    return msgspec.structs.replace(change, action=msgspec.structs.replace(change.action, config=config))


def run_of(launch: Change, peak: int) -> RunRow:
    """Return a run of the same settings, on the processor."""
    config = msgspec.json.encode(launch.action.config).decode()
    return msgspec.structs.replace(a_run(peak, device="cpu"), config_json=config)


@pytest.mark.parametrize("launch", [a_launch("cpu"), small("cpu")], ids=["large", "small"])
def test_on_a_processor_a_peak_of_short_documents_does_not_lower_the_estimate_for_the_longest(
    need: Any, launch: Change
) -> None:
    """No run there is probed with the widest micro-batch; whose process took less than that has, had none."""
    estimate, least = need(launch, card=a_card(24)).need_bytes, LIBRARIES + FIRST_USE + tensors_of(launch)
    assert least < estimate
    found = need(launch, run_of(launch, least - 1), card=a_card(24))
    assert (found.need_bytes, found.evidence, found.measured_at) == (estimate, "estimated", None)
    found = need(launch, run_of(launch, least), card=a_card(24))
    assert (found.need_bytes, found.evidence) == (least, "measured")


def test_a_small_model_is_the_case_where_the_libraries_are_most_of_a_peak() -> None:
    assert tensors_of(small("cpu")) < LIBRARIES < tensors_of(a_launch("cpu"))


def tensors_of(change: Change) -> int:
    """Return what the tensors of a micro-batch of the longest documents take."""
    config = change.action.config
    shape = shape_of(config.model.config, config.model.vocab_size)
    assert shape is not None
    tokens = tokens_at_once(config.training)
    return memory_need(shape, config.training, "cpu", tokens=tokens, is_checkpointing=False).tensor_bytes


def test_another_rate_or_seed_takes_the_same_memory(need: Any) -> None:
    found = need(a_launch(), a_run(9_000, learning_rate=1e-5, seed=7, warmup_steps=3), card=a_card(24))
    assert (found.need_bytes, found.evidence) == (9_000, "measured")


@pytest.mark.parametrize(
    "other",
    [
        {"batch_size": 2}, {"optimizer": "muon"}, {"precision": "fp32"}, {"max_length": 1024}, {"packing": False},
        {"gradient_checkpointing": True}, {"device": "cpu"}, {"failure_class": "oom"}, {"peak": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_run_of_other_settings_says_nothing_about_this_one(need: Any, other: dict[str, Any]) -> None:
    found = need(a_launch(), a_run(**({"peak": 9_000} | other)), card=a_card(24))
    assert found.evidence == "estimated"


def test_a_run_whose_config_this_version_cannot_read_says_nothing(need: Any) -> None:
    strange = msgspec.structs.replace(a_run(9_000), config_json="{}")
    assert need(a_launch(), strange, card=a_card(24)).evidence == "estimated"


def test_a_run_that_lives_tells_its_peak_before_the_store_has_it(need: Any) -> None:
    row = a_run(None)
    found = need(a_launch(), row, card=a_card(24), runs=(seen(row, 8_000),))
    assert (found.need_bytes, found.measured_at) == (8_000, "2026-01-31T13:00:00Z")


def test_of_a_machine_that_does_not_tell_how_much_it_has_nothing_is_said(need: Any) -> None:
    found = need(a_launch("cpu"), card=a_card(24))
    assert (found.device_bytes, found.verdict) == (None, "unknown device")
    assert line_of(found).endswith("on cpu (estimated): unknown, as is how much cpu has.")


def a_host(gigabytes: float, free: float = 10) -> HostMemory:
    return HostMemory(total_bytes=int(gigabytes * 1e9), free_bytes=int(free * 1e9))


def wide(device: str = "cpu", **training: Any) -> Change:
    """Return a launch of a tiny hero whose micro-batches are far wider than any memory."""
    change = a_launch(
        device, {**QWEN3_600M, "hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 512}
    )
    config = change.action.config
    settings = msgspec.structs.replace(
        config.training, **{"batch_size": 4096, "precision": "fp32"} | training
    )
    config = msgspec.structs.replace(config, training=settings)
    return msgspec.structs.replace(change, action=msgspec.structs.replace(change.action, config=config))


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (a_host(64, free=40), "of 64 GB on cpu, 40 GB free (estimated): fits."),
        (a_host(64, free=1), "of 64 GB on cpu, 1 GB free (estimated): fits once 25 GB more are free."),
        (
            a_host(8, free=7),
            "of 8 GB on cpu, 7 GB free (estimated): does not fit; a smaller model, or method: lora or qlora, "
            "needs less.",
        ),
        (
            a_host(22, free=21),
            "of 22 GB on cpu, 21 GB free (estimated): does not fit; a smaller max_length or "
            "gradient_checkpointing: true needs less.",
        ),
    ],
    ids=["much free", "little free", "too little for the model", "too little for its documents"],
)
def test_of_a_processor_it_is_the_machines_memory_that_decides(
    need: Any, host: HostMemory, told: str
) -> None:
    found = need(a_launch("cpu"), card=a_card(24), host_memory=host)
    assert line_of(found) == f"Memory of dio/campaign-001: about 26 GB {told}"


def test_what_does_not_fit_with_layers_computed_twice_is_not_advised_to_compute_them_twice(need: Any) -> None:
    found = need(
        wide(batch_size=4, gradient_checkpointing=True, max_length=2**20),
        card=a_card(8),
        host_memory=a_host(4),
    )
    assert line_of(found).endswith(
        "(estimated at 1,048,576 tokens at once, the longest document alone): does not fit; a smaller max_length "
        "needs less."
    )


@pytest.mark.parametrize(("device", "gigabytes"), [("cpu", 16), ("cuda:0", 8)])
def test_it_is_of_the_micro_batches_that_the_trainer_makes_of_what_was_asked_for(
    need: Any, device: str, gigabytes: float
) -> None:
    found = need(wide(device), card=a_card(8), host_memory=a_host(16))
    assert found.tokens % 2048 == 0
    assert 0.85 * gigabytes * 1e9 < found.need_bytes <= 0.9 * gigabytes * 1e9
    assert (
        found.verdict,
        f"estimated at {found.tokens:,} tokens at once, as many as fit" in line_of(found),
    ) == (
        "fits",
        True,
    )


def test_on_a_card_with_room_all_of_an_update_goes_through_at_once(need: Any) -> None:
    few, many = (
        need(wide("cuda:0", batch_size=1, gradient_accumulation=number), card=a_card(80))
        for number in (1, 16)
    )
    assert (few.tokens, many.tokens) == (None, None)
    assert many.need_bytes > 2.5 * few.need_bytes


def test_each_row_alone_needs_what_the_longest_does(need: Any) -> None:
    one, alone = (need(wide(**{"packing": False, "batch_size": size}), card=a_card(8)) for size in (1, 4096))
    assert one.need_bytes == alone.need_bytes


def test_libraries_take_what_the_newest_run_told_of_them(need: Any) -> None:
    plain = need(a_launch("cpu"), card=a_card(24)).need_bytes
    runs = tuple(
        msgspec.structs.replace(
            one, status=msgspec.structs.replace(one.status, updated_at=at, libraries_bytes=size)
        )
        for one, at, size in (
            (seen(a_run(None, clip=2.0), 1), "2026-01-31T13:00:00Z", 348_000_000 + 500_000),
            (seen(a_run(None, clip=3.0), 1), "2026-01-30T13:00:00Z", 10**12),
        )
    )
    assert need(a_launch("cpu"), card=a_card(24), runs=runs).need_bytes == plain + 500_000


def test_what_is_free_is_not_said_while_a_run_that_takes_some_of_it_leaves_first(world_of: Any) -> None:
    facts = msgspec.structs.replace(world_of({}).facts, host_memory=a_host(32, free=1))
    stop = msgspec.structs.replace(
        a_launch("cpu"),
        action=a.StopRun(
            campaign=NAME, campaign_uid="u", generation=1, attempt=1, why="w", grace_seconds=1.0
        ),
    )
    (found,) = memory_of(facts, [stop, a_launch("cpu")])
    assert (found.free_bytes, line_of(found).endswith("of 32 GB on cpu (estimated): fits.")) == (None, True)


def test_pretrained_weights_are_estimated_from_their_own_config(need: Any) -> None:
    config = PretrainedConfig(
        digest="d", architecture=None, model_type=None, vocab_size=151_936, max_position_embeddings=None,
        rope_scaling=None, sizes=QWEN3_600M,
    )  # fmt: skip
    there = {"dio": ModelFacts(name="m", folder="/m", config=config)}
    found = need(a_launch(sizes={}), card=a_card(24), models=there)
    assert found == need(a_launch(), card=a_card(24))


def test_a_model_whose_sizes_nobody_knows_gets_no_number(need: Any) -> None:
    found = need(a_launch(sizes={}), card=a_card(24))
    assert (found.need_bytes, found.evidence, found.verdict) == (None, None, "unknown model")
    assert line_of(found) == "Memory of dio/campaign-001: unknown, as are the sizes of its model."


def test_on_a_card_it_is_found_out_first_where_no_run_like_it_has_told(world_of: Any) -> None:
    world, config = world_of({}).facts, a_launch().action.config
    assert is_probed_first(world, config, "cuda:0")
    assert not is_probed_first(world, config, "cpu")
    told = msgspec.structs.replace(world.store, runs=(a_run(9_000),))
    assert not is_probed_first(msgspec.structs.replace(world, store=told), config, "cuda:0")


def test_the_plan_says_that_it_is_found_out_first(need: Any) -> None:
    launch = msgspec.structs.replace(a_launch().action, probe=True)
    found = need(msgspec.structs.replace(a_launch(), action=launch), card=a_card(144))
    assert line_of(found).endswith("(estimated; a probe before the first update finds out): fits.")


def line_of(found: RunMemory) -> str:
    document: Any = SimpleNamespace(memory=(found,))
    (line,) = memory_lines(document)
    return line
