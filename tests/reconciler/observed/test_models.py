import json
from pathlib import Path

import pytest
from memory_cache import MemoryCache

from reconciler.observed.models import hub_cache_folder, observe_model
from state.contract.chat import template_digest
from state.contract.tokenizer_files import tokenizer_files_digest

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1503300328\n"
CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "rope_scaling": None,
}
REVISION = "c1899de289a04d12100db370d81485cdf75e47ca"


def tensors(size: int = 16) -> bytes:
    """Return a whole safetensors file with one tensor."""
    entry = {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "a": entry}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


def make_model(folder: Path, **files: bytes | None) -> Path:
    """Make a folder with a whole model; files are named with __ for a dot, None leaves one out."""
    whole: dict[str, bytes | None] = {
        "config.json": json.dumps(CONFIG).encode(),
        "model.safetensors": tensors(),
        "tokenizer.json": b'{"version": "1.0"}',
        "tokenizer_config.json": b'{"chat_template": "{{ messages }}"}',
        **{name.replace("__", "."): content for name, content in files.items()},
    }
    folder.mkdir(parents=True)
    for name, content in whole.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def observe(tmp_path: Path):
    for name in ("models", "root", "hub"):
        (tmp_path / name).mkdir()

    def look(name: object, **options: object):
        return observe_model(str(name), [tmp_path / "models"], tmp_path / "root", tmp_path / "hub", **options)

    return look


def make_cached(hub: Path, name: str = "models--Qwen--Qwen3-0.6B") -> Path:
    """Make the hub's cache as its client does: snapshots of links into blobs."""
    blobs = make_model(hub / name / "blobs")
    snapshot = hub / name / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    for blob in blobs.iterdir():
        (snapshot / blob.name).symlink_to(f"../../blobs/{blob.name}")
    (hub / name / "refs").mkdir()
    (hub / name / "refs" / "main").write_text(REVISION)
    return snapshot


def test_a_model_at_an_absolute_path_is_described_by_its_own_files(observe, tmp_path) -> None:
    folder = make_model(tmp_path / "anywhere")
    facts = observe(folder)
    assert facts.is_usable
    assert (facts.folder, facts.revision, facts.missing) == (str(folder), None, ())
    assert facts.config is not None
    assert facts.config.architecture == "Qwen3ForCausalLM"
    assert facts.config.model_type == "qwen3"
    assert (facts.config.vocab_size, facts.config.max_position_embeddings) == (151936, 40960)
    assert facts.config.rope_scaling is None
    assert facts.config.digest.startswith("sha256:")
    assert [(weight.name, weight.size_bytes) for weight in facts.weights] == [
        ("model.safetensors", len(tensors()))
    ]
    assert facts.tokenizer_digest == tokenizer_files_digest(folder)
    assert facts.chat_template_digest == template_digest("{{ messages }}")


def test_what_changes_the_logits_after_the_head_is_named_and_a_factor_of_one_is_not(
    observe, tmp_path
) -> None:
    folder = make_model(tmp_path / "anywhere")
    said = json.loads((folder / "config.json").read_text())
    said |= {"final_logit_softcapping": 30.0, "logit_scale": 1.0, "logits_scaling": None}
    (folder / "config.json").write_text(json.dumps(said))
    facts = observe(folder)
    assert facts.config is not None
    assert facts.config.scaled_logits == ("final_logit_softcapping",)


def test_a_relative_name_is_looked_up_in_the_models_folder_then_the_root_then_the_hub(
    observe, tmp_path
) -> None:
    snapshot = make_cached(tmp_path / "hub")
    name = "Qwen/Qwen3-0.6B"
    facts = observe(name)
    assert (facts.folder, facts.revision, facts.is_usable) == (str(snapshot), REVISION, True)
    in_root = make_model(tmp_path / "root" / name)
    assert observe(name).folder == str(in_root)
    in_models = make_model(tmp_path / "models" / name)
    facts = observe(name)
    assert facts.folder == str(in_models)
    assert facts.looked_at == (str(in_models),)


def test_a_model_that_is_nowhere_says_every_place_that_was_looked_at(observe, tmp_path) -> None:
    facts = observe("Qwen/Qwen3-0.6B")
    assert not facts.is_usable
    assert facts.missing == (
        f"model Qwen/Qwen3-0.6B is not on this machine; looked at {tmp_path}/models/Qwen/Qwen3-0.6B, "
        f"{tmp_path}/root/Qwen/Qwen3-0.6B, {tmp_path}/hub/models--Qwen--Qwen3-0.6B; put its files into one "
        "of them, or download it: hf download Qwen/Qwen3-0.6B",
    )


def test_a_name_in_the_models_folder_is_not_advised_as_a_hub_id(observe) -> None:
    assert "hf download" not in observe("models/Qwen3-0.6B").missing[0]


