"""Files → Desired, or every mistake of every file in a person's words."""

import msgspec
import pytest

from reconciler.desired.loading import load
from reconciler.desired.mistakes import SpecMistakesError, render
from reconciler.desired.parse_cache import NoCache

HERO = "specs/heroes/pip.yaml"
CAMPAIGN = "specs/campaigns/pip/campaign-001.yaml"
QUEUE = "specs/queue.yaml"
REALM = "specs/realm.yaml"
SKILL = "specs/skills/bin.yaml"


def said(mistakes) -> list[str]:
    return [f"{one.where}: {one.sentence}" for one in mistakes]


def test_specs_without_a_mistake_become_names_and_values(tree, small) -> None:
    desired = load(tree(small), NoCache())
    assert (desired.realm.spec.id, list(desired.heroes), list(desired.campaigns)) == (
        "lab",
        ["pip"],
        ["pip/campaign-001"],
    )
    assert desired.quests[0].for_ == ("pip",)
    assert desired.quests[0].epochs == 1
    assert desired.heroes["pip"].where("training_defaults", "learning_rate") == "specs/heroes/pip.yaml:5"
    assert desired.quest_where(0) == "specs/queue.yaml:2"


def test_what_was_loaded_cannot_be_changed(tree, small) -> None:
    desired = load(tree(small), NoCache())
    with pytest.raises(AttributeError, match="immutable"):
        desired.realm.spec.active = "other/campaign-001"


