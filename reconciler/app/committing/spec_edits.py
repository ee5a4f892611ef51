"""A verb that is a commit on the specs repository: what it edits, checked before it is committed.

The base is the commit that is checked out. The edited specs are read whole before anything is written: a verb
never commits a mistake.
"""

from collections.abc import Iterable, Mapping
from difflib import unified_diff
from pathlib import Path
from shlex import quote

import msgspec

from reconciler.app.applying.source_urls import shown_url
from reconciler.app.committing.commits import FileChange, Made, make_commit
from reconciler.app.planning.look import view_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, NotFound
from reconciler.app.surroundings.ground import named_now
from reconciler.app.surroundings.no_spec import no_spec
from reconciler.app.surroundings.place import Following, Options, head_of, read_following, root_of
from reconciler.app.surroundings.realm_store import check_no_copy
from reconciler.desired.campaign import Campaign
from reconciler.desired.desired import Desired, Source
from reconciler.desired.edits import uncommitted
from reconciler.desired.git_source import Commit, open_commit
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import FileCache
from reconciler.desired.tree import MAX_BYTES, SpecFile, SpecTree, blob_id
from state.layout import Layout
from state.store.connection import StoreDamaged
from state.store.schema import StoreTooNew


class Committing(msgspec.Struct, frozen=True, kw_only=True):
    """How a person wants it committed."""

    branch: str | None = None
    """A new branch to make for it; None: the branch that is checked out."""
    dry_run: bool = False
    """Only show the diff."""
    why: str | None = None


