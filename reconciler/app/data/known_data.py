"""What is known of the rows of quests that are about to be taken in: plan remembers, apply looks."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from reconciler.app.data.data_requests import QuestContent, Subjects
from reconciler.app.data.evaluation_sets import EvaluationSets, examined, with_leaks
from reconciler.app.data.inspecting import Asked, Inspector, as_far_as_installed, told_as
from reconciler.app.data.planned_queue import adds_training, waiting_again
from reconciler.app.data.unusable_tokenizers import TokenizerVerdicts
from reconciler.app.surroundings.environment import Environment
from reconciler.desired.desired import Desired
from reconciler.desired.queue import Quest
from reconciler.plan.actions import BeginSegment, EnqueueJob, StopRun, UpdateJob
from reconciler.plan.changes import Plan
from reconciler.plan.queue.quest_sources import QuestSource, quest_source, said
from reconciler.plan.world import World
from state.contract.inspection import (
    Guard,
    InspectAnswer,
    Inspection,
    InspectRequest,
    LookedThrough,
    inspection_key,
    unlooked,
)
from state.contract.row_contracts import MESSAGES
from state.layout import Layout

Look = Callable[[Sequence[Asked]], Sequence[Inspection | None]]
"""What was found in each content; None: it is not known."""
Guards = Callable[[Desired, Quest], tuple[Guard, ...]]
"""What skills are examined with, as far as a quest is compared with it."""
Known = Mapping[str, Inspection | None]
"""Quest id → what was found in its content; None: nobody has looked."""
_LOOK_AGAIN_AFTER_S = 300.0


def nothing_guarded(_desired: Desired, _quest: Quest) -> tuple[Guard, ...]:
    """Return that nothing is compared."""
    return ()


class Memory:
    """Remembers what was found; looks through nothing."""

    def __init__(self, environment: Environment) -> None:
        self._inspector = Inspector(environment)
        self.unusable = TokenizerVerdicts(environment).of
        """Tokenizer digest → why it cannot be used, as was found before."""
        self.guards = EvaluationSets(environment, is_to_make=False).of_quest
        """What skills are examined with, as far as that is known."""

    def look(self, asked: Sequence[Asked]) -> Sequence[Inspection | None]:
        """Return what is known of each content."""
        return [self._inspector.known_as_deep(*one) for one in asked]


class Gate:
    """Looks through each new content once, before it is taken in; all that are new at a time together."""

    def __init__(self, environment: Environment, tell: Callable[[str], None]) -> None:
        self._inspector = Inspector(environment)
        self._tell = tell
        self._unseen: dict[str, tuple[float, Inspection]] = {}
        """Question → when nobody could look, by a clock that never jumps, and the refusal that follows."""
        self._unusable: dict[tuple[str, int | None], str] = {}
        self._sets = EvaluationSets(environment)

    def guards(self, desired: Desired, quest: Quest) -> tuple[Guard, ...]:
        """Return what a quest is compared with; what could not be made for that is told once."""
        told = set(self._sets.notes.values())
        found = self._sets.of_quest(desired, quest)
        for note in set(self._sets.notes.values()) - told:
            self._tell(note)
        return found

    def unusable(self, digest: str, vocab_size: int | None) -> str | None:
        """Return why the tokenizer with this digest cannot be used for a model, as this process has found."""
        return self._unusable.get((digest, vocab_size))

    def look(self, asked: Sequence[Asked]) -> Sequence[Inspection | None]:
        """Return what is in each content; what nobody could look through is refused.

        None where the trainer's libraries are not here: then training finds what is wrong. None, too, where
        the tokenizer cannot be used: then the plan names it.
        """
        found = [self._inspector.known_as_deep(*one) or self._refused(*one) for one in asked]
        new = [place for place, one in enumerate(asked) if found[place] is None and self._is_to_see(one[0])]
        if new:
            answers = self._inspector.inspect([asked[place] for place in new], self._tell)
            for place, answer in zip(new, answers, strict=True):
                found[place] = self._accepted(asked[place], answer)
        return found

    def _is_to_see(self, request: InspectRequest) -> bool:
        return as_far_as_installed(request)[1] is None

    def _refused(self, request: InspectRequest, digest: str) -> Inspection | None:
        """Return the refusal of what nobody could look through a moment ago."""
        since, refusal = self._unseen.get(inspection_key(request, digest), (0.0, None))
        return refusal if time.monotonic() - since < _LOOK_AGAIN_AFTER_S else None

    def _accepted(self, asked: Asked, answer: InspectAnswer) -> Inspection | None:
        """Return what was found; what nobody could look through is told, and refused for a while.

        A tokenizer that cannot be loaded is no matter of the rows: the plan names it.
        """
        request, digest = asked
        if answer.no_tokenizer and request.trained_as is not None:
            trained_as = request.trained_as
            self._unusable[trained_as.tokenizer.digest, trained_as.vocab_size] = str(answer.why_not)
        elif answer.inspection is None:
            self._tell(f"{told_as(request.path)}: {answer.why_not}; its rows are not taken in")
            refusal = unlooked(request, str(answer.why_not))
            self._unseen[inspection_key(request, digest)] = time.monotonic(), refusal
            return refusal
        return answer.inspection


def known_of_new(world: World, layout: Layout, look: Look, guards: Guards) -> Known:
    """Return what is known of the contents that the active campaign would take in now."""
    return _looked_up(world, layout, list(_about_to_be_taken_in(world)), look, guards)


def look_through_made(
    world: World,
    layout: Layout,
    look: Look,
    guards: Guards,
    quest_id: str,
    path: Path,
    digest: str,
) -> LookedThrough:
    """Return what keeps the rows that a skill made for a quest from being trained on, and who has looked.

    They lie at `path` for now, and are looked through as a file is before it is taken in.
    """
    quest = next((one for one in world.quests if one.id == quest_id), None)
    if quest is None:
        return LookedThrough()
    content = QuestContent(path=str(path), digest=digest, contracts=(MESSAGES,))
    one = Subjects(world, layout, "standard").of(quest, world.active, content)
    if one.request is None or one.no_tokens is not None:
        return LookedThrough()
    asked = _asked_of(one.request, digest, guards(world.desired, quest))
    found = joined(look(asked))
    if found is None:
        return LookedThrough()
    errors = [finding for finding in found.findings if finding.is_error]
    objection = said(errors) if errors else None
    return LookedThrough(objection, {"inspection": found.checker_version}, not found.is_unlooked)


def _asked_of(request: InspectRequest, digest: str, guards: tuple[Guard, ...]) -> list[Asked]:
    asked: list[Asked] = [(request, digest)]
    return [*asked, (examined(request, guards), digest)] if guards else asked


def joined(found: Sequence[Inspection | None]) -> Inspection | None:
    """Return what was found in a content, with the leaks that a second look has met; None while one lacks.

    What nobody could look through a second time is refused as a whole.
    """
    first, *more = found
    for leaks in more:
        if first is None or leaks is None:
            return None
        first = leaks if leaks.is_unlooked else with_leaks(first, leaks)
    return first


def with_inspections(world: World, known: Known) -> World:
    """Return the world with what is known of its new contents."""
    found = {name: one for name, one in known.items() if one is not None}
    if not found:
        return world
    return msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, inspections=found))


def known_of_queue(
    world: World, layout: Layout, plan: Plan, look: Look, known: Known
) -> Mapping[str, Inspection]:
    """Return what is known of the contents that the active campaign has to train by this plan.

    Nothing is looked up for a plan that adds nothing to train, and nothing that is in `known`.
    """
    made = [change.action for change in plan.changes]
    goes_back = any(isinstance(action, BeginSegment | StopRun) for action in made)
    if not (goes_back or adds_training(world, made)):
        return {}
    queued = {action.quest_id for action in made if isinstance(action, EnqueueJob)}
    changed = {action.job_uid for action in made if isinstance(action, UpdateJob)} | waiting_again(made)
    for job in world.facts.jobs_of(world.uid(world.active or "")):
        if goes_back or job.status in ("queued", "processing") or job.uid in changed:
            queued.add(job.quest_id)  # what was learnt to its end is learnt again after a rewind
    wanted = [quest for quest in world.quests if quest.id in queued and quest.id not in known]
    found = {**_looked_up(world, layout, wanted, look, nothing_guarded), **known}
    return {name: one for name, one in found.items() if one is not None}


def _about_to_be_taken_in(world: World) -> Iterator[Quest]:
    """Yield the quests of the active campaign with rows that no job of it has, and those of the inbox."""
    if world.is_queue_suspended or world.is_realm_suspended:
        return
    for quest in world.desired.quests:
        from reconciler.plan.queue.waiting import campaign_for  # a queue without quests needs none of it

        if campaign_for(world, quest) is not None and _has_new_rows(world, quest):
            yield quest
    for dropped in world.dropped.values() if world.active is not None else ():
        if dropped.is_here and world.facts.quest_data(dropped.source_key) is None:
            yield dropped.quest


def _has_new_rows(world: World, quest: Quest) -> bool:
    """Are there rows here, in a file or as a skill made them, that the active campaign has not taken in?"""
    uid = world.uid(world.active or "")
    own = [job for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid]
    if quest.skill is not None:
        return not own and _lies_here(world, quest)
    seen = world.facts.quest_files.get(quest.id)
    if seen is None or seen.content is None or seen.content.digest in {job.digest for job in own}:
        return False
    from reconciler.plan.queue.quest_parts import current_parts

    parts = tuple(job.digest for job in current_parts(own))
    return not any(one.new is None and one.parts == parts for one in seen.continued)


def _lies_here(world: World, quest: Quest) -> bool:
    source = quest_source(world, quest)
    return isinstance(source, QuestSource) and world.facts.quest_data(source.key) is not None


def _looked_up(world: World, layout: Layout, quests: Iterable[Quest], look: Look, guards: Guards) -> Known:
    subjects = Subjects(world, layout, "standard")
    asked: dict[str, list[Asked]] = {}
    for quest in quests:
        one = subjects.newest_of(quest, world.active)
        if one.request is not None and one.content.digest is not None and one.no_tokens is None:
            asked[quest.id] = _asked_of(one.request, one.content.digest, guards(world.desired, quest))
    if not asked:
        return {}
    answers = iter(look([question for questions in asked.values() for question in questions]))
    return {name: joined([next(answers) for _ in questions]) for name, questions in asked.items()}
