"""Ask the trainer what is in a file of rows, once: an answer is kept under all that it depends on."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from reconciler.app.data.unusable_tokenizers import TokenizerVerdicts
from reconciler.app.surroundings.environment import Environment
from state.amounts import count
from state.contract.inspection import (
    DEPTHS,
    InspectAnswer,
    Inspection,
    InspectRequest,
    counting_key,
    in_other_batches,
    inspection_key,
)
from state.kept_answers import KeptAnswers
from state.layout import STAGING_PREFIX

_KIND, _IN_ANY_BATCHES = "inspection", "inspection in any batches"
_INSTALL = "install the trainer's libraries: pip install 'realm-reconciler[train]'"
_MOST_NAMED = 3
_MOST_SILENT = 2
"""Processes in a row that answer nothing: then it is no matter of one file."""
Asked: TypeAlias = tuple[InspectRequest, str]
"""What to look for, and the digest of the file's bytes."""


class Inspector:
    """Looks through files of rows, and remembers what was found."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._answers = KeptAnswers(environment.cache_folder / "facts")
        self._verdicts = TokenizerVerdicts(environment)

    def known(self, request: InspectRequest, digest: str) -> Inspection | None:
        """Return what was found in a file with this digest before; None when nobody has looked."""
        return self._kept(_key(request, digest))

    def known_as_deep(self, request: InspectRequest, digest: str) -> Inspection | None:
        """Return what was found by a look that was at least as deep; None when nobody has looked so.

        Batches may have been of another size then: how full they are is not known.
        """
        depths = DEPTHS[DEPTHS.index(request.depth) :]
        requests = [msgspec.structs.replace(request, depth=depth) for depth in depths]
        looks = (self.known(one, digest) for one in requests)
        found = next((found for found in looks if found is not None), None)
        if found is not None:
            return found
        looks = (self._kept(_key_in_any_batches(one, digest)) for one in requests)
        found = next((found for found in looks if found is not None), None)
        return found and in_other_batches(found, request)

    def _kept(self, key: str) -> Inspection | None:
        answer = self._answers.get(key)
        if answer is None:
            return None
        try:
            return msgspec.json.decode(answer, type=Inspection)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def inspect(self, asked: Sequence[Asked], tell: Callable[[str], None]) -> list[InspectAnswer]:
        """Return an answer to each question, remembered or from one process of the trainer for all others.

        `tell` is told what is looked through, when anything is.
        """
        known = {_key(*one): self.known(*one) for one in asked}
        new = {_key(*one): one for one in asked if known[_key(*one)] is None}
        answers = {key: InspectAnswer(inspection=found) for key, found in known.items() if found}
        if new:
            requests = [request for request, _ in new.values()]
            tell(_looking_through([request.path for request in requests]))
            answers |= dict(zip(new, _ask(self._environment, requests), strict=True))
        for key, one in new.items():
            self._remember(*one, answers[key])
        return [answers[_key(*one)] for one in asked]

    def _remember(self, request: InspectRequest, digest: str, answer: InspectAnswer) -> None:
        """Keep what was found, and what it says of the tokenizer."""
        if answer.inspection is not None:
            found = msgspec.json.encode(answer.inspection)
            self._answers.put(_key(request, digest), found)
            self._answers.put(_key_in_any_batches(request, digest), found)
        if request.trained_as is None:
            return
        tokenizer, vocab_size = request.trained_as.tokenizer.digest, request.trained_as.vocab_size
        if answer.no_tokenizer:
            self._verdicts.refuse(tokenizer, vocab_size, str(answer.why_not))
        elif answer.inspection is not None and answer.inspection.tokens is not None:
            self._verdicts.accept(tokenizer, vocab_size)


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


def _key_in_any_batches(request: InspectRequest, digest: str) -> str:
    return f"{_IN_ANY_BATCHES}\0{counting_key(request, digest)}"


def told_as(path: str) -> str:
    """Return what people call a file of rows: those that a skill just made lie nowhere yet."""
    return "rows that were just made" if f"/{STAGING_PREFIX}" in path else path


def _looking_through(paths: Sequence[str]) -> str:
    different = list(dict.fromkeys(map(told_as, paths)))
    more = len(different) - _MOST_NAMED
    named = ", ".join(different[:_MOST_NAMED])
    return f"looking through {named}" + (f" and {count(more, 'file')} more" if more > 0 else "")


def _ask(environment: Environment, requests: Sequence[InspectRequest]) -> list[InspectAnswer]:
    """Return an answer to each request; a process that dies over one file is begun again behind it."""
    answers: list[InspectAnswer] = []
    num_silent = 0
    while num_silent < _MOST_SILENT and (left := requests[len(answers) :]):
        more, why_not = _ask_once(environment, left)
        num_silent = 0 if more else num_silent + 1
        answers += more
        if len(more) < len(left):
            answers.append(InspectAnswer(why_not=f"the trainer could not look through it: {why_not}"))
    return [*answers, *answers[-1:] * (len(requests) - len(answers))]


def _ask_once(
    environment: Environment, requests: Sequence[InspectRequest]
) -> tuple[list[InspectAnswer], str]:
    """Return the answers of one process, in the order of the requests, and the last that it said."""
    import subprocess

    from reconciler.act.environment import child_environment

    done = subprocess.run(
        [sys.executable, "-m", "trainer", "inspect", "--request", "-"],
        env=child_environment(environment.variables),
        cwd=os.sep,
        input=msgspec.json.Encoder().encode_lines(requests),
        capture_output=True,
        check=False,
    )
    whole = done.stdout[: done.stdout.rfind(b"\n") + 1]
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    why_not = lines[-1].removeprefix("inspect: ") if lines else f"exit code {done.returncode}"
    return msgspec.json.Decoder(InspectAnswer).decode_lines(whole), why_not
