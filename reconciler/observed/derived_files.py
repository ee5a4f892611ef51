"""The files and links under the root that are rewritten from the store, and the folders of the campaigns."""

import errno
from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.observed.folders import Folder, UnsafeFile, open_folder, printable, reason
from reconciler.observed.records import (
    IS_EMPTY,
    CampaignFolders,
    DerivedFacts,
    DerivedFile,
    DerivedLink,
    ForeignFolder,
    SeenFolder,
)
from state.formats import MAX_RECORD_BYTES
from state.ids import ARCHIVE, is_campaign_name, is_id
from state.layout import STAGING_PREFIX, Layout
from state.nesting import MAX_LEVELS, is_too_deep


def observe_derived(layout: Layout, campaigns: Mapping[str, SeenFolder]) -> DerivedFacts:
    """Return the active pointer and link, as they are, with the files of each of these campaigns."""
    return DerivedFacts(
        active_pointer=read_derived(layout.active_pointer, layout.root),
        active_link=_read_link(layout.active_link, layout.root),
        campaign_records={name: seen.record for name, seen in campaigns.items()},
        status_files={name: seen.training_status for name, seen in campaigns.items()},
    )


def read_derived(path: Path, root: Path) -> DerivedFile:
    """Return a JSON object file below the root as it is; missing is neither content nor problem."""
    try:
        with open_folder(path.parent, root) as folder:
            return derived_in(folder, path.name)
    except FileNotFoundError:
        return DerivedFile(path=str(path))
    except (OSError, UnsafeFile) as error:
        return DerivedFile(path=str(path), problem=reason(error))


def derived_in(folder: Folder, name: str) -> DerivedFile:
    """Return a JSON object file in an open folder as it is; see `read_derived`."""
    path = f"{folder.text}/{name}"
    try:
        content = folder.read(name, MAX_RECORD_BYTES)
    except FileNotFoundError:
        return DerivedFile(path=path)
    except (OSError, UnsafeFile) as error:
        return DerivedFile(path=path, problem=reason(error))
    file = DerivedFile(path=path, content=content)
    problem = _not_an_object(file)
    return DerivedFile(path=path, problem=problem) if problem else file


def observe_campaign_folders(layout: Layout) -> CampaignFolders:
    """Return which `<hero>/<campaign>` folders there are; what else lies there is foreign."""
    names: list[str] = []
    foreign: list[ForeignFolder] = []
    reserved = {layout.active_link.name, ARCHIVE, layout.witness.name}
    try:
        with open_folder(layout.campaigns, layout.root) as heroes:
            for hero in heroes.names():
                if hero not in reserved and not hero.startswith(STAGING_PREFIX):
                    _look_into(heroes, hero, names, foreign)
    except FileNotFoundError:
        return CampaignFolders()
    except (OSError, UnsafeFile) as error:
        return CampaignFolders(problem=f"{layout.campaigns}: {reason(error)}")
    return CampaignFolders(names=tuple(sorted(names)), foreign=tuple(foreign))


def _look_into(heroes: Folder, hero: str, names: list[str], foreign: list[ForeignFolder]) -> None:
    """Add the campaigns in a hero's folder to the names, the rest to what is foreign."""
    if not is_id(hero):
        foreign.append(_foreign(heroes.path, hero, "the name is not the id of a hero"))
        return
    try:
        with heroes.enter(hero) as folder:
            for campaign in folder.names():
                if not campaign.startswith(STAGING_PREFIX):
                    _add(folder, hero, campaign, names, foreign)
    except FileNotFoundError:
        return
    except (OSError, UnsafeFile) as error:
        foreign.append(_foreign(heroes.path, hero, reason(error)))


def _add(folder: Folder, hero: str, campaign: str, names: list[str], foreign: list[ForeignFolder]) -> None:
    if not is_campaign_name(f"{hero}/{campaign}"):
        foreign.append(_foreign(folder.path, campaign, "the name is not the id of a campaign"))
        return
    try:
        with folder.enter(campaign):
            names.append(f"{hero}/{campaign}")
    except FileNotFoundError:
        return
    except (OSError, UnsafeFile) as error:
        foreign.append(_foreign(folder.path, campaign, reason(error)))


def _foreign(parent: Path, name: str, why: str) -> ForeignFolder:
    return ForeignFolder(path=str(parent / printable(name)), name=printable(name), reason=why)


def _not_an_object(file: DerivedFile) -> str | None:
    """Say what keeps the file from being a JSON object; what it holds is decoded here, once."""
    try:
        values = file.values  # kept in the record
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _what_is_wrong(file.content or b"")
    too_deep = is_too_deep(file.content or b"", values)
    return f"is nested more than {MAX_LEVELS} levels deep" if too_deep else None


def _what_is_wrong(content: bytes) -> str:
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return f"is not JSON: {error}" if content.strip() else IS_EMPTY
    return "is not a JSON object"


def _read_link(path: Path, root: Path) -> DerivedLink:
    try:
        with open_folder(path.parent, root) as folder:
            return DerivedLink(path=str(path), target=printable(folder.link_target(path.name)))
    except FileNotFoundError:
        return DerivedLink(path=str(path))
    except UnsafeFile as error:
        return DerivedLink(path=str(path), problem=reason(error))
    except OSError as error:
        problem = "is not a symbolic link" if error.errno == errno.EINVAL else reason(error)
        return DerivedLink(path=str(path), problem=problem)
