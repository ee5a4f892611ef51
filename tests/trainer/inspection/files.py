"""Files of rows, and requests to look through them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from state.contract.byte_tokens import byte_tokens_digest
from state.contract.chat import CHATML, template_digest
from state.contract.inspection import Guard, Inspection, InspectRequest, TrainedAs
from state.contract.orders import RowShape
from state.contract.row_contracts import BUILT_IN
from state.contract.run_config import ChatConfig, TokenizerConfig
from trainer.inspection.inspecting import inspect


def a_row(question: str = "one and one?", answer: str = "two", **more: Any) -> dict[str, Any]:
    """Return a question and its answer."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns, **more}


def turns(*spoken: str) -> dict[str, Any]:
    """Return a conversation: `u: text`, `a: text`, `s: text`."""
    names = {"u": "user", "a": "assistant", "s": "system"}
    said = [one.split(": ", 1) for one in spoken]
    return {"messages": [{"role": names[who], "content": text} for who, text in said]}


def many(number: int) -> list[dict[str, Any]]:
    """Return rows that have nothing in common that a check would name."""
    return [a_row(f"how much is {n} and {n * 7}?", f"it is {n * 8}") for n in range(number)]


def write(path: Path, *rows: Any) -> Path:
    """Write rows as JSON lines; texts are written as they are."""
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def trained_as(**changes: Any) -> TrainedAs:
    """Return bytes, chatml, and updates of four documents."""
    usual: dict[str, Any] = {
        "tokenizer": TokenizerConfig(kind="bytes", digest=byte_tokens_digest()),
        "chat": ChatConfig(template="chatml", digest=template_digest(CHATML)),
        "model_dir": None,
        "max_length": 256,
        "documents_per_update": 4,
        "tokens_at_once": 256,
        "seed": 0,
    }
    return TrainedAs(**(usual | changes))


def a_guard(path: Path, name: str = "the held-out file") -> Guard:
    """Return the rows of a file as such that nothing is to be learnt from."""
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return Guard(name=name, path=str(path), digest=digest, shape=RowShape())


def a_request(path: Path, **changes: Any) -> InspectRequest:
    """Return a quick look at a file."""
    return InspectRequest(**({"path": str(path), "contracts": BUILT_IN, "depth": "quick"} | changes))


def look(path: Path, **changes: Any) -> Inspection:
    """Return what a look at a file finds."""
    return inspect(a_request(path, **changes))


def said(found: Inspection, check: str) -> list[str]:
    """Return what a check found, as people read it."""
    return [str(one) for one in found.findings if one.check == check]
