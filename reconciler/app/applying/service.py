"""`install-service`: a systemd unit that keeps apply running; the user's own by default.

What systemd stops is the reconciler alone (`KillMode=process`): training outlives it, and is adopted when it
comes back.
"""

import shlex
import sys
from pathlib import Path

import msgspec

from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed
from reconciler.app.surroundings.place import Options

WATCHDOG_SECONDS = 1800
"""A tick may read and hash a checkpoint of tens of gigabytes; one that takes longer hangs."""

UNIT = """\
[Unit]
Description=Realm {realm}: training as its specs in git say
Documentation=man:git(1)
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command}
WorkingDirectory={folder}
Restart=always
RestartSec=15
WatchdogSec={watchdog}
# Only the reconciler is stopped: training goes on without it and is adopted by the next one.
KillMode=process
TimeoutStopSec=120
# systemctl reload: look at the source now.
ExecReload=/bin/kill -HUP $MAINPID
NoNewPrivileges=yes

[Install]
WantedBy={target}
"""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that was written, or would be."""

    schema_version: int = 1
    path: str | None
    """None: only shown."""
    name: str
    text: str
    next_steps: tuple[str, ...]


def install_service(
    environment: Environment, options: Options, *, is_system: bool = False, only_show: bool = False
) -> Installed:
    """Write the unit of this realm.

    Raises:
        Blocked: another unit of this name is there, with other words.
        Failed: it cannot be written.
    """
    view = look_in_force(environment, options)
    name = f"realm-{view.desired.realm.spec.id}.service"
    text = _unit(view, is_system=is_system)
    folder = Path("/etc/systemd/system") if is_system else _user_units(environment)
    path = None if only_show else folder / name
    if path is not None:
        _write(path, text)
    systemctl = "systemctl" if is_system else "systemctl --user"
    steps = [f"{systemctl} daemon-reload", f"{systemctl} enable --now {name}", f"{systemctl} status {name}"]
    lingering = (
        [] if is_system else [f"loginctl enable-linger {environment.user}    # goes on after you log out"]
    )
    return Installed(path=str(path) if path else None, name=name, text=text, next_steps=(*steps, *lingering))


def _unit(view: View, *, is_system: bool) -> str:
    following = view.following
    folder = str(view.commit.top or view.commit.git_dir)
    where = ["--root", str(view.layout.root)]
    if following is None or following.url is None:
        where += ["--repo", folder]
    else:
        folder = str(view.layout.root)
    words = [sys.executable, "-m", "reconciler.cli", *where, "apply"]
    if not all(word.isprintable() for word in (*words, folder)):
        raise Failed(f"{folder!r}: systemd cannot be told of a path with a line end or the like in it")
    return UNIT.format(
        realm=view.desired.realm.spec.id,
        command=" ".join(_quoted(word) for word in words),
        folder=folder.replace("%", "%%"),  # systemd reads no quotes here, and no variables
        watchdog=WATCHDOG_SECONDS,
        target="multi-user.target" if is_system else "default.target",
    )


def _quoted(word: str) -> str:
    """Return a word as systemd reads it: % begins a specifier, $ a variable."""
    escaped = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return escaped if shlex.quote(word) == word else f'"{escaped}"'


def _user_units(environment: Environment) -> Path:
    base = environment.variables.get("XDG_CONFIG_HOME")
    return (Path(base) if base else environment.home / ".config") / "systemd" / "user"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.read_text(encoding="utf-8", errors="replace") != text:
            raise Blocked(
                f"{path} is there already and says something else; remove it, or see --show"
            ) from None
    except OSError as error:
        raise Failed(f"{path}: cannot be written: {error.strerror}") from error