@pytest.mark.parametrize(
    ("path", "old", "new", "sentence"),
    [
        (HERO, "  learning_rate", "  lerning_rate", ':5:3: misspelt key "lerning_rate"; did you mean "learning_rate"?'),
        (HERO, "2.0e-3", "abc", ':5:18: is "abc" (a string); expected a number'),
        (HERO, "max_length: 256", "optimizer: moun",
         ':6:14: "moun" is not an optimizer; known: adamw, muon; did you mean "muon"?'),
        (HERO, "max_length: 256", "lr_scheduler: linaer",
         ':6:17: "linaer" is not a schedule; known: constant, wsd, cosine, linear; did you mean "linear"?'),
        (HERO, "max_length: 256", "lr_scheduler: polynomal",
         ':6:17: "polynomal" is not a schedule; known: constant, wsd, cosine, linear; did you mean "polynomial"?'),
        (HERO, "max_length: 256", "optimizer_type: pagd_lion",
         ':6:19: "pagd_lion" is not an optimizer; known: adamw, muon; did you mean "paged_lion"?'),
        (HERO, "training_defaults", "trainer: {optimizer: moun}\ntraining_defaults",
         ':4:22: "moun" is not an optimizer; known: adamw, muon; did you mean "muon"?'),
        (HERO, "training_defaults", "trainer: {optimizer: {type: muon}}\ntraining_defaults",
         ':4:22: is {"type":"muon"} (a mapping); expected a name of letters, digits and _'),
        (HERO, "2.0e-3", "2.0e+3", ":5:18: must be below 1 (got 2000.0)"),
        (HERO, "2.0e-3", "'0.002'", ':5:18: is "0.002" (a string); expected a number'),
        (HERO, "2.0e-3", "", ":5:3: learning_rate is empty; give a value or remove the line"),
        (HERO, "max_length: 256", "max_length: 2.5", ":6:15: is 2.5 (a number); expected a whole number"),
        (HERO, "max_length: 256", "max_length: 1024", ":6:15: is 1024, more than the model's context_length (512)"),
        (HERO, "max_length: 256", "precision: bf61", ':6:14: is "bf61"; known: auto, fp32, bf16, fp16; did you mean "bf16"?'),
        (HERO, "max_length: 256", "save_steps: 5\n  checkpoint: {every_updates: 5}",
         ":6:3: save_steps is an older name of checkpoint.every_updates, which is given too; keep checkpoint.every_updates"),
        (HERO, "max_length: 256", "method: lora\n  load_in_4bit: true",
         ":7:3: load_in_4bit is an older word for method: qlora; method says lora; remove one of them"),
        (HERO, "max_length: 256", "method: loro", ':6:11: is "loro"; known: full, lora, qlora; did you mean "lora"?'),
        (HERO, "max_length: 256", "lora: {rank: 0}", ":6:16: must be above 0 (got 0)"),
        (HERO, "max_length: 256", "lora: {target_modules: []}", ":6:26: names no layer; all-linear, or names such as q_proj"),
        (HERO, "max_length: 256", "lora: {target_modules: [q_proj, q_proj]}", ':6:35: "q_proj" stands here twice'),
        (HERO, "max_length: 256", "lora: {target_modules: [all-linear]}",
         ":6:27: all-linear stands alone; target_modules: all-linear"),
        (HERO, "init: scratch", "hf_name: a/b, init: scratch", ":2:1: has both hf_name and init: scratch; expected one of them"),
        (HERO, "vocab_size: 320", "vocab_size: 300", ":2:101: is 300; tokenizer: bytes has 320 tokens"),
        (HERO, "{hidden_size: 16}", "{hidden_size: 16, vocab_size: 3}", ":3:50: vocab_size comes from vocab_size of this section; remove it"),
        (HERO, "{hidden_size: 16}", "{hidden_size: 16, max_position_embeddings: 64}",
         ":3:50: max_position_embeddings is transformers' own for the architecture; context_length bounds max_length; remove it"),
        (HERO, "id: pip", "id: pop", ':1:5: is "pop", but the file is pip.yaml; make them equal'),
        (CAMPAIGN, "[bin]", "[binn]", ':2:16: "binn" is not the id of a skill; known: bin; did you mean "bin"?'),
        (CAMPAIGN, "skills_focus", "config_overrides: {vocab_size: 3}\nskills_focus",
         ':2:20: "vocab_size" is locked: it comes from the hero; another value is another hero'),
        (CAMPAIGN, "skills_focus", "config_overrides: {max_length: 300}\nskills_focus",
         ":2:32: is 300; it may shrink and never grow: the hero has 256 (specs/heroes/pip.yaml:6)"),
        (CAMPAIGN, "skills_focus", "starting_checkpoint: a/b@first\nskills_focus",
         ':2:22: is "a/b@first"; expected <hero>/<campaign>@best, @latest or @<step>, or the absolute path of'
         " a folder"),
        (REALM, "active: pip/campaign-001", "active: pip/campaign-01",
         ':2:9: "pip/campaign-01" is not a campaign; known: pip/campaign-001; did you mean "pip/campaign-001"?'),
        (REALM, "active: pip/campaign-001", "active: ../etc", ':2:9: is "../etc"; expected <hero>/<campaign>'),
        (REALM, "active: pip/campaign-001", "active: p\u0456p/campaign-001",
         ':2:9: is "p\u0456p/campaign-001" (it holds U+0456, which is not ASCII); expected <hero>/<campaign>'),
        (REALM, "active: pip/campaign-001", "apply: {gentle_stop: 5m}",
         ':2:9: "gentle_stop" (the length of a gentle stop) is not supported by this version; remove it'),
        (REALM, "active: pip/campaign-001", 'apply: {windows: [{from: "23:00", to: "07:00"}]}',
         ':2:19: apply.windows[0].zone is missing'),
        (REALM, "active: pip/campaign-001", 'apply: {windows: [{from: "23:00", to: "23:00", zone: UTC}]}',
         ':2:39: is 23:00, as from: this window never opens; for whole days write from: "00:00", to: "24:00"'),
        (REALM, "active: pip/campaign-001", 'apply: {windows: [{from: "24:00", to: "00:00", zone: UTC}]}',
         ':2:39: is 00:00, the moment that from: 24:00 is: this window never opens; for whole days write from: "00:00", to: "24:00"'),
        (REALM, "active: pip/campaign-001", 'apply: {windows: [{from: "23:00", to: "07:00", zone: Europe/Berln}]}',
         ':2:54: is "Europe/Berln"; expected a time zone that this machine knows, such as UTC or Europe/Berlin'),
        (REALM, "active: pip/campaign-001", 'apply: {windows: [{days: someday, from: "23:00", to: "07:00", zone: UTC}]}',
         ':2:26: is "someday"; expected days such as mon-fri or sat,sun'),
        (REALM, "active: pip/campaign-001", 'apply: {windows: [{from: "25:00", to: "07:00", zone: UTC}]}',
         ':2:26: is "25:00"; expected a time such as "23:00", in quotes'),
        (REALM, "active: pip/campaign-001", "apply: {interval: 15}",
         ":2:19: is 15 (a whole number); expected a duration such as 15s, 2m or 1h"),
        (REALM, "active: pip/campaign-001", "root: data", ':2:7: is "data"; expected an absolute path, or one that starts with ~/, without ..'),
        (REALM, "active: pip/campaign-001", "defaults: {evaluation: {held_out: [1]}}",
         ":2:35: is [1] (a list); expected a number or a mapping"),
        (REALM, "active: pip/campaign-001", "defaults: {evaluation: {held_out: {fil: a.jsonl}}}",
         ':2:36: misspelt key "fil"; did you mean "file"?'),
        (SKILL, "source", "evaluation: {levels: [1]}\nsource",
         ":3:14: only a skill whose problems this software makes can be examined: it knows the answers;"
         " source: {command: [python, -m, trainer, generate, bin]}; or remove levels"),
        (SKILL, "source: {command: [python, -m, trainer]}",
         "evaluation: {levels: [2, 2, 30]}\nsource: {command: [python, -m, trainer, generate, bin]}",
         ":3:26: 2 stands here twice; remove one of them"),
        (QUEUE, "for: [pip]", "for: [pop]", ':2:53: "pop" is not the id of a hero; known: pip; did you mean "pip"?'),
        (QUEUE, "for: [pip]", "for: [pip, pip]", ':2:58: "pip" stands here twice'),
        (QUEUE, "skill: bin", "skill: bon", ':2:21: "bon" is not the id of a skill; known: bin; did you mean "bin"?'),
        (QUEUE, "level: 1", "level: 31", ":2:33: is 31; the highest level of bin is 30"),
        (QUEUE, "skill: bin, level: 1, count: 10, ", "", ':2:5: quest "q1" has neither file nor skill; expected one of them'),
        (QUEUE, "skill: bin, level: 1", "file: a.jsonl", ":2:29: count goes with skill, which is absent"),
        (QUEUE, "skill: bin, level: 1, count: 10", "file: ../a.jsonl", ':2:20: is "../a.jsonl"; expected a path that can be printed, without .. or ~'),
        (QUEUE, "count: 10", "count: 10, dataset: x", ":2:47: dataset goes with file, which is absent"),
        (QUEUE, "skill: bin, level: 1, count: 10", "file: a.jsonl, dataset: gsm8",
         ':2:38: "gsm8" is not the id of a dataset; there is none yet'),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_place_nearest_name_and_what_to_do(
    mistakes_in, small, path, old, new, sentence
) -> None:
    assert old in small[path]
    small[path] = small[path].replace(old, new, 1)
    assert said(mistakes_in(small)) == [path + sentence]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ("../x", '"../x" is no id; expected 1 to 64 lowercase letters'),
        ("/etc/passwd", '"/etc/passwd" is no id'),
        ("Pip", '"Pip" is no id'),
        ("-pip", '"-pip" is no id'),
        ("a..b", '"a..b" is no id'),
        ("a" * 300, "an id of 300 characters; expected 1 to 64 lowercase letters"),
        ("p\u0456p", "\"p\u0456p\" holds '\\u0456' (U+0456), which is no ASCII letter"),
    ],
)
def test_a_hostile_id_is_refused_by_name(mistakes_in, small, found, sentence) -> None:
    small[QUEUE] = f"quests:\n  - id: '{found}'\n    file: a.jsonl\n"
    [mistake] = mistakes_in(small)
    assert mistake.where == "specs/queue.yaml:2:9"
    assert mistake.message.startswith(sentence)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "specs/retentions.yaml",
            "specs/retentions.yaml: this version knows no kind of spec at specs/retentions.yaml",
        ),
        ("specs/heros/a.yaml", 'did you mean "heroes/<id>.yaml"?'),
        (
            "specs/services.yaml",
            "known: campaigns/<hero>/<id>.yaml, datasets/<id>.yaml, heroes/<id>.yaml, hosts.yaml, queue.yaml, "
            "realm.yaml, retention.yaml, skills/<id>.yaml",
        ),
        ("specs/campaigns/campaign-001.yaml", "a campaign lies at specs/campaigns/<hero>/<id>.yaml"),
        ("specs/heroes/a.yml", "is no spec: specs end in .yaml; rename it so that it ends in .yaml"),
        ("specs/heroes/a.yalm", "move it out of specs/, or let its name start with _"),
        ("specs/heroes/../x.yaml", "leaves the folder it is in"),
        (f"specs/heroes/{'a' * 300}.yaml", "an id of 300 characters"),
        ("specs/heroes/p\u0456p.yaml", "(U+0456), which is no ASCII letter"),
        ("specs/heroes/a\udcff.yaml", "holds '\\udcff'"),
    ],
)
def test_a_file_in_a_wrong_place_is_named(mistakes_in, small, path, sentence) -> None:
    small[path] = "id: a\n"
    [mistake] = mistakes_in(small)
    assert sentence in said([mistake])[0]


