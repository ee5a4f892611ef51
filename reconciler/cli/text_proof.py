"""What a checkpoint has learnt, as text. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, PLAIN, Column, Paint, safe, short_hash, table, wrapped
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.proof.records import FileProof, Occasion, Proof, QuestProof, RowProof, Span, Times

_MOST_SPANS = 4
_MOST_OCCASIONS = 20
_PROVEN = "Proven: each row once in every epoch whose turn it was; none repeated, none skipped."


def proof_text(proof: "Proof", width: int | None, paint: Paint = PLAIN) -> str:
    """Return the chain, each quest's rows, today's files, and whether all is proven."""
    parts = [_chain(proof, width)]
    if proof.quests:
        parts.append(_quests(proof.quests, width, paint))
    if proof.files:
        parts.append(_files(proof.files, width, paint))
    parts.append("\n".join(_verdict(proof, width, paint)))
    return "\n\n".join(parts)


def row_text(found: "RowProof", width: int | None, paint: Paint = PLAIN) -> str:
    """Return whether and when a row was learnt."""
    said = {
        "learnt": f"was learnt {_often(len(found.occasions))}",
        "held out": "was never learnt: it is held out, to measure with",
        "edited": "was not learnt as it is now; the row that stood there before was learnt "
        + _often(found.num_before_edit),
        "waiting": "was not learnt: its turn had not come",
        "new": "was not learnt: no quest of this checkpoint has it",
    }[found.state]
    lines = [f"{safe(found.row)} {paint(said, 'good' if found.occasions else 'warn')}."]
    if found.num_equal > 1:
        lines.append(f"{count(found.num_equal, 'row')} of the file have this content; they count together.")
    if found.occasions:
        titles = ["epoch", "step", "run", "checkpoint", "quest", "row"]
        columns = [Column(title, right=title in ("epoch", "step", "row")) for title in titles]
        shown = found.occasions if width is None else found.occasions[:_MOST_OCCASIONS]
        lines.append(table(columns, map(_occasion, shown), width, paint))
        if (more := len(found.occasions) - len(shown)) > 0:
            lines.append(f"and {more:,} more: see --wide or --json")
    for problem in found.problems:
        lines += _folded(f"Not known: {safe(problem)}.", width, paint, "bad")
    return "\n".join(lines)


def _occasion(one: "Occasion") -> Sequence[object]:
    step = f"{one.step:,}" if one.step is not None else f"after {one.after_step:,}"
    return (one.epoch, step, one.run, one.checkpoint, _name(one), f"{one.row:,}")


def _name(one: "Occasion | QuestProof") -> str:
    return one.quest if one.part == 1 else f"{one.quest} part {one.part}"


def _chain(proof: "Proof", width: int | None) -> str:
    gone = sum(one.kept == "store" for one in proof.ancestors)
    campaigns = {one.checkpoint.partition("@")[0] for one in proof.ancestors}
    told = [count(len(proof.ancestors), "checkpoint")]
    told += [f"of {len(campaigns)} campaigns"] if len(campaigns) > 1 else []
    told += [f"{gone:,} of them dropped since"] if gone else []
    first = proof.ancestors[-1].checkpoint
    text = f"{safe(proof.checkpoint)} ({short_hash(proof.digest)}): {', '.join(told)}, from {safe(first)} on"
    return "\n".join(_folded(text, width, PLAIN, ""))


def _quests(quests: "Iterable[QuestProof]", width: int | None, paint: Paint) -> str:
    columns = [
        Column("quest"),
        Column("campaign", spare=2),
        Column("content", spare=3),
        Column("rows", right=True),
        Column("held out", right=True, spare=1),
        Column("epochs", right=True),
        Column("repeated", right=True),
        Column("skipped", right=True),
        Column("learnt"),
    ]
    return table(columns, map(_quest, quests), width, paint)


def _quest(one: "QuestProof") -> Sequence[object]:
    rows, held_out = f"{one.num_rows:,}", f"{one.num_held_out:,}"
    about = (_name(one), one.campaign, short_hash(one.content), rows, held_out, one.epochs)
    if one.problem is not None:
        return (*about, "?", "?", "not known")
    return (*about, f"{one.num_repeated:,}", f"{one.num_skipped:,}", _times(one.times))


def _times(times: "Iterable[Times]") -> str:
    """Return `190 rows twice, 10 rows once`."""
    return ", ".join(f"{count(one.num_rows, 'row')} {_often(one.times)}" for one in times) or "none"


def _often(times: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times:,} times")


def _files(files: "Iterable[FileProof]", width: int | None, paint: Paint) -> str:
    columns = [Column("file today"), Column("rows", right=True), Column("against what was learnt")]
    found = list(files)
    longest = max((len(spans) for one in found for spans in _named(one).values()), default=0)
    most = longest if width is None else _MOST_SPANS
    told = [table(columns, [_file(one, most) for one in found], width, paint)]
    told += ["All of these rows: see --wide or --json"] if longest > most else []
    told += ["Why rows are invalid: reconcile validate --data"] if any(one.invalid for one in found) else []
    return "\n".join(told)


def _named(one: "FileProof") -> "dict[str, Sequence[Span]]":
    """Return the spans of rows that are named, by what they are."""
    return {"new": one.new, "edited": one.edited, "invalid": one.invalid}


def _file(one: "FileProof", most: int) -> Sequence[object]:
    if one.problem is not None:
        return (one.file, "?", f"cannot be read: {one.problem}")
    parts = [_times(one.times)] if one.times else []
    for name in ("held_out", "waiting", "new", "edited", "invalid"):
        spans: Sequence[Span] = getattr(one, name)
        if spans:
            where = f" ({_spans(spans, most)})" if name in _named(one) else ""
            parts.append(f"{_num_rows(spans):,} {name.replace('_', ' ')}{where}")
    parts += [f"{one.num_removed:,} removed since"] if one.num_removed else []
    return (one.file, f"{one.num_rows:,}", ", ".join(parts))


def _num_rows(spans: "Iterable[Span]") -> int:
    return sum(last - first + 1 for first, last in spans)


def _spans(spans: "Sequence[Span]", most: int) -> str:
    """Return `rows 1-7, 12 and 5 more`; so many spans are named at most."""
    shown = [f"{first:,}" if first == last else f"{first:,}-{last:,}" for first, last in spans[:most]]
    more = f" and {_num_rows(spans[most:]):,} more" if len(spans) > most else ""
    noun = "row" if _num_rows(spans) == 1 else "rows"
    return f"{noun} {', '.join(shown)}{more}"


def _verdict(proof: "Proof", width: int | None, paint: Paint) -> Iterator[str]:
    for note in proof.notes:
        yield from _folded(f"Note: {safe(note)}.", width, paint, "warn")
    if proof.is_proven:
        yield from _folded(_PROVEN if proof.quests else "It has learnt no row.", width, paint, "good")
        return
    for problem in proof.problems:
        yield from _folded(f"Not proven: {safe(problem)}.", width, paint, "bad")


def _folded(text: str, width: int | None, paint: Paint, meaning: str) -> Iterator[str]:
    """Yield a sentence in lines of at most a width, the later ones further in; without one in one."""
    first, *rest = wrapped(text, width - len(INDENT)) if width is not None else [text]
    yield paint(first, meaning)
    yield from (f"{INDENT}{paint(line, meaning)}" for line in rest)
