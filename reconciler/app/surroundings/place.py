"""Which repository and which root a command is about."""

from pathlib import Path

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from reconciler.desired.git_process import NoCommitYetError, UnknownRefError
from reconciler.desired.git_source import Commit, branches_of, resolve
from reconciler.desired.realm import Realm
from state.layout import Layout


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said on the command line about where things are and what is different this time."""

    repository: Path | None = None
    root: Path | None = None
    host: str | None = None
    """Id of this machine in hosts.yaml; None: found by its network name."""
    source: str | None = None
    """URL that a root without one is to follow from now on."""
    branch: str | None = None
    """Of that source."""
    is_new_root: bool = False
    """Begin the realm in a root where nothing is, also where one was in use."""
    settings: tuple[str, ...] = ()
    """Of `--set`, such as `learning_rate=1e-4`: the last layer of the config, for this command only."""


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """`source.json`: the repository and branch that this root follows, since the first apply."""

    schema_version: int = 1
    repository: str
    branch: str
    url: str | None = None
    """Where the branch is fetched from, into `repository`, a mirror below the root; None: it is local."""


def repository_of(environment: Environment, options: Options) -> Path:
    """Return the folder in which to look for the specs repository."""
    given = options.repository or environment.variables.get("REALM_REPO")
    if given:
        return (environment.cwd / given).resolve()
    return _mirror_of_root(environment, options) or environment.cwd


def is_remote(environment: Environment, options: Options) -> bool:
    """Is the command about a root whose specs are fetched from elsewhere?"""
    is_given = options.repository or environment.variables.get("REALM_REPO")
    return not is_given and _followed_mirror(environment, options) is not None


def _mirror_of_root(environment: Environment, options: Options) -> Path | None:
    """Return the mirror that the named root fetches into, for who stands in no repository with specs."""
    is_clone = any(_has_specs(folder) for folder in (environment.cwd, *environment.cwd.parents))
    return None if is_clone else _followed_mirror(environment, options)


def _has_specs(folder: Path) -> bool:
    return (folder / ".git").exists() and (folder / "specs" / "realm.yaml").is_file()


def _followed_mirror(environment: Environment, options: Options) -> Path | None:
    root = given_root(environment, options)
    following = read_following(Layout(root)) if root is not None else None
    return Path(following.repository) if following is not None and following.url is not None else None


def about_the_root(environment: Environment, options: Options) -> Options:
    """Return the options of a look at a named root that fetches its specs: what is fetched, in any folder.

    The commit of a clone in which a person happens to stand is no matter of that root's; `--repo` names it.
    """
    if options.repository or environment.variables.get("REALM_REPO"):
        return options
    mirror = _followed_mirror(environment, options)
    return options if mirror is None else msgspec.structs.replace(options, repository=mirror)


def head_of(environment: Environment, options: Options, ref: str = "HEAD") -> Commit:
    """Return the commit of a ref in the specs repository.

    Raises:
        SourceError: no repository, no commit, no such ref.
    """
    return resolve(repository_of(environment, options), ref)


def given_root(environment: Environment, options: Options) -> Path | None:
    """Return the root that a person names for this command: by the flag, else by REALM_ROOT."""
    given = options.root or environment.variables.get("REALM_ROOT")
    return (environment.cwd / given).resolve() if given else None


def root_of(environment: Environment, options: Options, realm: Realm, commit: Commit) -> Path:
    """Return the realm's root: the flag, REALM_ROOT, where it is in use, realm.yaml's word, or the default.

    The default is what the repository of the commit remembers since its first apply, else a folder in the
    user's data folder.

    Raises:
        Failed: it is to be new, and one is there; or what the repository remembers is damaged.
    """
    if options.is_new_root:
        return new_root(environment, options, realm, commit)
    given = given_root(environment, options)
    return given if given is not None else ungiven_root(environment, realm, commit)


def ungiven_root(environment: Environment, realm: Realm, commit: Commit) -> Path:
    """Return the realm's root where nobody names another for this command.

    Where it was in use it stays, whatever realm.yaml says by now: the plan names that. Where it was moved to
    the place that realm.yaml says, it is there.
    """
    from reconciler.app.surroundings.remembered_root import memory_of, remembered_root

    said, named = said_root(environment, realm), remembered_root(commit)
    home = memory_of(commit).home_on(environment.host)
    if home is None or (said is None and named is not None):
        return said or named or environment.data_folder / realm.id
    return said if said is not None and _is_the_realm_there(home, said) else home


def new_root(environment: Environment, options: Options, realm: Realm, commit: Commit) -> Path:
    """Return where a realm is begun anew: where it is said to be, else where it was, else in its own folder.

    Raises:
        Failed: one is there.
    """
    from reconciler.app.surroundings.remembered_root import is_in_use, memory_of

    home = memory_of(commit).home_on(environment.host)
    known = home if home is not None and not is_in_use(Layout(home)) else None
    said = given_root(environment, options) or said_root(environment, realm) or known
    root = said or environment.data_folder / realm.id
    if is_in_use(Layout(root)):
        raise Failed(
            f"--new-root begins a realm where none is, and {root} is in use: apply without it goes on"
        )
    return root


def said_root(environment: Environment, realm: Realm) -> Path | None:
    """Return the root that realm.yaml names."""
    if realm.root is None:
        return None
    return Path(realm.root.replace("~", str(environment.home), 1) if realm.root[0] == "~" else realm.root)


def _is_the_realm_there(home: Path, said: Path) -> bool:
    """Is the place that realm.yaml says the usual root by another name, or was that one moved there?"""
    from reconciler.app.surroundings.remembered_root import is_in_use

    if home.resolve() == said.resolve():
        return True
    return is_in_use(Layout(said)) and not is_in_use(Layout(home))


def read_following(layout: Layout) -> Following | None:
    """Return what this root follows; None before the first apply.

    Raises:
        Failed: the file is damaged.
    """
    from state.contract.files import ContractError, read

    try:
        return read(layout.source, Following)
    except FileNotFoundError:
        return None
    except ContractError as error:
        raise Failed(f"{error}; correct it, or remove it and apply again") from error


def followed_commit(following: Following, layout: Layout) -> Commit:
    """Return the newest commit of the branch that a root follows.

    Raises:
        SourceError: no repository; or the branch is gone, with what to do about that.
    """
    repository, branch = Path(following.repository), following.branch
    try:
        return resolve(repository, f"refs/heads/{branch}")
    except (UnknownRefError, NoCommitYetError) as error:
        there = ", ".join(branches_of(repository)) or "none"
        raise UnknownRefError(
            f"{repository}: apply follows the branch {branch}, which is not there any more "
            f"(branches: {there}); bring it back: git branch {branch} COMMIT "
            f"(reconcile status names the one applied last); "
            f'or follow another: write its name as "branch" into {layout.source}'
        ) from error


def branch_to_follow(repository: Path, head: Commit) -> str:
    """Return the branch that is checked out.

    Raises:
        Failed: none is; names one that could be.
    """
    if head.branch is not None:
        return head.branch
    there = branches_of(repository)
    usual = next((name for name in ("main", "master", *there) if name in there), "-c main")
    raise Failed(
        f"{repository}: no branch is checked out (HEAD is detached at {head.id[:7]}), "
        f"so there is none to follow; check one out: git switch {usual}"
    )


def write_following(layout: Layout, following: Following) -> None:
    """Remember what this root follows."""
    from state.atomic import ensure_folder, write_json

    ensure_folder(layout.root)
    write_json(layout.source, following)
