"""Settings from the command line, `--set learning_rate=1e-4`: the last layer, held to the rules of the specs.

Called by `app` before anything is planned. They count for this one command and are remembered nowhere.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from reconciler.desired.desired import Said
from reconciler.desired.kinds import Kind
from reconciler.desired.mistakes import Mistake
from reconciler.desired.places import Finding, KeyPath, key_text
from reconciler.desired.training import TrainingSettings, check_settings
from reconciler.desired.yaml_scalars import BadScalar, plain_scalar

_KIND = Kind("campaign", TrainingSettings, "", check_settings)
"""No spec, and held to the same rules."""


class BadSettingError(Exception):
    """One or more settings of the command line are wrong; the text names each."""


def said_on_command_line(words: Sequence[str]) -> Said | None:
    """Return the settings in words such as `learning_rate=1e-4` or `evaluation.every_updates=50`.

    Raises:
        BadSettingError: says everything that is wrong, each with the word that it is about.
    """
    if not words:
        return None
    by_path = {_path(word): word for word in words}
    values, findings = _values(words)
    findings += _check(values) if not findings else []
    if findings:
        raise BadSettingError(
            "\n".join(f"--set {_word_of(by_path, one)}: {_sentence(one)}" for one in findings)
        )
    texts = {key_text(path): word for path, word in by_path.items()}
    return Said(settings=msgspec.convert(values, TrainingSettings), words=texts)


def _path(word: str) -> KeyPath:
    return tuple(word.partition("=")[0].strip().split("."))


def _values(words: Sequence[str]) -> tuple[dict[str, Any], list[Finding]]:
    """Return the words as a nested mapping, and what is wrong with them as words."""
    values: dict[str, Any] = {}
    findings = []
    for word in words:
        path, (_, sign, text) = _path(word), word.partition("=")
        try:
            problem = _put(values, path, plain_scalar(text.strip())) if sign else "expected KEY=VALUE"
        except BadScalar as bad:
            problem = str(bad)
        if problem is not None:
            findings.append(Finding(at=path, message=problem))
    return values, findings


def _put(values: dict[str, Any], path: KeyPath, value: Any) -> str | None:
    """Put a value at a key path; say why not, if it cannot be."""
    *sections, last = path
    for section in sections:
        inner = values.setdefault(str(section), {})
        if not isinstance(inner, dict):
            return f"{section} is given a value of its own, too"
        values = inner
    if last in values:
        return "is given twice"
    values[str(last)] = value
    return None


def _check(values: dict[str, Any]) -> list[Finding]:
    from reconciler.desired.validation import check_values  # pydantic: 0.2 s, only for who sets something

    _, findings = check_values(_KIND, values)
    return findings or list(check_settings(msgspec.convert(values, TrainingSettings)))


def _word_of(by_path: dict[KeyPath, str], finding: Finding) -> str:
    """Return the word that a finding is about: its own key, one around it, or one inside it."""

    def is_about(path: KeyPath) -> bool:
        length = min(len(path), len(finding.at))
        return path[:length] == finding.at[:length]

    near: Iterator[str] = (word for path, word in by_path.items() if is_about(path))
    return by_path.get(finding.at) or next(near, key_text(finding.at))


def _sentence(finding: Finding) -> str:
    known, near = finding.known, finding.nearest
    return Mistake(path="", message=finding.message, known=known, nearest=near, hint=finding.hint).sentence
