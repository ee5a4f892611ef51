"""`python -m trainer inspect`: files for people, or one request as JSON for the reconciler."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from state.contract.byte_tokens import byte_tokens_digest
from state.contract.chat import BUILT_IN as TEMPLATES
from state.contract.chat import NoTemplateError, model_template, template_digest
from state.contract.contents import MAX_FINDINGS, MOST_FINDINGS
from state.contract.inspection import DEPTHS, InspectAnswer, InspectRequest, TrainedAs
from state.contract.orders import RowShape
from state.contract.row_contracts import BUILT_IN, RowContract
from state.contract.run_config import ChatConfig, TokenizerConfig
from state.contract.tokenizer_files import NoTokenizerError, tokenizer_files_digest
from trainer.inspection.errors import InspectError, UnusableTokenizer
from trainer.inspection.inspecting import inspect, stumbled_over
from trainer.inspection.words import inspection_text

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 64


class _WrongUseError(Exception):
    """The arguments do not go together; says which."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `inspect`."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="JSONL, one row a line")
    parser.add_argument(
        "--request",
        metavar="FILE",
        help="instead: what to look at, JSON lines; - is standard input",
    )
    parser.add_argument(
        "--depth", choices=DEPTHS, default="standard", help="quick needs no tokenizer (default: standard)"
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="folder of a tokenizer and its template (default: bytes, chatml)",
    )
    parser.add_argument("--max-length", type=int, default=2048, metavar="N", help="tokens of the longest row")
    parser.add_argument(
        "--documents", type=int, default=16, metavar="N", help="rows in an update (default: 16)"
    )
    parser.add_argument(
        "--tokens-at-once", type=int, metavar="N", help="budget of a micro-batch (default: --max-length)"
    )
    parser.add_argument("--fields", metavar="QUESTION,ANSWER", help="keys of rows that are no messages")
    parser.add_argument(
        "--findings",
        type=int,
        default=MAX_FINDINGS,
        metavar="N",
        help=f"named of each check, 1 to {MOST_FINDINGS:,} (default: {MAX_FINDINGS})",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object for each file")


def main(options: argparse.Namespace) -> int:
    """Look through every file; return 0, or 1 when one cannot be trained on, or 64 for wrong use.

    Requests are answered each by a line, in their order; then 0 means that all were answered.
    """
    try:
        if options.request is not None and not options.files:
            return _answer(_requests_in(options.request))
        return _show(list(_requests(options)), as_json=options.json)
    except _WrongUseError as error:
        sys.stderr.write(f"inspect: {error}\n")
        return EXIT_USAGE
    except (InspectError, NoTokenizerError, NoTemplateError, OSError) as error:
        sys.stderr.write(f"inspect: {error}\n")
        return EXIT_FAILED


def _show(requests: Sequence[InspectRequest], *, as_json: bool) -> int:
    num_errors = 0
    for request in requests:
        found = inspect(request)
        num_errors += found.num_errors
        text = msgspec.json.encode(found).decode() if as_json else inspection_text(request.path, found)
        sys.stdout.write(f"{text}\n")
    return EXIT_FAILED if num_errors else EXIT_DONE


def _answer(requests: Iterable[InspectRequest]) -> int:
    for request in requests:
        sys.stdout.write(f"{msgspec.json.encode(_answer_to(request)).decode()}\n")
        sys.stdout.flush()
    return EXIT_DONE


def _answer_to(request: InspectRequest) -> InspectAnswer:
    try:
        return InspectAnswer(inspection=inspect(request))
    except (InspectError, OSError) as error:
        return InspectAnswer(why_not=str(error), no_tokenizer=isinstance(error, UnusableTokenizer))
    except MemoryError:
        return InspectAnswer(why_not="there is not enough memory to look through it")
    except Exception as error:  # noqa: BLE001 - rows that a check stumbles over are no rows to train on
        return InspectAnswer(inspection=stumbled_over(request, error))


def _requests(options: argparse.Namespace) -> Iterator[InspectRequest]:
    if options.request is not None or not options.files:
        raise _WrongUseError("name files, or --request")
    if not 1 <= options.findings <= MOST_FINDINGS:
        raise _WrongUseError(f"--findings {options.findings}: expected 1 to {MOST_FINDINGS:,}")
    trained_as = _trained_as(options) if options.depth != "quick" else None
    contracts = _contracts(options.fields)
    for file in options.files:
        yield InspectRequest(
            path=file,
            contracts=contracts,
            depth=options.depth,
            trained_as=trained_as,
            most_findings=options.findings,
        )


def _requests_in(name: str) -> list[InspectRequest]:
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return msgspec.json.Decoder(InspectRequest).decode_lines(content)
    except msgspec.DecodeError as error:
        raise _WrongUseError(f"{name}: no request: {error}") from error


def _contracts(fields: str | None) -> tuple[RowContract, ...]:
    if fields is None:
        return BUILT_IN
    prompt, comma, completion = fields.partition(",")
    if not (prompt and comma and completion):
        raise _WrongUseError(f"--fields {fields}: expected two keys, such as question,answer")
    shape = RowShape(kind="fields", prompt=prompt, completion=completion)
    return (RowContract(name=f"{prompt} and {completion}", shape=shape),)


def _trained_as(options: argparse.Namespace) -> TrainedAs:
    """Return the byte-level tokenizer with chatml, or what lies in a model's folder.

    Raises:
        NoTokenizerError, NoTemplateError: it is not there.
    """
    folder = options.model
    template = TEMPLATES["chatml"] if folder is None else model_template(folder)
    tokenizer = (
        TokenizerConfig(kind="bytes", digest=byte_tokens_digest())
        if folder is None
        else TokenizerConfig(kind="pretrained", digest=tokenizer_files_digest(folder))
    )
    chat = ChatConfig(template="chatml" if folder is None else "default", digest=template_digest(template))
    return TrainedAs(
        tokenizer=tokenizer,
        chat=chat,
        model_dir=None if folder is None else str(folder),
        max_length=options.max_length,
        documents_per_update=options.documents,
        tokens_at_once=options.tokens_at_once or options.max_length,
        seed=0,
    )