class SpecCommit(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb committed, or would commit."""

    schema_version: int = 1
    message: str
    files: tuple[str, ...]
    diff: str
    commit: str | None
    """None: nothing was committed (--dry-run)."""
    branch: str | None
    is_new_branch: bool
    follows: str | None
    """Branch that apply follows; null before the first apply."""
    followed_elsewhere: str | None = None
    """The repository that apply follows that branch in, where it is another one than this."""
    committed_as: str | None
    is_identity_made_up: bool = False
    pushed_to: str | None = None
    """The remote that has the branch now, read back."""
    notes: tuple[str, ...] = ()


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The specs as they are committed, and what was read of them."""

    commit: Commit
    desired: Desired
    texts: Mapping[str, str]
    """Path of a spec → its text; only of those that may be edited."""

    def text(self, path: str) -> str:
        """Return a spec's text."""
        return self.texts[path]

    def no_spec(self, kind: str, name: str, known: Iterable[str]) -> NotFound:
        """Return the error for a name of this kind that no spec of the commit has."""
        return no_spec(kind, name, known, self.not_committed())

    def not_committed(self) -> tuple[str, ...]:
        """Return the specs that are not as in the commit in its work tree; a bare repository has none."""
        return uncommitted(self.commit.top, self.commit) if self.commit.top else ()


def read_base(environment: Environment, options: Options) -> Base:
    """Return the specs at the commit that is checked out.

    Raises:
        SourceError: no repository, no commit.
        SpecMistakesError: the specs have mistakes already.
    """
    commit = head_of(environment, options)
    with open_commit(commit) as tree:
        desired = load(tree, FileCache(environment.cache_folder))
        texts = {file.path: _decoded(tree.read(file)) for file in tree.files if file.path.endswith(".yaml")}
    return Base(commit=commit, desired=desired, texts=texts)


def campaign_named(environment: Environment, options: Options, base: Base, name: str) -> Source[Campaign]:
    """Return the spec of a campaign by its name, or by one that it had before a rename.

    Raises:
        NotFound: there is no such spec; or several campaigns had that name, and none has it now.
    """
    wanted = called_now(environment, options, base, name.removeprefix("campaign/"))
    if wanted not in base.desired.campaigns:
        raise base.no_spec("spec of a campaign", wanted, base.desired.campaigns)
    return base.desired.campaigns[wanted]


def called_now(environment: Environment, options: Options, base: Base, name: str) -> str:
    """Return what a campaign with this name, or that had it before, is called, applied or not yet.

    Raises:
        NotFound: several campaigns had that name, and none has it now.
    """
    campaigns = base.desired.campaigns
    said = [now for now, source in campaigns.items() if source.spec.was == name]
    if name in campaigns or len(said) == 1:
        return name if name in campaigns else said[0]
    try:
        view = view_of(environment, options, base.commit, base.desired)  # with what git sees as moved
    except (StoreDamaged, StoreTooNew):
        return name  # apply says what is wrong
    return named_now(view.facts.store.campaigns, name)


def commit_edits(
    environment: Environment,
    options: Options,
    base: Base,
    texts: Mapping[str, str | None],
    subject: str,
    committing: Committing,
    notes: tuple[str, ...] = (),
) -> SpecCommit:
    """Commit these texts of specs (None: the spec goes), or say what would be committed.

    Raises:
        Blocked: a file that it would change has edits that are not committed; or it is a root's mirror.
        Failed: the root is a copy of another one, whose reconciler would take the commit up.
        SpecMistakesError: the specs would have mistakes.
    """
    check_no_copy(Layout(root_of(environment, options, base.desired.realm.spec, base.commit)))
    changes = tuple(
        FileChange(path=path, before=_encoded(base.texts.get(path)), after=_encoded(text))
        for path, text in sorted(texts.items())
        if base.texts.get(path) != text
    )
    _refuse_dirty(base, changes)
    _check(environment, base, changes)
    message = subject if committing.why is None else f"{subject}\n\n{committing.why}"
    made = None
    if not committing.dry_run:
        _refuse_mirror(environment, options, base)
        made = make_commit(environment, base.commit, changes, message, committing.branch)
    return _told(environment, options, base, changes, message, committing, made, notes)


def _told(
    environment: Environment,
    options: Options,
    base: Base,
    changes: tuple[FileChange, ...],
    message: str,
    committing: Committing,
    made: Made | None,
    notes: tuple[str, ...],
) -> SpecCommit:
    following = read_following(Layout(root_of(environment, options, base.desired.realm.spec, base.commit)))
    who = made.identity if made else None
    return SpecCommit(
        message=message,
        files=tuple(change.path for change in changes),
        diff="".join(map(_diff, changes)),
        commit=made.commit if made else None,
        branch=made.branch if made else committing.branch or base.commit.branch,
        is_new_branch=committing.branch is not None,
        follows=following.branch if following else None,
        followed_elsewhere=_elsewhere(following, base.commit) if following else None,
        committed_as=f"{who.name} <{who.email}>" if who else None,
        is_identity_made_up=who is not None and who.is_made_up,
        notes=notes,
    )


def _elsewhere(following: Following, here: Commit) -> str | None:
    """Return what apply follows when that is another repository, as it may be shown."""
    if following.url is not None:
        return shown_url(following.url)
    same = Path(following.repository) == (here.top or here.git_dir)
    return None if same else following.repository


def _refuse_mirror(environment: Environment, options: Options, base: Base) -> None:
    """Refuse a commit in what a root has fetched: it would be in no clone, and gone with the next fetch."""
    following = read_following(Layout(root_of(environment, options, base.desired.realm.spec, base.commit)))
    if following is None or following.url is None or base.commit.git_dir != Path(following.repository):
        return
    url = shown_url(following.url)
    raise Blocked(
        f"{following.repository} is fetched from {url}, and nothing is committed in it; "
        f"do this in a clone: git clone {quote(url)}, then: git push"
    )


def _refuse_dirty(base: Base, changes: tuple[FileChange, ...]) -> None:
    edited = set(base.not_committed())
    dirty = [change.path for change in changes if change.path in edited]
    if dirty:
        raise Blocked(
            f"{', '.join(dirty)}: edits there are not committed, so nothing was changed; "
            "commit them or put them away first (git stash)"
        )


def _check(environment: Environment, base: Base, changes: tuple[FileChange, ...]) -> None:
    """Read the specs as they would be."""
    contents = {change.path: change.after for change in changes}
    with open_commit(base.commit) as tree:
        load(_edited(tree, contents, len(base.commit.id)), FileCache(environment.cache_folder))


def _edited(tree: SpecTree, contents: Mapping[str, bytes | None], num_digits: int) -> SpecTree:
    changed = [
        SpecFile(path=path, blob_id=blob_id(text, num_digits))
        for path, text in contents.items()
        if text is not None
    ]
    files = [file for file in tree.files if file.path not in contents]

    def read(file: SpecFile) -> bytes:
        content = contents.get(file.path)
        return tree.read(file) if content is None else content[: MAX_BYTES + 1]

    ordered = tuple(sorted((*files, *changed), key=lambda file: file.path))
    return SpecTree(files=ordered, mistakes=tree.mistakes, read=read)


def _diff(change: FileChange) -> str:
    before = _decoded(change.before or b"").splitlines(keepends=True)
    after = _decoded(change.after or b"").splitlines(keepends=True)
    old = f"a/{change.path}" if change.before is not None else "/dev/null"
    new = f"b/{change.path}" if change.after is not None else "/dev/null"
    lines = unified_diff(before, after, old, new)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:  # cannot be: the specs were read without a mistake
        raise Failed(f"a spec is not UTF-8: {error}") from error
