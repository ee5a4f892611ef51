"""Do weights fill the model beside them? The trainer's libraries know what an architecture is made of.

Asked before a spec names the weights: a base that lacks some, or has them under other names or in other
shapes, would be found out by the first launch only. Where the libraries are not installed it is said so.
"""

from typing import Literal

from reconciler.app.data.unfit_weights import ask_for_fit, missing_libraries
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from state.amounts import count

_INSTALL = "pip install 'realm-reconciler[train]'"


def check_weights(
    environment: Environment, folder: str, kind: Literal["base", "checkpoint"]
) -> tuple[str, ...]:
    """Return what a person should know of the tensors in a folder.

    Raises:
        Failed: they do not fill the model that its config.json describes.
    """
    if missing := missing_libraries():
        why = f"{', '.join(missing)} not installed here ({_INSTALL})"
        return (_not_compared(folder, why),)
    fit = ask_for_fit(environment, folder, kind)
    if fit.problem is not None:
        named = "" if folder in fit.problem else f"{folder}: "
        done = "committed" if kind == "checkpoint" else "written"
        raise Failed(f"{named}{fit.problem}; nothing was {done}")
    if fit.why_not is not None:
        return (_not_compared(folder, fit.why_not),)
    return (_not_used(folder, fit.unused),) if fit.unused else ()


def _not_compared(folder: str, why: str) -> str:
    return f"{folder}: its tensors were not compared with the architecture's: {why}; the first launch does it"


def _not_used(folder: str, names: tuple[str, ...]) -> str:
    have = "has" if len(names) == 1 else "have"
    return (
        f"{folder}: {count(len(names), 'tensor')} {have} no place in the model of its config.json, and "
        f"would not be trained: {names[0]}{', ...' if len(names) > 1 else ''}"
    )
