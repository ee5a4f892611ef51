"""An environment that is the same everywhere: what a person set for git, for locales and for us reaches no test."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_PERSONAL = ("GIT_", "XDG_", "REALM_", "LC_", "LANG", "TZ", "HF_")
_GIT_CONFIG = "[safe]\n\tdirectory = *\n"
"""The checkout may belong to somebody else, as in a container."""


def leave_home() -> None:
    """Give this process, and all that it starts, an empty home and no settings of the person who tests."""
    for name in [name for name in os.environ if name.startswith(_PERSONAL)]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    os.environ |= {"HOME": str(home), "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"}
