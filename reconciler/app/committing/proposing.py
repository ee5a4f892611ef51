"""`propose`, `suspend` and `unsuspend`: single lines of one spec, committed."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from reconciler.app.committing.line_edits import CannotEdit, with_key, without_line
from reconciler.app.committing.pushing import known_remote, push_new_branch, refuse_taken
from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.spec_edits import (
    Base,
    Committing,
    SpecCommit,
    campaign_named,
    commit_edits,
    read_base,
)
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused, NotFound
from reconciler.app.surroundings.place import Options
from reconciler.desired.base import Suspend, suspended_until
from reconciler.desired.mistakes import nearest_name
from reconciler.desired.places import KeyPath

_SINGLETONS = ("realm", "queue", "retention", "hosts")
_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_NO_BRANCH = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 60
_DAY = re.compile(r"[0-9-]+", re.ASCII)


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """A spec that is to be edited, and where in it."""

    thing: str
    """As it is called now."""
    path: str
    around: KeyPath = ()
    """Of a quest: its entry in the queue's file."""


def propose(
    environment: Environment,
    options: Options,
    thing: str,
    edits: Sequence[str],
    committing: Committing,
    push_to: str | None = None,
) -> SpecCommit:
    """Commit `key=value` edits of a thing's spec on a new branch; push it where a remote is named.

    Raises:
        Misused: an edit is no KEY=VALUE.
        NotFound: no such thing, no such remote.
        Blocked: no line edit fits; nothing would change; the branch is there already.
        SpecMistakesError: the specs would have mistakes.
    """
    base = read_base(environment, options)
    spec = spec_of(environment, options, base, thing)
    thing = spec.thing
    pairs = [_pair(edit) for edit in edits]
    text = base.text(spec.path)
    for key, value in pairs:
        text = _with(text, spec, key, _written(value))
    told = ", ".join(f"{'.'.join(key)}={value}" for key, value in pairs)
    if text == base.text(spec.path):
        raise Blocked(f"{spec.path}: {told} stands there already; nothing to propose")
    subject = f"Propose {told} for {thing}"
    if committing.branch is None:
        committing = msgspec.structs.replace(committing, branch=_branch_name(thing, pairs))
    remote = None
    if push_to is not None:
        remote = known_remote(_top(base), push_to)
        refuse_taken(_top(base), remote, committing.branch or "")
    made = commit_edits(environment, options, base, {spec.path: text}, subject, committing)
    if remote is None or made.commit is None or made.branch is None:
        return made
    push_new_branch(_top(base), remote, made.branch, made.commit)
    note = f"Pushed to {remote} and read back: open a pull request for {made.branch} there"
    return msgspec.structs.replace(made, pushed_to=remote, notes=(*made.notes, note))


def suspend(
    environment: Environment,
    options: Options,
    thing: str,
    reason: str,
    until: str | None,
    committing: Committing,
) -> SpecCommit:
    """Commit that nothing is done for a thing until it is lifted, or until a time has come.

    Raises:
        Misused: the reason or the end is empty, or it would have ended already.
        Blocked: it is suspended already.
    """
    if not reason.strip():
        raise Misused("a suspension needs its reason: --why TEXT")
    if until is not None and not until.strip():
        raise Misused('--until "" is no end; leave it out, and it lasts until it is lifted')
    base = read_base(environment, options)
    spec = _suspendable(environment, options, base, thing)
    thing = spec.thing
    if _is_suspended(base, spec):
        raise Blocked(
            f"{thing} is suspended already ({spec.path}); lift it first: reconcile unsuspend {thing}"
        )
    end = f", until: {_moment(until)}" if until else ""
    _refuse_over(until, environment.now())
    words = f"{{reason: {quoted(reason)}, by: {quoted(f'{environment.user}@{environment.host}')}{end}}}"
    text = _with(base.text(spec.path), spec, ("suspend",), words)
    subject = f"Suspend {thing}"
    return commit_edits(environment, options, base, {spec.path: text}, subject, committing)


def _refuse_over(until: str | None, now: str) -> None:
    end = suspended_until(Suspend(reason="", until=until)) if until else None
    if end is not None and end <= now:
        raise Misused(f"--until {until} is over already (now it is {now}): it would suspend nothing")


