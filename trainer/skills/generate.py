"""`python -m trainer generate SKILL --level N --count N --seed N [--evenly] [--out FILE]`: rows as JSONL."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from state.atomic import write_file
from trainer.skills.registry import SKILLS, Skill, UnknownSkillError, find_skill

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 64


class _UsageError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}\n{self.format_usage().rstrip()}")


def main(argv: Sequence[str]) -> int:
    """Write a batch and return the exit code: 0 done, 1 the file could not be written, 64 wrong use."""
    try:
        arguments = _parser().parse_args(argv)
        skill = find_skill(arguments.skill)
        _check_level(skill, arguments.level)
    except (_UsageError, UnknownSkillError) as error:
        print(f"generate: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return EXIT_USAGE
    source = skill.generate_evenly if arguments.evenly else skill.generate
    lines = _lines(source(arguments.level, arguments.count, arguments.seed))
    try:
        return _write(lines, arguments.out)
    except OSError as error:
        print(f"generate: {arguments.out or 'stdout'}: {error.strerror}", file=sys.stderr)  # noqa: T201 - the same
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m trainer generate", description="Write a batch of problems as JSONL.")
    parser.add_argument("skill", help=f"a built-in skill: {', '.join(sorted(SKILLS))}")
    parser.add_argument(
        "--level", type=int, required=True, help="how hard; the skill says how many there are"
    )
    parser.add_argument("--count", type=_natural, required=True, help="rows to write, 1 or more")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal batches (default: 0)")
    parser.add_argument(
        "--evenly",
        action="store_true",
        help="each problem as often as any other, where a level has few enough to list them (bin: level 1)",
    )
    parser.add_argument("--out", type=Path, help="the file, written whole; without it, standard output")
    return parser


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _check_level(skill: Skill, level: int) -> None:
    if not 1 <= level <= skill.max_level:
        raise _UsageError(f"level {level} does not exist; {skill.id} has levels 1 to {skill.max_level}")


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    return (encoder.encode(row) + b"\n" for row in rows)


def _write(lines: Iterator[bytes], out: Path | None) -> int:
    if out is not None:
        write_file(out, b"".join(lines))
        return EXIT_DONE
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    return EXIT_DONE
