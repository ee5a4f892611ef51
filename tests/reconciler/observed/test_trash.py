"""The trash as it is: names, and nothing opened."""

from pathlib import Path

from reconciler.observed.records import TrashFacts
from reconciler.observed.trash import observe_trash
from state.layout import Layout


def test_folders_files_and_what_is_neither_are_told_apart(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (layout.trash / "checkpoint-1").mkdir(parents=True)
    (layout.trash / "checkpoint-1.json").write_text("{}")
    (layout.trash / "elsewhere").symlink_to(tmp_path)
    assert observe_trash(layout) == TrashFacts(
        folders=frozenset({"checkpoint-1"}),
        files=frozenset({"checkpoint-1.json"}),
        strange=frozenset({"elsewhere"}),
    )


def test_a_root_without_a_trash_has_nothing_in_it(tmp_path: Path) -> None:
    assert observe_trash(Layout(tmp_path)) == TrashFacts()


def test_a_trash_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    layout = Layout(tmp_path / "root")
    layout.root.mkdir()
    layout.trash.symlink_to(tmp_path / "elsewhere")
    found = observe_trash(layout)
    assert found.problem == f"{layout.trash}: is a symbolic link, which is not followed"
    assert not found.folders


def test_a_name_that_would_move_the_cursor_is_escaped(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (layout.trash / "a\x1b[2Jb").mkdir(parents=True)
    assert observe_trash(layout).folders == {"a\\x1b[2Jb"}