def test_names_that_differ_in_case_only_are_named(mistakes_in, small) -> None:
    small["specs/heroes/Pip.yaml"] = small[HERO]
    messages = [one.message for one in mistakes_in(small)]
    assert "differs from specs/heroes/Pip.yaml in upper and lower case only" in messages


def test_readme_templates_and_hidden_files_are_no_specs(tree, small) -> None:
    ignored = (
        "specs/README.md",
        "specs/heroes/_template.yaml",
        "specs/_old/queue.yaml",
        "specs/heroes/.gitkeep",
    )
    assert load(tree(small | dict.fromkeys(ignored, "x: [")), NoCache()).quests


def test_ten_mistakes_in_one_spec_are_shown_at_once(mistakes_in, small) -> None:
    wrong = "abc: 1\nbatch_size: 0\nclip: x\nseed: -1\nwarmup_steps: 1.5\nlearning_rate: 3\nprecision: b\nmax_lenth: 9\nseed: 2\nweight_decay: .nan\n"
    small[CAMPAIGN] = "id: campaign-001\nconfig_overrides:\n" + "".join(
        f"  {line}\n" for line in wrong.splitlines()
    )
    mistakes = mistakes_in(small)
    assert [one.line for one in mistakes] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]


def test_a_misspelt_key_is_named_beside_its_unreadable_value(mistakes_in, small) -> None:
    small[HERO] = small[HERO].replace("learning_rate: 2.0e-3", "lerning_rate: .nan")
    assert [one.message for one in mistakes_in(small)] == [
        'misspelt key "lerning_rate"',
        "training_defaults.lerning_rate is .nan; expected a finite number",
    ]


