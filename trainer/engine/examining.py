"""Examining the focused skills by generation, right before a checkpoint is saved: it carries the result.

Result and weights become durable by one rename: a kill in between loses both, and what is trained again is
examined again. Nothing is counted twice, and no result is of other weights than those beside it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import msgspec
import torch

from state.contract.examination import CutShort, LevelResult, SkillExam, exam_version
from trainer.checkpoints.state import random_tensors, set_random
from trainer.data.rendering import RowError
from trainer.engine.attention import use_documents
from trainer.engine.compiling import uncompiled
from trainer.engine.device import autocast
from trainer.engine.failures import SettingsError
from trainer.engine.generating import answers
from trainer.engine.log import say
from trainer.engine.run_state import RunState
from trainer.engine.telling import Teller
from trainer.skills.registry import UnknownSkillError, find_skill

Problems = tuple[tuple[str, str], ...]
"""Question and answer of each."""


class _CutShortError(Exception):
    """The run must leave before all problems are answered."""


class _TooLongError(Exception):
    """A skill's examination takes longer than its spec allows."""

    def __init__(self, exam: SkillExam, level: int) -> None:
        self.exam, self.level = exam, level


class Examiner:
    """Asks the model the same problems every time, greedily, and counts exact answers."""

    def __init__(self, state: RunState, teller: Teller) -> None:
        self._state = state
        self._teller = teller
        self.must_leave: Callable[[], bool] = lambda: False
        """Is the run asked to leave? Then an examination is cut short after a token, and has no result."""

    def examine(self) -> None:
        """Examine every skill of the config at this step, once.

        Raises:
            SettingsError: a skill is not built in or has no such level, or the template refuses a question.
        """
        state, exams = self._state, self._state.request.config.evaluation.skills
        if not exams or state.progress.skills_step == state.progress.step:
            return
        self._teller.heartbeat.enter("evaluating")
        try:
            with _answering(state):
                results = tuple(result for exam in exams for result in self._results(exam))
        except _CutShortError:
            say("examination cut short", step=state.progress.step, note="the run is asked to leave")
        except _TooLongError as error:
            self._note((), self._cut_short(error))
        else:
            self._note(results, None)
        self._teller.heartbeat.enter("training")

    def _note(self, results: tuple[LevelResult, ...], cut_short: CutShort | None) -> None:
        """Note what the examination of this step came to, which is not held again."""
        progress = self._state.progress
        self._state.progress = msgspec.structs.replace(progress, skills=results, skills_step=progress.step)
        self._teller.heartbeat.tell(cut_short=cut_short)

    def _cut_short(self, error: _TooLongError) -> CutShort:
        """Tell, and return, that an examination took too long."""
        exam, level, step = error.exam, error.level, self._state.progress.step
        note = (
            f"cut short after {exam.max_minutes:g} min (evaluation.max_minutes of skill {exam.skill}): no "
            "skill has a result at this step"
        )
        self._teller.record("examination", skill=exam.skill, level=level, note=note)
        say("examination cut short", step=step, skill=exam.skill, level=level, note=note)
        return CutShort(skill=exam.skill, level=level, step=step, max_minutes=exam.max_minutes)

    def _results(self, exam: SkillExam) -> Iterator[LevelResult]:
        ends_at = time.monotonic() + 60.0 * exam.max_minutes
        for level in exam.levels:
            yield self._result(exam, level, ends_at)

    def _after_token(self, exam: SkillExam, level: int, ends_at: float) -> None:
        """Tell that it goes on: a long examination is none that hangs."""
        if self.must_leave():
            raise _CutShortError
        if time.monotonic() > ends_at:
            raise _TooLongError(exam, level)
        self._teller.heartbeat.beat()

    def _result(self, exam: SkillExam, level: int, ends_at: float) -> LevelResult:
        started = time.perf_counter()
        state, config = self._state, self._state.request.config
        problems = problems_of(exam.source, level, exam.samples, exam.seed)
        asked = [question for question, _ in problems]
        after_token = partial(self._after_token, exam, level, ends_at)
        try:
            given = answers(state.model, state.vocabulary, asked, exam.max_new_tokens, after_token)
        except RowError as error:
            raise SettingsError(f"examination of skill {exam.skill}, level {level}: {error}") from error
        matches = find_skill(exam.source).exact_match
        result = LevelResult(
            skill=exam.skill,
            level=level,
            correct=sum(matches(text, answer) for text, (_, answer) in zip(given, problems, strict=True)),
            total=len(problems),
            version=exam_version(exam, level, problems, config.chat.digest, config.tokenizer.digest),
            pass_threshold=exam.pass_threshold,
            over=exam.over,
        )
        self._tell(result, time.perf_counter() - started)
        return result

    def _tell(self, result: LevelResult, seconds: float) -> None:
        self._teller.record(
            "examination",
            skill=result.skill,
            level=result.level,
            correct=result.correct,
            total=result.total,
            seconds=round(seconds, 4),
        )
        exact = f"{result.correct}/{result.total}"
        say("examined", step=self._state.progress.step, skill=result.skill, level=result.level, exact=exact)
        self._teller.heartbeat.beat()


@cache
def problems_of(source: str, level: int, samples: int, seed: int) -> Problems:
    """Return the problems of an examination.

    Raises:
        SettingsError: there is no such skill or level.
    """
    try:
        rows = list(find_skill(source).generate(level, samples, seed))
    except (UnknownSkillError, ValueError) as error:
        raise SettingsError(f"examination of skill {source}, level {level}: {error}") from error
    return tuple(_problem(row["messages"]) for row in rows)


def _problem(messages: list[dict[str, Any]]) -> tuple[str, str]:
    said = {message["role"]: str(message["content"]) for message in messages}
    return said["user"], said["assistant"]


@contextmanager
def _answering(state: RunState) -> Iterator[None]:
    """Let the model generate, one answer beside the other; afterwards it trains on as if nothing had been.

    Our attention is for flat rows of documents; generation asks with a mask and a cache.
    """
    model, random = state.model, random_tensors()
    device = next(model.parameters()).device
    model.eval()
    model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")
    try:
        with torch.no_grad(), autocast(device, state.precision), uncompiled():
            yield
    finally:
        use_documents(model)
        model.train()
        set_random(random)
