"""Ask the trainer what is in a file of rows, once: an answer is kept under all that it depends on."""

import os
import sys

import msgspec

from reconciler.app.environment import Environment
from reconciler.app.errors import Failed
from state.contract.inspection import DEPTHS, Inspection, InspectRequest, inspection_key
from state.kept_answers import KeptAnswers

_KIND = "inspection"
_INSTALL = "install the trainer's libraries: pip install 'realm-reconciler[train]'"
_EXIT_ERRORS = 1
"""The file was looked through and has errors; or it could not be, and then nothing is on standard output."""


class Inspector:
    """Looks through files of rows, and remembers what was found."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._answers = KeptAnswers(environment.cache_folder / "facts")

    def known(self, request: InspectRequest, digest: str) -> Inspection | None:
        """Return what was found in a file with this digest before; None when nobody has looked."""
        answer = self._answers.get(_key(request, digest))
        if answer is None:
            return None
        try:
            return msgspec.json.decode(answer, type=Inspection)
        except msgspec.DecodeError:
            return None

    def known_as_deep(self, request: InspectRequest, digest: str) -> Inspection | None:
        """Return what was found by a look that was at least as deep; None when nobody has looked so."""
        depths = DEPTHS[DEPTHS.index(request.depth) :]
        looks = (self.known(msgspec.structs.replace(request, depth=depth), digest) for depth in depths)
        return next((found for found in looks if found is not None), None)

    def inspect(self, request: InspectRequest, digest: str) -> Inspection:
        """Return what is in a file with this digest, remembered or looked up by a process of the trainer.

        Raises:
            Failed: it could not look through it.
        """
        found = self.known(request, digest)
        if found is None:
            found = _ask(self._environment, request)
            self._answers.put(_key(request, digest), msgspec.json.encode(found))
        return found


def as_far_as_installed(request: InspectRequest) -> tuple[InspectRequest, str | None]:
    """Return the request without what needs libraries that are not here, and what is missing then."""
    missing = _missing(request)
    if not missing:
        return request, None
    less = msgspec.structs.replace(request, trained_as=None, depth="quick")
    return less, f"tokens unknown: {', '.join(missing)} not installed here; {_INSTALL}"


def _missing(request: InspectRequest) -> list[str]:
    """Return the libraries that the request needs and that are not installed; imports none of them."""
    from importlib.util import find_spec

    needed = [] if request.trained_as is None else ["tokenizers", "jinja2"]
    if request.trained_as is not None and request.trained_as.tokenizer.kind == "pretrained":
        needed.append("transformers")
    needed += ["numpy"] if request.depth == "deep" else []
    return [name for name in needed if find_spec(name) is None]


def _key(request: InspectRequest, digest: str) -> str:
    return f"{_KIND}\0{inspection_key(request, digest)}"


def _ask(environment: Environment, request: InspectRequest) -> Inspection:
    import subprocess

    from reconciler.act.environment import child_environment

    done = subprocess.run(
        [sys.executable, "-m", "trainer", "inspect", "--request", "-"],
        env=child_environment(environment.variables),
        cwd=os.sep,
        input=msgspec.json.encode(request),
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, _EXIT_ERRORS) or not done.stdout.strip():
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = lines[-1].removeprefix("inspect: ") if lines else f"exit code {done.returncode}"
        raise Failed(f"{request.path} could not be looked through: {why}")
    return msgspec.json.decode(done.stdout, type=Inspection)
