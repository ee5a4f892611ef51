"""What a spec says and nothing follows from is named, but where a stronger layer means it so."""

from collections.abc import Callable

import pytest

from reconciler.desired.desired import Desired
from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.unsupported import idle_settings, unsupported_hero, unsupported_settings

HERO = """\
id: pip
model:
  {init: scratch, family: qwen3, architecture: Qwen3ForCausalLM, tokenizer: bytes, vocab_size: 320,
   context_length: 512, config: {hidden_size: 8}}
"""
FALLS = 'whose rate stays; it falls with cosine or linear, and of wsd in a release ("releases")'


@pytest.fixture
def desired_of(tree) -> Callable[[str, str], Desired]:
    def desired(hero: str, campaign: str) -> Desired:
        files = {
            "specs/realm.yaml": "id: lab\n",
            "specs/heroes/pip.yaml": HERO + hero,
            "specs/campaigns/pip/one.yaml": f"id: one\n{campaign}",
        }
        return load(tree(files), NoCache())

    return desired


def said(desired: Desired) -> list[tuple[str, str]]:
    """Return why, and the last part of where."""
    found = idle_settings(resolve(layers_of(desired, "pip/one")))
    return [(one.reason, str(one.origin).rpartition("/")[2]) for one in found]


CASES = {
    "wsd ends nowhere": (
        "training_defaults:\n  lr_scheduler: wsd\n  schedule_updates: 9\n",
        [(f"schedule_updates has no effect: lr_scheduler is wsd, {FALLS}", "pip.yaml:7")],
    ),
    "the built-in rate is constant": (
        "training_defaults:\n  final_rate_ratio: 0.5\n",
        [(f"final_rate_ratio has no effect: lr_scheduler is constant, {FALLS}", "pip.yaml:6")],
    ),
    "adapters of a full training": (
        "training_defaults:\n  lora: {rank: 8, dropout: 0}\n",
        [("lora has no effect: method is full; adapters go with method: lora or qlora", "pip.yaml:6")],
    ),
    "a rate of Muon under AdamW": (
        "training_defaults:\n  muon_learning_rate: 0.01\n",
        [("muon_learning_rate has no effect: optimizer is adamw", "pip.yaml:6")],
    ),
    "each where it counts": (
        "training_defaults:\n  lr_scheduler: cosine\n  schedule_updates: 900\n  final_rate_ratio: 0.5\n"
        "  method: lora\n  lora: {rank: 8}\n  optimizer: muon\n  muon_momentum: 0.9\n",
        [],
    ),
}


@pytest.mark.parametrize(("hero", "expected"), CASES.values(), ids=CASES)
def test_what_has_no_effect_beside_what_is_said_there_is_named(
    desired_of, hero: str, expected: list[tuple[str, str]]
) -> None:
    assert said(desired_of(hero, "")) == expected


def test_what_a_campaign_makes_idle_of_its_hero_was_meant_so(desired_of) -> None:
    falls = (
        "training_defaults: {lr_scheduler: cosine, schedule_updates: 900, lora: {rank: 8}, method: lora}\n"
    )
    level = "config_overrides: {lr_scheduler: constant, method: full}\n"
    assert said(desired_of(falls, level)) == []


@pytest.mark.parametrize(
    ("guard", "reasons"),
    [
        ("{warm_up: 100}", ["loss_guard.warm_up 100 is more than loss_guard.window 64 remembers"]),
        ("{warm_up: 100, window: 100}", []),
        ("{window: 16}", []),
        ("{enabled: false, warm_up: 100}", []),
    ],
)
def test_a_loss_guard_does_not_wait_beyond_its_window(desired_of, guard: str, reasons: list[str]) -> None:
    desired = desired_of("", f"config_overrides: {{loss_guard: {guard}}}\n")
    found = unsupported_settings(resolve(layers_of(desired, "pip/one")))
    assert [one.reason for one in found if one.blocks] == reasons


def test_tokens_of_a_chat_that_the_built_in_template_does_not_write_are_named(desired_of) -> None:
    chat = 'chat: {user_token: "<|im_start|>user\\n", end_token: "</s>", supports_system: false}\n'
    found = unsupported_hero(desired_of(chat, "").heroes["pip"].spec)
    assert [(one.path, one.reason, one.blocks) for one in found] == [
        (
            ("chat", "end_token"),
            'end_token "</s>" has no effect: the chat template chatml writes "<|im_end|>"',
            False,
        ),
        (
            ("chat", "supports_system"),
            "supports_system: false has no effect: the chat template chatml writes system messages",
            False,
        ),
    ]
