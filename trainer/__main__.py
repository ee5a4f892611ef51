"""Train as a request says, answer prompts, look through data, make problems: `python -m trainer --help`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.spinning import spin_briefly


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subcommand and return the process's exit code."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    if asked[:1] == ["generate"]:
        from trainer.skills.generate import main as generate

        return generate(asked[1:])
    if asked[:1] == ["watch"]:
        from trainer.peers.main import main as watch

        return watch(asked[1:])
    return _run(_parser().parse_args(asked))


def _run(options: argparse.Namespace) -> int:
    """Run what was asked for; its module, and torch where it needs that, is loaded only now."""
    spin_briefly(os.environ)
    match options.subcommand:
        case "inspect":
            from trainer.inspection.main import main as inspect

            return inspect(options)
        case "replay":
            from trainer.replay.main import main as replay

            return replay(options.request)
        case "fits":
            from trainer.engine.weights_fit import main as fits

            return fits(options)
        case "run":
            from trainer.engine.run import run

            return run(options.request)
    from trainer.engine.answer import main as answer

    return answer(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    subcommands = parser.add_subparsers(dest="subcommand", required=True)
    run = subcommands.add_parser("run", help="train as a request and its orders say")
    run.add_argument(
        "--request", type=Path, required=True, metavar="FILE", help="request.json in the run's folder"
    )
    replay = subcommands.add_parser("replay", help="make checkpoints again from their parents, and compare")
    replay.add_argument("--request", type=Path, required=True, metavar="FILE", help="a ReplayRequest as JSON")
    _add_answer(subcommands.add_parser("answer", help="answer prompts with a checkpoint, greedily"))
    _add_inspect(
        subcommands.add_parser("inspect", help="look through files of rows as training will see them")
    )
    _add_fits(subcommands.add_parser("fits", help="say whether weights fill the model beside them, as JSON"))
    subcommands.add_parser("generate", help="make problems of a built-in skill", add_help=False)
    subcommands.add_parser("watch", help="run another trainer's script as a run", add_help=False)
    return parser


def _add_inspect(inspect: argparse.ArgumentParser) -> None:
    from trainer.inspection.main import add_arguments

    add_arguments(inspect)


def _add_fits(fits: argparse.ArgumentParser) -> None:
    folder = fits.add_mutually_exclusive_group(required=True)
    folder.add_argument("--base", type=Path, metavar="DIR", help="a pretrained model")
    folder.add_argument("--checkpoint", type=Path, metavar="DIR", help="what other software saved")


def _add_answer(answer: argparse.ArgumentParser) -> None:
    source = answer.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, metavar="DIR", help="the checkpoint that answers")
    answer.add_argument(
        "--base", type=Path, metavar="DIR", help="of adapters: the pretrained model that they belong to"
    )
    source.add_argument("--request", type=Path, metavar="FILE", help="with --initial: the request of a run")
    answer.add_argument("--initial", action="store_true", help="answer with the untrained weights of step 0")
    answer.add_argument("--prompt", action="append", default=[], metavar="TEXT", help="may be given again")
    answer.add_argument("--prompts", type=Path, metavar="FILE", help='JSONL with "prompt" or "messages"')
    answer.add_argument("--max-new-tokens", type=int, default=256, metavar="N")
    answer.add_argument("--device", default="cpu", help="cpu or cuda:<index>")
    answer.add_argument(
        "--threads", type=int, default=None, metavar="N", help="CPU threads (default: as fit the model)"
    )
    answer.add_argument("--json", action="store_true", help="one JSON object a line: prompt, answer")
    answer.add_argument("--no-verify", action="store_true", help="trust the files without reading them twice")


if __name__ == "__main__":
    sys.exit(main())
