"""`validate --data`: what is in the files of the quests, as the campaigns would train them."""

from collections.abc import Callable

import msgspec

from reconciler.app.data_requests import Subject, subjects
from reconciler.app.environment import Environment
from reconciler.app.errors import Failed
from reconciler.app.evaluation_sets import evaluation_guards, with_leaks
from reconciler.app.inspecting import Inspector, as_far_as_installed
from reconciler.app.place import Options
from reconciler.app.planning import look, world_of
from state.contract.inspection import DataFinding, Depth, Guard, Inspection


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


class DataValidation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in the data of all quests."""

    schema_version: int = 1
    source: str
    depth: Depth
    quests: tuple[QuestData, ...]
    notes: tuple[str, ...] = ()
    """What could not be looked for, and why."""

    @property
    def num_errors(self) -> int:
        """Return how many findings keep a quest from being trained."""
        return sum(finding.is_error for quest in self.quests for finding in quest.all_findings)

    @property
    def num_warnings(self) -> int:
        """Return how many findings are for a person to judge; of each check and quest the first ten count."""
        return sum(not finding.is_error for quest in self.quests for finding in quest.all_findings)


def validate_data(
    environment: Environment,
    options: Options,
    ref: str | None,
    depth: Depth,
    on_look: Callable[[str], None],
) -> DataValidation:
    """Return what is in the data of every quest; `on_look` is told of each file that is not known yet.

    Raises:
        SourceError: no repository, no such commit, no specs.
        SpecMistakesError: the specs have mistakes.
    """
    view = look(environment, options, ref=ref or "HEAD", worktree=ref is None)
    inspector = Inspector(environment)
    guards, notes = evaluation_guards(environment, view.desired)
    asked = subjects(world_of(view), view.layout, depth)
    quests = tuple(_quest_data(inspector, one, guards, on_look) for one in asked)
    source = view.commit.name if ref is not None else f"the work tree on {view.commit.name}"
    return DataValidation(source=source, depth=depth, quests=quests, notes=notes)


def _quest_data(
    inspector: Inspector, subject: Subject, guards: tuple[Guard, ...], on_look: Callable[[str], None]
) -> QuestData:
    content, request = subject.content, subject.request
    found, notes = None, [] if content.why_not is None else [content.why_not]
    if request is not None and content.digest is not None:
        request, why = as_far_as_installed(request)
        notes += [why] if why else [f"tokens unknown: {subject.no_tokens}"] if subject.no_tokens else []
        try:
            if inspector.known(request, content.digest) is None:
                on_look(f"looking through {request.path} ({request.depth}) ...")
            found = inspector.inspect(request, content.digest)
            if guards:
                examined = msgspec.structs.replace(request, depth="quick", trained_as=None, guards=guards)
                found = with_leaks(found, inspector.inspect(examined, content.digest))
        except Failed as error:
            notes.append(str(error))
    return QuestData(
        quest=subject.quest_id,
        campaign=subject.campaign,
        where=subject.where,
        path=content.path,
        inspection=found,
        findings=tuple(
            DataFinding(
                check="shape",
                is_error=True,
                row=one.row,
                found=one.found,
                expected=one.expected,
                advice=one.advice,
            )
            for one in content.findings
        ),
        note="; ".join(notes) or None,
    )
