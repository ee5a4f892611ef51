"""One function purges (promise 3): whatever else takes a name away takes what it made itself, and is listed here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.act.purging import purge
from reconciler.act.registry import EXECUTORS
from reconciler.plan.actions import PurgeTrash

CHECKOUT = Path(__file__).resolve().parents[3]
PURGER = ("reconciler/act/purging.py", "_remove")
TAKES_AWAY = {
    ("state/atomic.py", "remove_entry"): "a derived file or a link",
    ("state/atomic.py", "_remove_whole"): "unfinished work, by its staging name",
    ("state/atomic.py", "_discard"): "unfinished work of this very call, by its staging name",
    ("state/atomic.py", "write_file"): "the content before of a file of ours",
    ("state/atomic.py", "replace_link"): "a link of ours",
    ("state/copies.py", "copy_hashed"): "a copy that was not finished",
    ("state/links.py", "_cloned"): "a clone that was not finished",
    ("state/links.py", "_copied"): "a copy that was not finished",
    ("state/kept_answers.py", "_start_again"): "the user's cache",
    ("reconciler/act/copying.py", "_fill"): "what of an unfinished copy is not whole",
    ("reconciler/act/mending.py", "_take"): "what of an unfinished copy is not right",
    ("reconciler/act/inbox.py", "remove"): "a dropped file whose bytes lie in the realm",
    ("reconciler/act/mirror.py", "_prepare"): "locks that a killed git left in our mirror",
    ("reconciler/act/migrating.py", "_sweep_name"): "unfinished work, by its staging name",
    ("reconciler/act/migrating.py", "_unlink"): "a compatibility link of ours that leads where it did",
    ("reconciler/act/migrating.py", "take_back"): "folders that the migration made, empty again",
    ("reconciler/app/migrating/migrate.py", "_make_specs"): "unfinished work, by its staging name",
    ("reconciler/app/committing/commits.py", "_sweep"): "unfinished specs, by their staging name",
    ("reconciler/app/committing/commits.py", "_replace"): "a spec that the commit takes out",
    ("reconciler/app/replaying/replay.py", "_scratch"): "a folder of its own",
    ("reconciler/app/chaos/run.py", "_remove"): "the toy realm of its own",
    ("reconciler/app/chaos/blows.py", "lost_store"): "the store of the toy realm",
    ("trainer/checkpoints/save.py", "publish_checkpoint"): "a save that was not finished",
    ("trainer/engine/full_disk.py", "give_up"): "the room that it had set aside",
    ("trainer/engine/full_disk.py", "_write_over"): "the status or end of its own run",
    ("trainer/peers/watching.py", "watch"): "its own token",
    ("trainer/replay/main.py", "_made"): "the manifest of a replay's own checkpoint",
}
"""File and function → what it takes away: never a checkpoint, nor what somebody else made."""
REMOVERS = {"unlink", "rmtree", "rmdir", "removedirs", "truncate", "ftruncate"}
OF_OS = {"remove", "replace", "rename"}
OVER_NOTHING = {
    ("state/atomic.py", "rename_noreplace"): "looks first",
    ("state/lock.py", "_write_holder"): "the holder's own words in the lock",
}


def test_one_function_in_the_code_purges_and_what_else_takes_a_name_away_is_known() -> None:
    found = {place for file in our_files() for place in removals(file)}

    assert found == {PURGER, *TAKES_AWAY, *OVER_NOTHING}


def test_the_purger_is_the_executor_of_one_action_and_nobody_else_calls_it() -> None:
    named = {
        str(file.relative_to(CHECKOUT))
        for file in our_files()
        if re.search(r"\bpurging\.purge\b|\bpurging import [^#]*\bpurge\b", file.read_text())
    }

    assert named == {"reconciler/act/registry.py"}
    assert [action for action, executor in EXECUTORS.items() if executor is purge] == [PurgeTrash]


def our_files() -> Iterator[Path]:
    for package in ("state", "reconciler", "trainer"):
        yield from sorted((CHECKOUT / package).rglob("*.py"))


def removals(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each function of a file that calls what may take a name away."""
    name = str(file.relative_to(CHECKOUT))
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_removes, ast.walk(node))):
            yield name, node.name


def _removes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute):
        return False
    is_os = isinstance(node.value, ast.Name) and node.value.id == "os"
    return node.attr in REMOVERS or (is_os and node.attr in OF_OS)
