"""What is told of living trainers: how far they have come, and, when apply leaves, that they go on."""

from collections.abc import Iterable
from pathlib import Path

from reconciler.app.applying.telling import Show
from reconciler.observed.elsewhere import whereabouts_in
from reconciler.observed.records import RunFacts
from reconciler.plan.world import LiveRun
from state.layout import Layout


def show_progress(live_runs: Iterable[LiveRun], layout: Layout, show: Show) -> None:
    """Show what each of them said last of its training."""
    from state.contract.files import ContractError, read
    from state.contract.status import RunStatus

    for live in live_runs:
        status = layout.campaign(live.folder_name).run(live.key).status
        try:
            show.progress(live.campaign, read(status, RunStatus))
        except (OSError, ContractError):
            continue  # it has not begun to say, or is being replaced


def say_goodbye(live_runs: Iterable[LiveRun], show: Show) -> None:
    """Say what goes on without the reconciler, how to watch it and how to end it."""
    for live in live_runs:
        if live.seen is None or live.seen.process is None:
            continue
        if _still_lives(live.seen):
            show.notice(
                f"training of {live.campaign} goes on (pid {live.seen.process.pid}); "
                "watch it: reconcile logs -f, reconcile status; "
                "take it up again: reconcile apply; "
                "end it: reconcile stop && reconcile apply --until-converged"
            )


def _still_lives(seen: RunFacts) -> bool:
    """Does the trainer live that was seen when the last plan was made? It may have left by itself since."""
    try:
        return seen.process is not None and whereabouts_in(seen.process, Path(seen.folder)).alive
    except OSError:
        return False
