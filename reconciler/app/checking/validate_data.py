"""`validate --data`: what is in the files of the quests, as the campaigns would train them."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from reconciler.app.data.data_requests import Subject, Subjects
from reconciler.app.data.evaluation_sets import EvaluationSets, examined, with_leaks
from reconciler.app.data.inspecting import Asked, Inspector, as_far_as_installed
from reconciler.app.data.late_held_out import late_held_out
from reconciler.app.data.unfit_weights import WeightVerdicts, usable_models
from reconciler.app.explaining.lineage import lineage_problems
from reconciler.app.planning.look import View, look, world_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.place import Options
from reconciler.plan.configs.hero_checks import unsaid_template
from reconciler.plan.queue.held_out import learnt_text
from reconciler.plan.world import World
from state.contract.contents import MAX_FINDINGS, Finding
from state.contract.inspection import (
    DataFinding,
    Depth,
    Guard,
    InspectAnswer,
    Inspection,
    InspectRequest,
    not_looked_through,
)
from state.contract.inspection_words import not_shown

_OTHER_ROWS = "The rows are generated: another level, seed or count gives others."


class QuestData(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one quest, as one campaign would train them."""

    quest: str
    campaign: str | None
    where: str
    """File and line of the quest in the specs."""
    path: str | None
    inspection: Inspection | None
    """None: there is nothing to look at yet, or it could not be read."""
    findings: tuple[DataFinding, ...] = ()
    """Why the file cannot be read."""
    note: str | None = None
    """What is not known, and why."""

    @property
    def all_findings(self) -> tuple[DataFinding, ...]:
        return (*self.findings, *(self.inspection.findings if self.inspection else ()))

    def num_found(self, *, errors: bool) -> int:
        """Return how many errors, or warnings, there are; those not shown are as their check's first one."""
        shown = sum(finding.is_error == errors for finding in self.all_findings)
        if self.inspection is None:
            return shown
        kinds: dict[str, bool] = {
            finding.check: finding.is_error for finding in reversed(self.inspection.findings)
        }
        more = not_shown(self.inspection)
        return shown + sum(number for check, number in more if kinds.get(check, False) == errors)


class DataValidation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in the data of all quests."""

    schema_version: int = 1
    source: str
    depth: Depth
    quests: tuple[QuestData, ...]
    problems: tuple[str, ...] = ()
    """Why a hero can be trained on no rows, with the line of its spec."""
    notes: tuple[str, ...] = ()
    """What could not be looked for, and why."""

    @property
    def num_errors(self) -> int:
        """Return how many findings keep a quest, or a hero, from being trained."""
        return len(self.problems) + sum(quest.num_found(errors=True) for quest in self.quests)

    @property
    def num_warnings(self) -> int:
        """Return how many findings are for a person to judge, also those that are not shown."""
        return sum(quest.num_found(errors=False) for quest in self.quests)


def validate_data(
    environment: Environment,
    options: Options,
    ref: str | None,
    depth: Depth,
    on_look: Callable[[str], None],
    most_findings: int = MAX_FINDINGS,
) -> DataValidation:
    """Return what is in the data of every quest; `on_look` is told of each file that is not known yet.

    So many findings of each check are named, all are counted.

    Raises:
        SourceError: no repository, no such commit, no specs.
        SpecMistakesError: the specs have mistakes.
    """
    view = look(environment, options, ref=ref or "HEAD", worktree=ref is None)
    sets = EvaluationSets(environment)
    guards = sets.all(view.desired)
    found = list(Subjects(_before_anybody_looked(view), view.layout, depth).all())
    wanted = [_naming(one.request, most_findings) for one in found]
    requests = [as_far_as_installed(one) if one else (None, None) for one in wanted]
    asked = _questions(found, [request for request, _ in requests], guards)
    answers = iter(Inspector(environment).inspect(asked, on_look))
    quests, generated = [], {quest.id for quest in view.desired.quests if quest.skill is not None}
    for one, (request, missing) in zip(found, requests, strict=True):
        mine = [next(answers) for _ in range(_num_questions(request, guards))]
        data = _quest_data(one, missing, mine)
        quests.append(as_generated(data) if one.quest_id in generated else data)
    templates = (unsaid_template(world_of(view), hero.spec) for hero in view.desired.heroes.values())
    lineage = (problem for quest in view.desired.quests for problem in lineage_problems(view, quest))
    problems, not_compared = _weights(environment, view, on_look)
    notes = (
        *sets.notes.values(),
        *filter(None, templates),
        *lineage,
        *_late(environment, view),
        *not_compared,
    )
    source = view.commit.name if ref is not None else f"the work tree on {view.commit.name}"
    return DataValidation(source=source, depth=depth, quests=tuple(quests), problems=problems, notes=notes)


def _weights(
    environment: Environment, view: View, on_look: Callable[[str], None]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which heroes' weights do not fill their models, and which could not be compared."""
    verdicts, world = WeightVerdicts(environment), world_of(view)
    problems, not_compared = [], []
    for hero, model in usable_models(world):
        named = f"hero/{hero} ({world.where(f'hero/{hero}', 'model', 'hf_name')})"
        if verdicts.known(model) is None:
            on_look(f"comparing the weights in {model.folder} with the architecture of hero/{hero}")
        fit = verdicts.asked(model)
        if fit.problem is not None:
            problems.append(f"{named}: {fit.problem}")
        elif fit.why_not is not None:
            not_compared.append(f"{named}: its weights were not compared with its model: {fit.why_not}")
    return tuple(problems), tuple(not_compared)


