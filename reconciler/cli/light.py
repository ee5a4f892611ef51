"""What others import and a short command never looks into: loaded once somebody does look.

Beside our own modules these were a sixth of a plan with nothing to do.
"""

import os
import sys
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_SMALL_BYTES = 1 << 16


def lighten() -> None:
    """Let these modules wait for the first look into them; for commands with one thread only."""
    for name, answers in _SELDOM_LOOKED_INTO.items():
        spec = find_spec(name) if name not in sys.modules else None
        if spec is not None:
            _load_later(spec, answers)


def _load_later(spec: ModuleSpec, answers: Mapping[str, Callable[..., Any]]) -> None:
    """Load a module when an attribute is asked for that it has not (PEP 562), nor is among the `answers`.

    `importlib.util.LazyLoader` loads it at the second `import`, which asks for its spec.
    """
    module = module_from_spec(spec)
    attributes = vars(module)

    def load(name: str) -> Any:
        del attributes["__getattr__"]
        if spec.loader is not None:
            spec.loader.exec_module(module)
        return getattr(module, name)

    attributes.update(answers, __getattr__=load)
    sys.modules[spec.name] = module


def _loaded(name: str) -> ModuleType:
    """Return such a module with all that is in it."""
    module = sys.modules[name]
    load = vars(module).get("__getattr__")
    if load is not None and load.__module__ == __name__:
        load("__name__")
    return module


def _system() -> str:
    """Return what `platform.system` does: uuid asks for it, and nothing else of that module."""
    return os.uname().sysname


def _said(message: str) -> str:
    """Return what `gettext.gettext` does without a catalogue: click's words are English, as ours."""
    return message


def _counted(singular: str, plural: str, number: int) -> str:
    """Return what `gettext.ngettext` does without a catalogue."""
    return singular if number == 1 else plural


def _sha256(data: Any = b"", *, usedforsecurity: bool = True) -> Any:
    """Return what `hashlib.sha256` does; OpenSSL, whose loading takes 5 ms, is worth that from 64 KiB on."""
    if 0 < len(data) <= _SMALL_BYTES:
        return _SMALL_SHA256(data, usedforsecurity=usedforsecurity)
    return _loaded("hashlib").sha256(data, usedforsecurity=usedforsecurity)


def _small_sha256() -> Callable[..., Any] | None:
    """Return Python's own SHA-256, or None where it was built without."""
    for module in ("_sha2", "_sha256"):  # since 3.12; before
        try:
            return __import__(module).sha256  # type: ignore[no-any-return]  # no stubs: it is private to hashlib
        except (ImportError, AttributeError):
            continue
    return None


_SMALL_SHA256: Any = _small_sha256()
_SELDOM_LOOKED_INTO: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "inspect": {},
    "ipaddress": {},
    "textwrap": {},
    "platform": {"system": _system},
    "gettext": {"gettext": _said, "ngettext": _counted},
    **({"hashlib": {"sha256": _sha256}} if _SMALL_SHA256 is not None else {}),
}
"""Each with the functions that are asked for without a look into the rest."""


def import_msgspec() -> None:
    """Import msgspec without typing_extensions: it takes from it what Python has itself since 3.11."""
    if "typing_extensions" in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules["typing_extensions"] = None  # so that importing it fails; msgspec then asks `typing`
    try:
        import msgspec  # noqa: F401 - imported for those that come after
    finally:
        del modules["typing_extensions"]
