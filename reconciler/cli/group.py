"""The group of all verbs: a static table, so that help and start cost one import of click and no more."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from reconciler.cli.light import import_msgspec
from reconciler.cli.options import LightHelp
from reconciler.cli.session import Session, common_options

VERBS: dict[str, tuple[str, str]] = {
    "init": ("init", "Make a specs repository that works as it is."),
    "new": ("new", "Write a new hero, campaign or check, with comments that teach."),
    "validate": ("validate", "Find every mistake in the specs."),
    "plan": ("plan", "Show what apply would do, and why."),
    "apply": ("apply", "Do it: once, until nothing is left, or for as long as it runs."),
    "status": ("status", "Show how the realm is: synced, healthy, training."),
    "get": ("get", "List campaigns, heroes, quests, jobs, checkpoints, runs, skills, datasets ..."),
    "explain": ("explain", "Say what a thing is, what comes next, what is in its way."),
    "diff": ("diff", "Compare two heroes, campaigns or checkpoints; draw their losses."),
    "history": ("history", "List every launch: commit, config, code, steps, end."),
    "events": ("events", "List what apply did and tried, and what comes."),
    "wait": ("wait", "Wait until a thing is as wanted: a step, a quest done, all applied."),
    "logs": ("logs", "Show the training log of a campaign."),
    "pause": ("pause", "Ask the trainer to save and wait with the model loaded."),
    "resume": ("resume", "Lift a pause or a stop, and forgive earlier failures."),
    "stop": ("stop", "Ask the trainer to save and leave, until resume."),
    "checkpoint": ("checkpoint", "Ask the trainer to save now, and to go on."),
    "refresh": ("refresh", "Look at the source now; take up a rewritten history."),
    "skip": ("skip", "Send a quest behind all others; a second time, out of the queue."),
    "retry": ("retry", "Let a quest that failed or was skipped wait again."),
    "propose": ("propose", "Commit single lines of a spec on a new branch, for a pull request."),
    "proposals": ("proposals", "List the branches that wait to be merged, each with its plan."),
    "comment": ("comment", "Put a plan under a pull request, as one comment that is kept up to date."),
    "rollback": ("rollback", "Commit the specs without what an earlier commit did to them."),
    "suspend": ("suspend", "Commit that nothing is done for a thing, with reason and end."),
    "unsuspend": ("unsuspend", "Commit that a thing is suspended no longer."),
    "archive": ("archive", "Commit that a campaign rests in the Hall of Legends."),
    "restore": ("restore", "Commit that an archived campaign comes back, paused."),
    "start-over": ("start_over", "Commit a new campaign of a hero, the old one archived."),
    "migrate": ("migrate", "Make an older root one of this software, or take that back."),
    "import": ("import_", "Commit a new campaign that begins with a folder of other software."),
    "rewind": ("rewind", "Commit that a campaign goes back to an earlier checkpoint."),
    "approve": ("approve", "Let a plan destroy exactly what it says, once."),
    "undelete": ("undelete", "Take a dropped checkpoint back out of the trash."),
    "scrub": ("scrub", "Read checkpoints again and compare every byte with what was saved."),
    "export": ("export", "Copy checkpoints into a folder elsewhere, read back and remembered."),
    "prove": ("prove", "Show what a checkpoint has learnt, row by row, through all its ancestors."),
    "replay": ("replay", "Make a checkpoint again from its parent, and compare it with the record."),
    "try": ("try_", "Ask a checkpoint a few questions."),
    "observe": ("observe", "Write what is, as a file: facts to plan against elsewhere."),
    "doctor": ("doctor", "Check what training needs, and say how to mend it, or mend what is safe."),
    "chaos": ("chaos", "Hurt a toy realm on this machine, and say which promises held."),
    "install-service": ("install_service", "Write a systemd unit that keeps apply running."),
    "schema": ("schema", "Print the JSON Schemas of specs and plan."),
    "completion": ("completion", "Print a script with which a shell completes commands and ids."),
    "version": ("version", "Print version, code version, Python, SQLite, torch."),
}
"""Verb → its module in `commands`, and what help says about it; in the order of help."""


class Verbs(LightHelp, click.Group):
    """A group that imports a verb only when it is used, and ends with the exit codes of the documentation."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        import_msgspec()
        module = import_module(f"reconciler.cli.commands.{VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(_unknown_verb(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the verb and leave; every expected error is told in words, on stderr."""
        del standalone_mode, windows_expand_args
        session = Session()
        _never_fail_to_print()
        args = list(sys.argv[1:] if args is None else args)
        if args[:1] == ["--version"]:  # as other programs have it
            args[0] = "version"
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, obj=session, **extra)
        except Exception as error:  # noqa: BLE001 - the outermost edge: told, and the exit code says so
            from reconciler.cli.failures import report

            code = report(error, session)
        sys.exit(code if isinstance(code, int) else 0)


def _unknown_verb(name: str) -> str:
    from reconciler.cli.text_layout import safe
    from reconciler.desired.mistakes import nearest_name

    near = nearest_name(name, VERBS)
    meant = f'; did you mean "{near}"?' if near else ""
    return f'there is no command "{safe(name)}"{meant}'


def _never_fail_to_print() -> None:
    """Print a character that the terminal's encoding lacks as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


@click.group(cls=Verbs, params=common_options(), context_settings={"help_option_names": ["-h", "--help"]})
def reconcile() -> None:
    """Train language models from specs in git.

    `reconcile plan` shows what the specs at a commit would change, `reconcile apply` does exactly that.
    Every command has --help with examples.
    """
