"""The way to a checkpoint from what is there, lap by lap, with all that it takes; or why there is none."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from reconciler.app.planning.look import View
from reconciler.app.proof.chain import Chain, Link
from reconciler.app.replaying.templates import TemplateGone, template_folder
from state.contract.files import ContractError, read
from state.contract.replay import Lap
from state.contract.request import HeldOutFile, RunRequest, config_hash
from state.homes import find_home
from state.layout import Layout
from state.store.rows import CampaignRow


class NoWay(Exception):
    """The checkpoint cannot be made again; one sentence, and which checkpoint of the way it is about."""

    def __init__(self, checkpoint: str, why: str) -> None:
        self.checkpoint, self.why = checkpoint, why
        super().__init__(f"{checkpoint}: {why}")


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """From a checkpoint that lies there, or from the first weights, to the one that was asked for."""

    start: Link | None
    """None: the first weights."""
    base: Link | None
    """What the adapters on the way belong to, where that is a checkpoint other than the start."""
    laps: tuple[Lap, ...]
    data: dict[str, str]
    """Digest of a quest's content → its snapshot."""


def way_to(view: View, chain: Chain, checkpoints: Path, device: str | None) -> Way:
    """Return the way to the first link of a chain; what is made lies in the folder `checkpoints`.

    Raises:
        NoWay: something that it takes is gone, or was never recorded.
    """
    links = chain.links
    place = next((index for index, link in enumerate(links) if index and link.path is not None), len(links))
    start = links[place] if place < len(links) else None
    if start is None and chain.broken is not None:
        raise NoWay(links[-1].checkpoint, f"no ancestor lies there, and the chain is broken: {chain.broken}")
    wanted = tuple(reversed(links[:place]))
    return Way(
        start=start,
        base=_base(chain, wanted, start),
        laps=tuple(_lap(view, chain, link, checkpoints, device) for link in wanted),
        data=dict(_data(view.layout, wanted)),
    )


def _base(chain: Chain, wanted: Sequence[Link], start: Link | None) -> Link | None:
    """Return the checkpoint below the adapters on the way, unless the way starts with it."""
    bases = (link.manifest.adapter_base for link in wanted)
    base = next((one for one in bases if one is not None and one.kind == "checkpoint"), None)
    if base is None or (start is not None and start.manifest.digest == base.digest):
        return None
    found = next((link for link in chain.links if link.manifest.digest == base.digest), None)
    if found is None or found.path is None:
        raise NoWay(wanted[0].checkpoint, f"its adapters belong to {base}, which does not lie there")
    return found


def _lap(view: View, chain: Chain, link: Link, checkpoints: Path, device: str | None) -> Lap:
    manifest, recipe = link.manifest, link.manifest.recipe
    if link.run is None or manifest.attempt == 0:
        origin = manifest.origin
        instead = f"; replay {origin.campaign}@{origin.step} instead" if origin else ", not trained here"
        raise NoWay(link.checkpoint, f"it was taken over as it was{instead}")
    if recipe is None:
        raise NoWay(link.checkpoint, "it was saved by an older version, which did not record how")
    request = _request(view, link)
    is_first = request.resume_step == manifest.parent_step
    return Lap(
        request=msgspec.structs.replace(
            request,
            checkpoints_dir=str(checkpoints),
            resume_step=manifest.parent_step,
            resume_dir=None,
            optimizer_state=request.optimizer_state if is_first else "resume",
            device=device or recipe.device,
            template_dir=_template(chain, link, request),
            held_out=request.held_out and _held_out(view.layout, request.held_out),
        ),
        manifest=manifest,
        original=link.path,
    )


def _request(view: View, link: Link) -> RunRequest:
    """Return what the run that saved a checkpoint was asked for."""
    run = link.run
    row = next((one for one in view.facts.store.campaigns if run and one.uid == run.campaign_uid), None)
    if run is None or row is None:
        raise NoWay(link.checkpoint, f"the store has no campaign {link.manifest.campaign}")
    path = _home(view.layout, row) / "runs" / run.folder / "request.json"
    try:
        request = read(path, RunRequest)
    except FileNotFoundError:
        raise NoWay(link.checkpoint, f"{path} is gone, which said how run {run.folder} trained") from None
    except ContractError as error:
        raise NoWay(link.checkpoint, str(error)) from error
    if config_hash(request.config) != request.config_hash:
        raise NoWay(link.checkpoint, f"{path} was changed: its config is not the one that its hash names")
    return request


def _template(chain: Chain, link: Link, request: RunRequest) -> str | None:
    """Return where the chat template of then lies, if it is not the model's any more."""
    try:
        return template_folder(request, (one.path for one in chain.links if one.path is not None))
    except TemplateGone as error:
        raise NoWay(link.checkpoint, str(error)) from error


def _home(layout: Layout, row: CampaignRow) -> Path:
    return find_home(layout, row).places.folder


def _held_out(layout: Layout, file: HeldOutFile) -> HeldOutFile:
    """Return a held-out file where its content lies now; the trainer compares the digest."""
    kept = layout.snapshot(file.digest)
    is_moved = not Path(file.path).exists() and kept.exists()
    return msgspec.structs.replace(file, path=str(kept)) if is_moved else file


def _data(layout: Layout, links: Sequence[Link]) -> Iterator[tuple[str, str]]:
    """Yield the content of every quest on the way."""
    for link in links:
        for learnt in link.manifest.learnt:
            path = layout.snapshot(learnt.digest)
            if not path.exists():
                why = f"the data of quest {learnt.quest_id} is gone: {path}"
                raise NoWay(link.checkpoint, why)
            yield learnt.digest, str(path)