def test_an_absolute_path_that_is_not_there_is_not_taken_for_a_hub_id(observe, tmp_path) -> None:
    facts = observe(tmp_path / "absent")
    assert facts.looked_at == (str(tmp_path / "absent"),)
    assert "put the model's files there" in facts.missing[0]


@pytest.mark.parametrize("name", ["../x", "a/../../b", "", "  ", "a\x00b", "a\nb"])
def test_a_hostile_name_is_refused(observe, name) -> None:
    (problem,) = observe(name).missing
    assert "is neither a path without .. nor the id of a model on the hub" in problem


def test_a_link_under_the_root_must_not_leave_it(observe, tmp_path) -> None:
    make_model(tmp_path / "elsewhere")
    (tmp_path / "root" / "mine").symlink_to(tmp_path / "elsewhere")
    (problem,) = observe("mine").missing
    assert "mine is a link that leaves the root; name the model by its absolute path" in problem


def test_the_hosts_models_folder_may_hold_links(observe, tmp_path) -> None:
    elsewhere = make_model(tmp_path / "elsewhere")
    (tmp_path / "models" / "mine").symlink_to(elsewhere)
    assert observe("mine").folder == str(elsewhere)


MISSING = {
    "config.json missing": ({"config__json": None}, "there is no {}/config.json"),
    "config.json is a list": ({"config__json": b"[]"}, "config.json is not a JSON object"),
    "config.json torn": ({"config__json": b'{"a'}, "config.json is not a JSON object"),
    "config.json is a pointer": ({"config__json": POINTER}, "config.json is a Git LFS pointer"),
    "no weights": ({"model__safetensors": None}, "there is no {}/model.safetensors"),
    "weights are a pointer": ({"model__safetensors": POINTER}, "model.safetensors is a Git LFS pointer"),
    "weights empty": (
        {"model__safetensors": b""},
        "model.safetensors (0 bytes) is torn or no safetensors file",
    ),
    "weights torn": ({"model__safetensors": tensors()[:-1]}, "download it again"),
    "weights torn in the header": ({"model__safetensors": tensors()[:30]}, "is torn or no safetensors file"),
    "weights too long": ({"model__safetensors": tensors() + b"x"}, "download it again"),
    "weights no JSON": (
        {"model__safetensors": b"\x04" + bytes(7) + b"abcd"},
        "is torn or no safetensors file",
    ),
    "only pickles": (
        {"model__safetensors": None, "pytorch_model__bin": b"pickle"},
        "has its weights only as pickles (pytorch_model.bin), which are never loaded",
    ),
    "shards without index": (
        {"model__safetensors": None, "model-00001-of-00002__safetensors": tensors()},
        "model-00001-of-00002.safetensors is there without model.safetensors.index.json",
    ),
    "index names a missing shard": (
        {"model__safetensors__index__json": b'{"weight_map": {"a": "model-1.safetensors"}}'},
        "there is no {}/model-1.safetensors",
    ),
    "index is hostile": (
        {"model__safetensors__index__json": b'{"weight_map": {"a": "../x.safetensors"}}'},
        "'../x.safetensors', which is no safetensors file beside it",
    ),
    "index is empty": ({"model__safetensors__index__json": b'{"weight_map": {}}'}, "names no file"),
    "index is torn": ({"model__safetensors__index__json": b'{"weight'}, "is not the index of a model"),
}


@pytest.mark.parametrize(("files", "message"), MISSING.values(), ids=MISSING.keys())
def test_a_model_that_is_not_whole_says_what_is_missing(observe, tmp_path, files, message) -> None:
    folder = make_model(tmp_path / "models" / "mine", **files)
    facts = observe("mine")
    assert not facts.is_usable
    (problem,) = facts.missing
    assert message.format(folder) in problem


def test_a_split_model_is_whole_with_all_its_files(observe, tmp_path) -> None:
    index = json.dumps(
        {"metadata": {}, "weight_map": {"a": "m-2.safetensors", "b": "m-1.safetensors"}}
    ).encode()
    files = {"model__safetensors": None, "m-1__safetensors": tensors(4), "m-2__safetensors": tensors(8)}
    make_model(tmp_path / "models" / "mine", model__safetensors__index__json=index, **files)
    facts = observe("mine")
    assert facts.missing == ()
    assert [weight.name for weight in facts.weights] == ["m-1.safetensors", "m-2.safetensors"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, {"type": "dynamic", "factor": 2.0}),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}, None),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, {"rope_type": "yarn", "factor": 4.0}),
        ({"rope_scaling": "dynamic"}, None),
    ],
)
def test_rescaled_positions_are_read_from_older_and_newer_configs(observe, tmp_path, said, expected) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "rope_scaling"}
    make_model(tmp_path / "models" / "mine", config__json=json.dumps({**config, **said}).encode())
    facts = observe("mine").config
    assert facts is not None
    assert facts.rope_scaling == expected


