"""What others import and a short command never looks into: loaded once somebody does look.

Together this is a twelfth of a plan with nothing to do (41 of 491 million instructions, by valgrind).
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from typing import Any

_SELDOM_LOOKED_INTO = ("inspect", "ipaddress", "textwrap")


def lighten() -> None:
    """Let these modules wait for the first look into them; for commands with one thread only."""
    for name in _SELDOM_LOOKED_INTO:
        spec = find_spec(name) if name not in sys.modules else None
        if spec is not None:
            _load_later(spec)


def _load_later(spec: ModuleSpec) -> None:
    """Load a module when an attribute is asked for that it has not yet (PEP 562).

    `importlib.util.LazyLoader` loads it at the second `import`, which asks for its spec.
    """
    module = module_from_spec(spec)

    def load(name: str) -> Any:
        del vars(module)["__getattr__"]
        if spec.loader is not None:
            spec.loader.exec_module(module)
        return getattr(module, name)

    vars(module)["__getattr__"] = load
    sys.modules[spec.name] = module


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