def unsuspend(environment: Environment, options: Options, thing: str, committing: Committing) -> SpecCommit:
    """Commit that a thing is suspended no longer.

    Raises:
        Blocked: it is not suspended, or no line edit fits.
    """
    base = read_base(environment, options)
    spec = _suspendable(environment, options, base, thing)
    thing = spec.thing
    if not _is_suspended(base, spec):
        raise Blocked(f"{thing} is not suspended: {spec.path} has no suspend; nothing to commit")
    try:
        text = without_line(base.text(spec.path), "suspend")
    except CannotEdit as error:
        raise Blocked(f"{spec.path}: {error}") from error
    return commit_edits(
        environment, options, base, {spec.path: text}, f"Lift the suspension of {thing}", committing
    )


def spec_of(environment: Environment, options: Options, base: Base, thing: str) -> Edited:
    """Return the file of a thing, and where in it the thing stands.

    Raises:
        NotFound: the specs have no such thing; names the nearest.
    """
    if thing in _SINGLETONS:
        return Edited(thing=thing, path=_there(base, f"specs/{thing}.yaml"))
    if thing.startswith("specs/"):
        return Edited(thing=thing, path=_there(base, thing))
    kind, _, name = thing.partition("/")
    if kind == "quest":
        ids = [quest.id for quest in base.desired.quests]
        if name not in ids:
            raise base.no_spec("quest", name, ids)
        return Edited(thing=thing, path="specs/queue.yaml", around=("quests", ids.index(name)))
    if (of_kind := _kinds(base).get(kind)) is not None and "/" not in name:
        if name not in of_kind:
            raise base.no_spec(kind, name, of_kind)
        return Edited(thing=thing, path=of_kind[name])
    campaign = campaign_named(environment, options, base, thing)
    is_said = thing.removeprefix("campaign/") == campaign.name
    return Edited(thing=thing if is_said else campaign.name, path=campaign.path)


def _kinds(base: Base) -> Mapping[str, Mapping[str, str]]:
    desired = base.desired
    return {
        "hero": {name: source.path for name, source in desired.heroes.items()},
        "skill": {name: source.path for name, source in desired.skills.items()},
        "dataset": {name: source.path for name, source in desired.datasets.items()},
    }


def _there(base: Base, path: str) -> str:
    if path in base.texts:
        return path
    near = nearest_name(path, base.texts)
    raise NotFound(f"{path}: there is no such spec" + (f'; did you mean "{near}"?' if near else ""))


def _suspendable(environment: Environment, options: Options, base: Base, thing: str) -> Edited:
    spec = spec_of(environment, options, base, thing)
    if spec.around:
        raise Misused(
            f"{thing}: a quest cannot be suspended by itself; suspend the queue, or send it back: "
            f"reconcile skip {thing.removeprefix('quest/')}"
        )
    return spec


def _is_suspended(base: Base, spec: Edited) -> bool:
    from reconciler.desired.yaml_nodes import parse  # ruamel: 45 ms, only here

    return "suspend" in parse(base.text(spec.path).encode()).values


def _pair(edit: str) -> tuple[tuple[str, ...], str]:
    key, equals, value = edit.partition("=")
    if not equals or not _KEY.fullmatch(key) or not value.strip() or "\n" in value:
        raise Misused(f'"{edit}" is no KEY=VALUE; as in  active=tiny/campaign-001  or  goal.updates=500')
    return tuple(key.split(".")), value.strip()


def _with(text: str, spec: Edited, key: tuple[str, ...], value: str) -> str:
    try:
        return with_key(text, (*spec.around, *key), value)
    except CannotEdit as error:
        raise Blocked(f"{spec.path}: {error}") from error


def _written(value: str) -> str:
    """Return a value as YAML that means what was typed: as it stands where it is YAML, else in quotes."""
    from reconciler.desired.yaml_nodes import parse

    read = parse(f"value: {value}\n".encode())
    is_plain = not read.findings and set(read.values) == {"value"} and " #" not in f" {value}"
    return value if is_plain else quoted(value)


def _moment(until: str) -> str:
    """Return an end as it is written, a time in quotes: its colons mean something else in braces."""
    return until if _DAY.fullmatch(until) else quoted(until)


def _branch_name(thing: str, pairs: Sequence[tuple[tuple[str, ...], str]]) -> str:
    words = "-".join(
        [thing.removeprefix("specs/").removesuffix(".yaml"), *(f"{k[-1]}-{v}" for k, v in pairs)]
    )
    return f"propose/{_NO_BRANCH.sub('-', words.casefold()).strip('-')[:_LONGEST_NAME].strip('-')}"


def _top(base: Base) -> Path:
    return base.commit.top or base.commit.git_dir