def test_a_config_of_wrong_types_is_unknown_not_an_error(observe, tmp_path) -> None:
    config = {"architectures": "X", "vocab_size": True, "max_position_embeddings": "many", "model_type": 3}
    make_model(tmp_path / "models" / "mine", config__json=json.dumps(config).encode())
    facts = observe("mine").config
    assert facts is not None
    assert (facts.architecture, facts.vocab_size, facts.max_position_embeddings, facts.model_type) == (
        None,
    ) * 4


def test_the_real_config_of_a_real_model_is_understood(observe, tmp_path, cases) -> None:
    content = (cases / "qwen" / "Qwen3-4B-Instruct-2507.config.json").read_bytes()
    template = (cases / "qwen" / "Qwen-Qwen3-0.6B.chat_template.jinja").read_bytes()
    make_model(tmp_path / "models" / "mine", config__json=content, chat_template__jinja=template)
    facts = observe("mine")
    assert facts.config is not None
    assert facts.config.architecture == "Qwen3ForCausalLM"
    assert (facts.config.vocab_size, facts.config.max_position_embeddings) == (151936, 262144)
    assert facts.config.rope_scaling is None
    assert facts.chat_template_digest == template_digest(template.decode())


def test_without_tokenizer_or_template_the_weights_are_still_usable(observe, tmp_path) -> None:
    make_model(tmp_path / "models" / "mine", tokenizer__json=None, tokenizer_config__json=None)
    facts = observe("mine")
    assert facts.is_usable
    assert (facts.tokenizer_digest, facts.chat_template_digest) == (None, None)
    assert facts.tokenizer_problem is not None
    assert "no tokenizer here" in facts.tokenizer_problem
    assert facts.chat_template_problem is not None
    assert "no chat template here" in facts.chat_template_problem


def test_a_tokenizer_that_is_a_pointer_has_no_digest(observe, tmp_path) -> None:
    make_model(tmp_path / "models" / "mine", tokenizer__json=POINTER)
    facts = observe("mine")
    assert facts.tokenizer_digest is None
    assert facts.tokenizer_problem is not None
    assert "tokenizer.json is a Git LFS pointer" in facts.tokenizer_problem


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template__jinja": b"\xff"},
        {"tokenizer_config__json": b"[" * 100_000},
        {"tokenizer_config__json": b"{"},
    ],
    ids=["not UTF-8", "deep", "torn"],
)
def test_a_spoilt_template_is_a_problem_of_the_template(observe, tmp_path, files) -> None:
    make_model(tmp_path / "models" / "mine", **files)
    facts = observe("mine")
    assert facts.chat_template_digest is None
    assert facts.chat_template_problem


def test_the_tokenizers_digest_is_remembered_until_a_file_changes(observe, tmp_path, monkeypatch) -> None:
    folder = make_model(tmp_path / "models" / "mine")
    cache = MemoryCache()
    first = observe("mine", cache=cache).tokenizer_digest
    monkeypatch.setattr("reconciler.observed.models.tokenizer_files_digest", lambda _: "read again")
    assert observe("mine", cache=cache).tokenizer_digest == first
    (folder / "tokenizer.json").write_bytes(b'{"version": "2.0"}')
    assert observe("mine", cache=cache).tokenizer_digest == "read again"


def test_an_unfinished_download_is_told(observe, tmp_path) -> None:
    snapshot = make_cached(tmp_path / "hub")
    (snapshot.parent.parent / "blobs" / "model.safetensors").unlink()
    (problem,) = observe("Qwen/Qwen3-0.6B").missing
    assert problem.endswith("model.safetensors (a link to nothing: the download was not finished)")


def test_a_cache_without_a_usable_main_revision_is_told(observe, tmp_path) -> None:
    snapshot = make_cached(tmp_path / "hub")
    main = snapshot.parent.parent / "refs" / "main"
    main.write_text("../../../etc")
    (problem,) = observe("Qwen/Qwen3-0.6B").missing
    assert "holds '../../../etc'; expected a commit of 40 hex digits" in problem
    main.write_text("0" * 40)
    (problem,) = observe("Qwen/Qwen3-0.6B").missing
    assert "the download of Qwen/Qwen3-0.6B was not finished" in problem
    main.unlink()
    (problem,) = observe("Qwen/Qwen3-0.6B").missing
    assert "is in the hub's cache without its main revision" in problem


def test_a_file_in_place_of_a_model_is_told(observe, tmp_path) -> None:
    (tmp_path / "models" / "mine").write_text("")
    (problem,) = observe("mine").missing
    assert problem.endswith("mine is not a folder with a model")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "/home/me/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HF_HOME": "/hf", "XDG_CACHE_HOME": "/c"}, "/hf/hub"),
        ({"HF_HUB_CACHE": "/cache", "HF_HOME": "/hf"}, "/cache"),
    ],
)
def test_the_hubs_cache_is_where_its_client_keeps_it(environment, expected) -> None:
    assert hub_cache_folder(environment, Path("/home/me")) == Path(expected)
