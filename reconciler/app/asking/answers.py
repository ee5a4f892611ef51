"""`try`: a few answers from a checkpoint, by the trainer's own process; torch is never loaded here."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.app.asking.adapter_bases import base_folder
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, Misused, NotFound
from reconciler.app.surroundings.ground import campaign_in, store_of
from reconciler.app.surroundings.place import Options
from reconciler.observed.checkpoints import observe_checkpoints, verify_contents
from reconciler.observed.records import FoundCheckpoint
from state.homes import find_home
from state.ids import which_of
from state.layout import Layout

_CHECKPOINT = re.compile(r"(?P<campaign>[^@]+)(?:@(?P<which>latest|(?:[0-9]{1,6}:)?[0-9]{1,18}))?", re.ASCII)
NEEDED = ("torch", "transformers", "safetensors")
INSTALL = "install the trainer's libraries: pip install 'realm-reconciler[train]'"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    prompt: str
    answer: str


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    checkpoint: str
    step: int
    digest: str
    answers: tuple[Answer, ...]


def answers(
    environment: Environment,
    options: Options,
    checkpoint: str,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    device: str,
) -> Answers:
    """Return the greedy answers of `<hero>/<campaign>@latest` or `@<step>` to the prompts.

    Raises:
        Misused: this is no name of a checkpoint.
        NotFound: no such campaign or checkpoint.
        Failed: the trainer's libraries are not installed, or it could not answer.
    """
    missing = missing_libraries()
    if missing:
        raise Failed(f"{', '.join(missing)} not installed here, so no model can answer; {INSTALL}")
    layout = layout_of(environment, options)
    campaign, segment, found = find_checkpoint(layout, checkpoint)
    row = next(row for row in store_of(layout).campaigns if row.name == campaign)
    base = base_folder(environment, layout, find_home(layout, row).places, found.manifest)
    limits = ["--max-new-tokens", str(max_new_tokens), "--device", device]
    below = [] if base is None else ["--base", str(base)]
    try:
        told = _ask(environment, Path(found.path), prompts, [*limits, *below])
    except Failed as error:
        raise Failed(_why_not(layout, campaign, segment, found) or str(error)) from error
    name = f"{campaign}@{which_of(segment, found.step)}"
    return Answers(checkpoint=name, step=found.step, digest=found.manifest.digest, answers=told)


def find_checkpoint(layout: Layout, name: str) -> tuple[str, int | None, FoundCheckpoint]:
    """Return the campaign, segment (None: the living one) and complete checkpoint that a name means."""
    match = _CHECKPOINT.fullmatch(name.removeprefix("checkpoint/"))
    if match is None:
        raise Misused(f'"{name}" is no checkpoint; expected <hero>/<campaign>@latest or @<step>')
    store = store_of(layout)
    campaign = campaign_in(store, match["campaign"])
    row = next(row for row in store.campaigns if row.name == campaign)
    places = find_home(layout, row).places
    number, _, step = (match["which"] or "").rpartition(":")
    segment = int(number) if number else None
    folder = places.checkpoints if segment is None else places.segment(segment)
    complete = observe_checkpoints(folder, layout.root, row.uid).complete
    if not complete:
        raise NotFound(f"campaign {campaign} has no complete checkpoint yet")
    if match["which"] in (None, "latest"):
        return campaign, None, complete[-1]
    wanted = int(step)
    found = next((one for one in complete if one.step == wanted), None)
    if found is None:
        steps = ", ".join(str(one.step) for one in complete[-12:])
        raise NotFound(f"campaign {campaign} has no complete checkpoint at step {wanted}; it has {steps}")
    return campaign, segment, found


def _why_not(layout: Layout, campaign: str, segment: int | None, found: FoundCheckpoint) -> str | None:
    """Return that a checkpoint is damaged, and the newest whole one before it; None when it is whole."""
    problems = verify_contents(Path(found.path), found.manifest)
    if not problems:
        return None
    places = Path(found.path).parent
    before = [one for one in observe_checkpoints(places, layout.root).complete if one.step < found.step]
    whole = next((o for o in reversed(before) if not verify_contents(Path(o.path), o.manifest)), None)
    instead = (
        f"the newest whole one is {campaign}@{which_of(segment, whole.step)}"
        if whole
        else "none before it is whole"
    )
    return f"checkpoint {campaign}@{which_of(segment, found.step)} is damaged: {problems[0]}; {instead}"


def missing_libraries() -> list[str]:
    """Return which of the trainer's libraries are not installed; imports none of them."""
    from importlib.util import find_spec

    return [name for name in NEEDED if find_spec(name) is None]


def _ask(
    environment: Environment, checkpoint: Path, prompts: Sequence[str], limits: Sequence[str]
) -> tuple[Answer, ...]:
    import subprocess

    from reconciler.act.environment import child_environment

    asked = [f"--prompt={prompt}" for prompt in prompts]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "trainer",
            "answer",
            "--checkpoint",
            str(checkpoint),
            "--json",
            *limits,
            *asked,
        ],
        env=child_environment(environment.variables),
        cwd=os.sep,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Failed(
            f"the trainer could not answer: {lines[-1] if lines else f'exit code {done.returncode}'}"
        )
    return tuple(msgspec.json.decode(line, type=Answer) for line in done.stdout.splitlines() if line.strip())