def test_a_broken_file_hides_no_mistake_of_another_and_makes_no_false_one(mistakes_in, small) -> None:
    small[HERO] = "id: [\n"
    small[CAMPAIGN] = "id: campaign-001\nskills_focus: [binn]\n"
    assert [one.path for one in mistakes_in(small)] == [CAMPAIGN, HERO]


def test_a_mistake_in_a_key_or_a_type_hides_no_wrong_name_of_the_same_spec(mistakes_in, small) -> None:
    small[CAMPAIGN] = "id: campaign-001\ngoal: {update: 3}\nskills_focus: [binn, 3, bin]\n"
    small[QUEUE] = (
        "quests:\n  - {id: a, skill: bin, level: 99, count: 1, for: [pip/campaign-002]}\n"
        "  - {id: b, file: y.jsonl, for: pip}\n"
    )
    assert said(mistakes_in(small)) == [
        CAMPAIGN + ':2:8: misspelt key "update"; did you mean "updates"?',
        CAMPAIGN + ':3:16: "binn" is not the id of a skill; known: bin; did you mean "bin"?',
        CAMPAIGN + ":3:22: is 3 (a whole number); expected text",
        QUEUE + ":2:32: is 99; the highest level of bin is 30",
        QUEUE + ':2:52: "pip/campaign-002" is not a campaign; known: pip/campaign-001;'
        ' did you mean "pip/campaign-001"?',
        QUEUE + ':3:33: is "pip" (a string); expected a list, for example [pip]',
    ]


def test_a_hostile_name_is_told_once_and_a_broken_hero_still_limits_its_campaigns(mistakes_in, small) -> None:
    small[HERO] = small[HERO].replace("2.0e-3", "abc")
    small[CAMPAIGN] = "id: campaign-001\nconfig_overrides: {max_length: 300}\nskills_focus: [../x]\n"
    assert [(one.path, one.line) for one in mistakes_in(small)] == [(CAMPAIGN, 2), (CAMPAIGN, 3), (HERO, 5)]


