"""The ancestors of a checkpoint, by the digest that each one's manifest gives of its parent.

A manifest lies beside the weights; of those that retention dropped the store has kept it. Nothing is guessed:
where neither is there, the chain is broken, and says after whom.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

import apsw
import msgspec

from reconciler.app.proof.records import Ancestor
from reconciler.observed.facts import Facts
from state.contract.manifest import Manifest
from state.ids import RunKey
from state.layout import Layout
from state.store.connection import open_reader
from state.store.lineage import manifest_of
from state.store.rows import ManifestRow
from state.store.tables import select_one


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint of the chain."""

    manifest: Manifest
    path: str | None
    """Of its folder; None: its weights are gone, and its manifest has no cursor."""
    which: str
    """The step; of a segment that is not the living one with its number."""
    campaign: str
    """As it is called now, whatever it was called when it saved this."""

    @property
    def checkpoint(self) -> str:
        return f"{self.campaign}@{self.which}"

    @property
    def run(self) -> RunKey | None:
        """Return the launch that trained it; None of one that was taken over as it was."""
        manifest = self.manifest
        is_taken_over = manifest.origin is not None or manifest.imported is not None
        if is_taken_over and manifest.attempt == 0:
            return None
        return RunKey(manifest.campaign_uid, manifest.generation, manifest.attempt)

    def told(self) -> Ancestor:
        """Return what a proof says of it."""
        return Ancestor(
            checkpoint=self.checkpoint,
            digest=self.manifest.digest,
            kept="folder" if self.path is not None else "store",
            run=self.run.folder if self.run is not None else None,
            saved_at=self.manifest.created_at,
            num_rows=sum(part.stop - part.start for part in self.manifest.learnt),
        )


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint and its ancestors, each before its parent."""

    links: tuple[Link, ...]
    broken: str | None = None
    """What is not known; None: it goes back to the first weights."""


class Seen(Protocol):
    """What a proof stands on: what was found, and where."""

    @property
    def facts(self) -> Facts: ...

    @property
    def layout(self) -> Layout: ...


def chain_of(view: Seen, digest: str) -> Chain:
    """Return the chain of the checkpoint with this digest; without links when nothing is known of it."""
    names = _names(view.facts)
    here = {
        found.manifest.digest: names.link(found.manifest, found.path)
        for campaign in view.facts.campaigns.values()
        for found in campaign.all_complete
    }
    with open_reader(view.layout.store) as store:
        links = tuple(_walk(here, names, store, digest))
    last = links[-1].manifest if links else None
    if last is not None and last.imported is not None:
        where = f"{links[-1].checkpoint} was imported from {last.imported.source}"
        return Chain(links=links, broken=f"{where}: what it had learnt there is not known")
    if last is None or last.parent_digest is None:
        return Chain(links=links)
    return Chain(links=links, broken=_broken(links[-1]))


class _Names(msgspec.Struct, frozen=True):
    """How checkpoints and campaigns are called now."""

    left: Mapping[str, str]
    """Digest of a checkpoint that is not of the living history → its segment and step."""
    campaigns: Mapping[str, str]
    """Uid → name."""

    def link(self, manifest: Manifest, path: str | None) -> Link:
        which = self.left.get(manifest.digest, str(manifest.step))
        campaign = self.campaigns.get(manifest.campaign_uid, manifest.campaign)
        return Link(manifest=manifest, path=path, which=which, campaign=campaign)


def _names(facts: Facts) -> _Names:
    left = {row.digest: row.which for row in facts.store.ledger if not row.is_living}
    return _Names(left, {row.uid: row.name for row in facts.store.campaigns})


def _walk(here: dict[str, Link], names: _Names, store: apsw.Connection, digest: str | None) -> Iterator[Link]:
    seen: set[str] = set()
    while digest is not None and digest not in seen:
        seen.add(digest)
        link = here.get(digest) or _kept(store, names, digest)
        if link is None:
            return
        yield link
        digest = link.manifest.parent_digest


def _kept(store: apsw.Connection, names: _Names, digest: str) -> Link | None:
    row = select_one(store, ManifestRow, "WHERE digest = ?", digest)
    return names.link(manifest_of(row), None) if row is not None else None


def _broken(link: Link) -> str:
    """Say whose parent is not known."""
    last = link.manifest
    source = last.origin.campaign if last.origin is not None else last.campaign
    return (
        f"{link.checkpoint} goes on from {source}@{last.parent_step} ({last.parent_digest}), of "
        "which there is no record here: what that one had learnt is not known"
    )