def _naming(request: InspectRequest | None, most_findings: int) -> InspectRequest | None:
    return request and msgspec.structs.replace(request, most_findings=most_findings)


def _late(environment: Environment, view: View) -> Iterator[str]:
    """Yield which campaigns had learnt rows of their held-out file before it was held out."""
    for campaign, file in view.facts.held_out_files.items():
        found = late_held_out(environment, world_of(view), view.layout, campaign)
        if found is not None and (found.num_learnt or not found.is_sure):
            what = f"{learnt_text(found)} of the held-out file {file.name}"
            yield f"{campaign} has learnt {what}: their loss is too low; reconcile prove {campaign}@latest"


def _before_anybody_looked(view: View) -> World:
    """Return the world in which what is known of a file keeps it out of nothing."""
    world = world_of(view)
    facts = msgspec.structs.replace(
        world.facts, inspections={}, untrainable_jobs={}, unusable_tokenizers={}, unfit_weights={}
    )
    return msgspec.structs.replace(world, facts=facts)


def _num_questions(request: InspectRequest | None, guards: Sequence[Guard]) -> int:
    return 0 if request is None else 2 if guards else 1


def _questions(
    found: Sequence[Subject], requests: Sequence[InspectRequest | None], guards: tuple[Guard, ...]
) -> list[Asked]:
    """Return what to ask about each subject: what it is, and whether it holds what skills are examined with.

    They are two questions, so that the first has the same answer whatever skills there are.
    """
    asked: list[Asked] = []
    for one, request in zip(found, requests, strict=True):
        if request is not None and one.content.digest is not None:
            asked.append((request, one.content.digest))
            if guards:
                asked.append((examined(request, guards), one.content.digest))
    return asked


def _quest_data(subject: Subject, missing: str | None, answers: Sequence[InspectAnswer]) -> QuestData:
    found = answers[0].inspection if answers else None
    for leaks in answers[1:]:
        found = with_leaks(found, leaks.inspection) if found and leaks.inspection else found
    return QuestData(
        quest=subject.quest_id,
        campaign=subject.campaign,
        where=subject.where,
        path=subject.content.path,
        inspection=found,
        findings=(*map(_unreadable, subject.content.findings), *_not_looked_through(answers)),
        note="; ".join(_notes(subject, missing, answers)) or None,
    )


def as_generated(data: QuestData) -> QuestData:
    """Return what was found with advice that fits rows which no person wrote: none of them can be removed."""
    if data.inspection is None:
        return data
    found = tuple(
        msgspec.structs.replace(one, advice=_OTHER_ROWS) if one.advice.startswith("Remove it") else one
        for one in data.inspection.findings
    )
    return msgspec.structs.replace(data, inspection=msgspec.structs.replace(data.inspection, findings=found))


def _notes(subject: Subject, missing: str | None, answers: Sequence[InspectAnswer]) -> Iterator[str]:
    if subject.content.why_not is not None:
        yield subject.content.why_not
    if subject.dataset is not None and any(one.inspection and _is_refused(one.inspection) for one in answers):
        yield f"its rows are to be those of {subject.dataset}"
    if subject.content.start_byte:
        yield "these rows came since the file was taken in; those before are as they were"
    if missing is not None:
        yield missing
    elif answers and subject.no_tokens is not None:
        yield f"tokens unknown: {subject.no_tokens}"


def _is_refused(found: Inspection) -> bool:
    """Is a row not what it has to be?"""
    return any(one.check == "shape" and one.row is not None for one in found.findings)


def _not_looked_through(answers: Sequence[InspectAnswer]) -> Iterator[DataFinding]:
    """Yield why nobody could look through the rows, or why this hero cannot train on any."""
    for why, no_tokenizer in dict.fromkeys((one.why_not, one.no_tokenizer) for one in answers):
        if why is not None:
            yield _no_tokenizer(why) if no_tokenizer else not_looked_through(why)


def _no_tokenizer(why: str) -> DataFinding:
    expected, advice = "a tokenizer that loads", "Put the file of the same model there."
    return DataFinding(check="template", is_error=True, row=None, found=why, expected=expected, advice=advice)


def _unreadable(one: Finding) -> DataFinding:
    return DataFinding(
        check="shape", is_error=True, row=one.row, found=one.found, expected=one.expected, advice=one.advice
    )