def test_the_summary_says_when_a_file_could_not_be_read(tree, small) -> None:
    small[CAMPAIGN] = "id: [\n"
    with pytest.raises(SpecMistakesError) as caught:
        load(tree(small), NoCache())
    assert caught.value.summary == (
        "1 mistake in 1 of 5 specs. Names in other files are checked once these are mended."
    )


@pytest.mark.parametrize("older", ["adamw_torch_fused", "paged_adamw_32bit", "galore_8bit", "sgd", "lion"])
def test_an_older_name_of_an_optimizer_loads(tree, small, older) -> None:
    small[HERO] = small[HERO].replace("max_length: 256", f"optimizer: {older}")
    assert load(tree(small), NoCache()).heroes["pip"].spec.training_defaults.optimizer == older


@pytest.mark.parametrize("older", ["cosine_with_restarts", "polynomial", "warmup_stable_decay"])
def test_an_older_name_of_a_schedule_loads(tree, small, older) -> None:
    small[HERO] = small[HERO].replace("max_length: 256", f"lr_scheduler: {older}")
    assert load(tree(small), NoCache()).heroes["pip"].spec.training_defaults.lr_scheduler == older


def test_duplicate_quest_ids_are_named(mistakes_in, small) -> None:
    small[QUEUE] = "quests:\n  - {id: a, file: x.jsonl}\n  - {id: a, file: y.jsonl}\n"
    assert said(mistakes_in(small)) == [
        'specs/queue.yaml:3:10: "a" is the id of quests[0] already; give each quest an id of its own'
    ]


@pytest.mark.parametrize(
    ("hero", "what"),
    [
        ("archive", "the Hall of Legends, where archived campaigns lie"),
        ("active", "the link to the active campaign"),
    ],
)
def test_no_hero_has_the_name_of_what_the_realm_keeps_among_the_campaigns(
    mistakes_in, small, hero: str, what: str
) -> None:
    small[f"specs/heroes/{hero}.yaml"] = small[HERO].replace("id: pip", f"id: {hero}")
    small[f"specs/campaigns/{hero}/one.yaml"] = "name: One\nid: one\n"
    sentence = (
        f'no hero can be called "{hero}": campaigns/{hero} is {what}; '
        "give the hero another id, in its file's name and in the folder of its campaigns too"
    )
    assert said(mistakes_in(small)) == [
        f"specs/campaigns/{hero}/one.yaml:2:5: {sentence}",
        f"specs/heroes/{hero}.yaml:1:5: {sentence}",
    ]


def test_a_campaign_in_the_folder_of_no_hero_is_named(mistakes_in, small) -> None:
    small["specs/campaigns/pop/campaign-001.yaml"] = "id: campaign-001\n"
    assert said(mistakes_in(small)) == [
        'specs/campaigns/pop/campaign-001.yaml:1:1: lies in the folder of "pop", which is not the id of a hero;'
        ' known: pip; did you mean "pip"?'
    ]


def test_a_tree_without_a_realm_is_a_mistake_and_not_an_empty_realm(mistakes_in) -> None:
    assert said(mistakes_in({})) == [
        "specs/realm.yaml: is missing; every realm has this file: reconcile init writes one"
    ]


def test_a_key_that_must_be_there_and_has_no_value_is_one_mistake(mistakes_in, small) -> None:
    small[QUEUE] = "quests:\n  - {id: null, skill: bin, level: 1, count: 4}\n"
    assert said(mistakes_in(small)) == ["specs/queue.yaml:2:10: id is empty; give a value or remove the line"]


def test_sections_whose_lines_are_all_commented_out_are_empty(tree, small) -> None:
    small[QUEUE] = "quests:\n  # - id: later\n"
    small[REALM] = "id: lab\ndefaults:\nactive: pip/campaign-001\n"
    assert load(tree(small), NoCache()).quests == ()


