"""A chain, its lessons, and what they come to for each content: what every proof stands on."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from reconciler.app.proof.chain import Chain, Seen, chain_of
from reconciler.app.proof.contents import Content, Contents, NoContent
from reconciler.app.proof.counting import Counted, OtherSplit, count_rows
from reconciler.app.proof.drawing import Drawings, NotDrawn
from reconciler.app.proof.lessons import Lesson, by_order, lessons_of
from reconciler.app.proof.shapes import Shapes
from reconciler.observed.facts import Facts
from state.contract.orders import RowShape
from state.store.rows import JobRow


class Studied(msgspec.Struct, frozen=True, kw_only=True):
    """One content of one quest, as one campaign has learnt it."""

    lessons: tuple[Lesson, ...]
    """At least one; oldest first."""
    campaign: str
    quest_id: str
    part: int
    job: JobRow | None
    """None: it was lost with the store."""
    shape: RowShape | None = None
    """How its rows are read, where that is known."""
    content: Content | None = None
    counted: Counted | None = None
    problem: str | None = None
    """Why it could not be counted."""

    @property
    def name(self) -> str:
        """Return what people call it."""
        part = f", part {self.part}" if self.part > 1 else ""
        return f"quest {self.quest_id}{part} of {self.campaign}"

    @property
    def digest(self) -> str:
        return self.lessons[0].learnt.digest


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of what a checkpoint has learnt."""

    chain: Chain
    orders: tuple[Studied, ...]
    """In the order in which each was first learnt from."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Return what is not known of the chain."""
        return (self.chain.broken,) if self.chain.broken is not None else ()


def study(view: Seen, digest: str) -> Study:
    """Return what the checkpoint with this digest has learnt; without links when nothing is known of it."""
    chain = chain_of(view, digest)
    lessons = lessons_of(chain, Drawings(view))
    known = Contents(view.layout), Shapes(view)
    orders = tuple(_studied(view.facts, *known, tuple(one)) for one in by_order(lessons).values())
    return Study(chain=chain, orders=orders)


def _studied(facts: Facts, contents: Contents, shapes: Shapes, lessons: tuple[Lesson, ...]) -> Studied:
    first = lessons[0]
    learnt = first.learnt
    jobs = facts.jobs_of(first.campaign_uid)
    job = next((one for one in jobs if (one.order_id, one.digest) == (learnt.quest_id, learnt.digest)), None)
    name, _, part = learnt.quest_id.partition("+")
    told = Studied(
        lessons=lessons,
        campaign=first.link.campaign,
        quest_id=job.quest_id if job else name,
        part=job.part if job else int(part or 1),
        job=job,
    )
    try:
        shape = shapes.of(lessons, job)
        content = contents.of(learnt.digest, shape)
        counted = count_rows(lessons, content)
    except (NoContent, NotDrawn, OtherSplit) as error:
        return msgspec.structs.replace(told, problem=str(error))
    return msgspec.structs.replace(told, shape=shape, content=content, counted=counted)


def learnt_in_all(orders: Iterable[Studied]) -> Counter[str]:
    """Return row digest → how often a row of this content was learnt, through all ancestors."""
    found: Counter[str] = Counter()
    for one in orders:
        if one.content is not None and one.counted is not None:
            for index, times in one.counted.times.items():
                found[one.content.rows[index]] += times
    return found
