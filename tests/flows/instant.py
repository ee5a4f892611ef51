"""A trainer that is done before its launch returns: real requests, orders, cursors, checkpoints; no weights.

Called in the place of the process that the launcher would start. It behaves towards the reconciler as a
trainer does that claims its run, trains what is ordered, saves as its config says, and leaves. Its losses are
made up from campaign and step: some step in the middle is the best.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from state.atomic import create_file, remove_staging, write_json
from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.goals import goal_reached, goals_in
from state.contract.locked import locked_values
from state.contract.manifest import FileEntry, Manifest, with_digest
from state.contract.orders import Orders, QuestOrder
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity
from state.contract.request import RunRequest
from state.ids import checkpoint_folder
from state.layout import RunLayout
from trainer.checkpoints.load import read_manifest
from trainer.checkpoints.save import publish_checkpoint
from trainer.data.order import next_update
from trainer.engine.progress import (
    Learnt,
    Progress,
    after_skip,
    after_snapshot,
    after_update,
    is_complete,
    measures,
    position,
    published,
    resumed,
    so_far,
)

TIME = "2026-01-31T12:00:00Z"
GONE = 2**22 + 1
"""A number that no process has: above the kernel's limit."""
LEFT_OUT: set[int] = set()
"""Updates that the loss guard leaves out; a test may name some."""


class InstantTrainers:
    """Launches trainers that live in no time; `fates` says how the next ones end, then all end well."""

    def __init__(self, fates: Sequence[str] = (), now: Callable[[], str] = lambda: TIME) -> None:
        self._fates = list(fates)
        self._now = now
        self.launches: list[Path] = []

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> int:
        """Do at once what the process would do."""
        run = RunLayout(cwd)
        fate = self._fates.pop(0) if self._fates else "well"
        self.launches.append(cwd)
        log.write_text(f"{' '.join(argv)}: {fate}\n")
        if fate != "never":
            _Life(run, self._now()).live(env[COOKIE_VARIABLE], fate)
        return GONE

    def reap(self) -> tuple[()]:
        """Return nobody: no process was made."""
        return ()


class _Life:
    """One run, at one moment."""

    def __init__(self, run: RunLayout, now: str) -> None:
        self.run, self.now = run, now

    def live(self, cookie: str, fate: str) -> None:
        """Claim the run, train what is ordered, and leave."""
        claim = ProcessIdentity(
            pid=GONE, boot_id="another", start_ticks=1, cookie=cookie, claimed_at=self.now
        )
        assert create_file(self.run.process, msgspec.json.encode(claim)), (
            f"{self.run.process}: a second launch"
        )
        request, orders = read(self.run.request, RunRequest), read(self.run.orders, Orders)
        if fate == "lost":
            return
        if fate == "fails":
            self._leave(Progress(step=request.resume_step or 0), "failed", "it broke")
            return
        progress = self._train(request, orders)
        if fate == "diverges":
            self._leave(progress, "failed", f"the loss rose at step {progress.step}", "diverged")
        elif _is_at_goal(orders, progress):
            self._leave(progress, "goal_reached", f"made {progress.step} updates")
        else:
            self._leave(progress, "finished", "all quests are done")

    def _leave(self, progress: Progress, reason: str, message: str, failure_class: str = "unknown") -> None:
        record = RunExit(
            reason=reason,
            message=message,
            failure_class=failure_class if reason == "failed" else None,
            healthy_step=progress.step // 2 if failure_class == "diverged" else None,
            quest_id=progress.quest_id,
            step=progress.step,
            last_checkpoint_step=progress.parent.step if progress.parent else None,
            exited_at=self.now,
        )
        write_json(self.run.exit, record)

    def _train(self, request: RunRequest, orders: Orders) -> Progress:
        """Train every quest that is ordered, saving at the end of each and every so many updates."""
        remove_staging(Path(request.checkpoints_dir))  # as a trainer does: of dead runs
        progress, every = _begin(request), request.config.checkpoint.every_updates
        for order in orders.quests:
            while not _is_at_goal(orders, progress) and not is_complete(progress, order):
                progress = _one_update(request, order, progress)
                if progress.step % every == 0:
                    progress = self._saved(request, progress)
            progress = self._saved(request, progress) if progress.learnt else progress
        return progress

    def _saved(self, request: RunRequest, progress: Progress) -> Progress:
        def write_weights(folder: Path) -> None:
            (folder / "model.safetensors").write_bytes(hashlib.sha256(str(progress.step).encode()).digest())

        loss = loss_at(request.campaign, progress.step)
        progress = msgspec.structs.replace(
            progress, val_loss=loss, val_step=progress.step, val_quest_id=progress.quest_id
        )
        manifest = publish_checkpoint(
            Path(request.checkpoints_dir),
            progress.step,
            (write_weights,),
            lambda files: _manifest(request, progress, files, self.now),
        )
        return published(after_snapshot(progress), manifest)


def loss_at(campaign: str, step: int) -> float:
    """Return the held-out loss of a campaign's step: between 0.2 and 1.2, no two alike, in no order."""
    return 0.2 + int(hashlib.sha256(f"{campaign}@{step}".encode()).hexdigest()[:8], 16) / 2**32


def _is_at_goal(orders: Orders, progress: Progress) -> bool:
    return goal_reached(goals_in(orders), so_far(progress)) is not None


def _begin(request: RunRequest) -> Progress:
    if request.resume_step is None:
        return Progress()
    folder = Path(request.checkpoints_dir) / checkpoint_folder(request.resume_step)
    return resumed(read_manifest(Path(request.resume_dir) if request.resume_dir else folder))


def _one_update(request: RunRequest, order: QuestOrder, progress: Progress) -> Progress:
    training = request.config.training
    found = next_update(
        seed=training.seed,
        quest_digest=order.digest,
        num_rows=order.num_rows,
        epochs=order.epochs,
        at=position(progress, order),
        num_documents=training.batch_size * training.gradient_accumulation,
    )
    assert found is not None
    if progress.step + 1 in LEFT_OUT:
        return after_skip(progress, order, found, 9.5)
    return after_update(progress, order, Learnt(update=found, tokens=1, loss=0.5, learning_rate=0.1))


def _manifest(request: RunRequest, progress: Progress, files: tuple[FileEntry, ...], now: str) -> Manifest:
    parent = progress.parent
    return with_digest(
        Manifest(
            campaign_uid=request.campaign_uid,
            campaign=request.campaign,
            segment=request.segment,
            step=progress.step,
            parent_step=parent.step if parent else None,
            parent_digest=parent.digest if parent else None,
            created_at=now,
            generation=request.generation,
            attempt=request.attempt,
            config_hash=request.config_hash,
            code_version=request.code_version,
            specs_commit=request.specs_commit,
            locked=locked_values(request.config),
            optimizer=request.config.training.optimizer,
            healthy=True,
            quest_id=progress.quest_id,
            cursor=progress.cursor,
            learnt=progress.learnt,
            measures=measures(progress),
            files=files,
            skipped=progress.skipped,
            digest="",
        )
    )