def test_the_text_shows_the_line_and_underlines_what_is_wrong(tree, small) -> None:
    small[CAMPAIGN] = "id: campaign-001\nname: 🔢 x\nskills_focus: [binn]\n"
    small[HERO] = small[HERO].replace("2.0e-3", "2.0e+3")
    with pytest.raises(SpecMistakesError) as caught:
        load(tree(small), NoCache())
    assert render(caught.value.mistakes) == (
        "specs/campaigns/pip/campaign-001.yaml:3:16\n"
        "    skills_focus: [binn]\n"
        '                   ^^^^  "binn" is not the id of a skill; known: bin; did you\n'
        '                         mean "bin"?\n'
        "specs/heroes/pip.yaml:5:18\n"
        "      learning_rate: 2.0e+3\n"
        "                     ^^^^^^  must be below 1 (got 2000.0)"
    )
    assert caught.value.summary == "2 mistakes in 2 of 5 specs."


def test_a_terminal_is_never_sent_control_characters_of_a_spec(mistakes_in, small) -> None:
    small[HERO] = "id: pip\nname: \x1b[2Jboo\n"
    mistakes = mistakes_in(small)
    assert mistakes[0].message == "holds the invisible character U+001B"
    assert "\x1b" not in render(mistakes)


def test_the_same_files_give_the_same_bytes(tree, small) -> None:
    reversed_order = dict(reversed(small.items()))
    assert msgspec.json.encode(load(tree(small), NoCache())) == msgspec.json.encode(
        load(tree(reversed_order), NoCache())
    )


def test_mistakes_between_keys_are_shown_beside_those_of_single_keys(mistakes_in, small) -> None:
    small[HERO] = small[HERO].replace("2.0e-3", "abc").replace("max_length: 256", "max_length: 1024")
    small[HERO] = small[HERO].replace("id: pip", "id: pop").replace("320", "300")
    small[QUEUE] = (
        "quests:\n"
        "  - {id: a, file: x.jsonl, skill: bin, epochs: 0}\n"
        "  - {id: a, skill: bin, count: 3, colour: red}\n"
        "  - {id: ../b, sha256: 3}\n"
    )
    small[REALM] = "id: lab\nactve: x\napply: {retry: {backoff: 1h, longest_backoff: 1m}}\n"
    assert said(mistakes_in(small)) == [
        HERO + ':1:5: is "pop", but the file is pip.yaml; make them equal',
        HERO + ":2:101: is 300; tokenizer: bytes has 320 tokens",
        HERO + ':5:18: is "abc" (a string); expected a number',
        HERO + ":6:15: is 1024, more than the model's context_length (512)",
        QUEUE + ':2:5: quest "a" has both file and skill; expected one of them',
        QUEUE + ":2:48: must be above 0 (got 0)",
        QUEUE + ':3:5: quest "a" lacks level, which a skill needs',
        QUEUE + ':3:10: "a" is the id of quests[0] already; give each quest an id of its own',
        QUEUE
        + ':3:35: unknown key "colour"; known: id, file, dataset, fields, sha256, skill, level, count, seed,'
        " allow_leakage, on_edit, epochs and 2 more; all of them: reconcile schema queue",
        QUEUE + ":4:5: it has neither file nor skill; expected one of them",
        QUEUE
        + ':4:10: "../b" is no id; expected 1 to 64 lowercase letters, digits, and single hyphens or dots'
        " between them",
        QUEUE + ":4:24: is 3 (a whole number); expected 64 lowercase hex digits",
        REALM + ':2:1: misspelt key "actve"; did you mean "active"?',
        REALM + ":3:47: is 1m, shorter than backoff (1h)",
    ]


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        (QUEUE, "quests:\n  - {id: a, fil: x.jsonl}\n", [2]),
        (QUEUE, "quests:\n  - {id: a, file: 3}\n  - 7\n  - {id: 1, file: a.jsonl}\n  - {id: 1, file: b}\n", [2, 3, 4, 5]),
        (QUEUE, "quests:\n  - {id: a, skill: 7, level: 1, count: 2}\n", [2]),
        (REALM, "id: lab\napply: {retry: {backoff: 1 hour, longest_backoff: 1s}}\n", [2]),
        (HERO, "id: pip\nmodel: {init: scrtch}\n", [2] * 7),
        (HERO, "id: pip\nmodel: 3\ntraining_defaults: {max_length: 9000, optimizer: 3}\n", [2, 3]),
    ],
)  # fmt: skip
def test_a_wrong_value_makes_no_false_mistake_between_keys(mistakes_in, small, path, text, lines) -> None:
    small[path] = text
    mistakes = [one for one in mistakes_in(small) if one.path == path]
    assert [one.line for one in mistakes] == lines
