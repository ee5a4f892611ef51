"""Libraries that only some methods need: imported when asked for, missed by the name of their extra."""

from importlib import import_module
from typing import Any

from trainer.engine.failures import EnvironmentFailure


def optional_library(name: str, *, method: str) -> Any:
    """Return the module; `method` is both what asks for it and the extra that brings it.

    Raises:
        EnvironmentFailure: it is not installed here, or does not fit the rest of the environment.
    """
    try:
        return import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise EnvironmentFailure(
            f"method {method} needs {name}, which cannot be imported here ({error}); "
            f"install it: pip install 'realm-reconciler[{method}]', or set method: full"
        ) from error
