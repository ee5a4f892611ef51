"""`new check` and `comment`: the shipped workflows do what they say, and one comment stays one comment."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.app.forges.comments import MARK

FILES = {
    "github": ".github/workflows/realm.yml",
    "gitea": ".gitea/workflows/realm.yml",
    "gitlab": ".gitlab-ci.yml",
    "pre-commit": ".pre-commit-config.yaml",
}
BODY = f"{MARK}lab -->\n### lab: nothing\n"


class Forge(BaseHTTPRequestHandler):
    """A forge with one pull request, kept in memory."""

    def answer(self) -> None:
        server: Any = self.server
        server.asked.append((self.command, self.path, dict(self.headers)))
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length))["body"] if length else None
        status, said, *headers = server.reply(self.command, self.path, body)
        content = json.dumps(said).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:9/steal")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def forge() -> Iterator[Any]:
    """A forge at server.api, its comments in server.comments: {id: body}; those in server.foreign refuse."""
    server: Any = HTTPServer(("127.0.0.1", 0), Forge)
    server.comments, server.foreign, server.asked = {}, set(), []

    def reply(method: str, path: str, body: str | None) -> tuple[int, Any]:
        if method == "GET":
            start = (int(path.rpartition("page=")[2]) - 1) * 100
            rows = [{"id": number, "body": text} for number, text in server.comments.items()]
            return 200, rows[start : start + 100]
        number = len(server.comments) + 1 if method == "POST" else int(path.rpartition("/")[2])
        if number in server.foreign:
            return 403, {"message": "not yours"}
        server.comments[number] = body
        return (201 if method == "POST" else 200), {"id": number, "body": body}

    server.reply = reply
    server.api = f"http://127.0.0.1:{server.server_port}/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def say(run, forge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Put a text under pull request 7 of lab/specs."""
    monkeypatch.setenv("REALM_FORGE_TOKEN", "secret-token")

    def comment(text: str, kind: str = "github", api: str | None = None) -> Any:
        (tmp_path / "plan.md").write_text(text)
        place = ["--forge", kind, "--api", api or forge.api, "--repository", "lab/specs", "--number", "7"]
        return run("comment", *place, "--file", str(tmp_path / "plan.md"), "--json")

    return comment


@pytest.mark.parametrize("kind", ["github", "gitea", "gitlab"])
def test_the_second_plan_updates_the_comment_of_the_first(say, forge: Any, kind: str) -> None:
    forge.comments[1] = "A person's words"
    first, second = say(BODY, kind), say(f"{BODY}more\n", kind)
    assert [json.loads(one.stdout)["is_new"] for one in (first, second)] == [True, False]
    assert forge.comments == {1: "A person's words", 2: f"{BODY}more\n"}


@pytest.mark.parametrize(
    ("kind", "path", "header"),
    [
        ("github", "/api/repos/lab/specs/issues/7/comments", ("Authorization", "Bearer secret-token")),
        ("gitea", "/api/repos/lab/specs/issues/7/comments", ("Authorization", "token secret-token")),
        ("gitlab", "/api/projects/lab%2Fspecs/merge_requests/7/notes", ("PRIVATE-TOKEN", "secret-token")),
    ],
)
def test_each_forge_is_asked_in_its_own_way(say, forge: Any, kind: str, path: str, header) -> None:
    say(BODY, kind)
    method, asked, headers = forge.asked[-1]
    assert (method, asked) == ("POST", path)
    assert {name.lower(): value for name, value in headers.items()}[header[0].lower()] == header[1]


def test_a_comment_on_a_later_page_is_found(say, forge: Any) -> None:
    forge.comments.update(dict.fromkeys(range(1, 251), "words"))
    forge.comments[240] = BODY
    assert json.loads(say(f"{BODY}new\n").stdout) == {"schema_version": 1, "comment": 240, "is_new": False}


def test_somebody_elses_comment_with_our_first_line_is_left_alone(say, forge: Any) -> None:
    forge.comments[1] = f"{BODY}forged"
    forge.foreign.add(1)
    assert json.loads(say(BODY).stdout)["comment"] == 2
    assert forge.comments[1] == f"{BODY}forged"


@pytest.mark.parametrize(
    ("status", "said", "headers"),
    [
        (403, {"message": "slow down"}, [("Retry-After", "60")]),
        (403, {"message": "no more for this hour"}, [("X-RateLimit-Remaining", "0")]),
        (403, {"message": "You have exceeded a secondary rate limit."}, []),
        (429, {"message": "Too many requests"}, []),
    ],
)
def test_a_forge_that_was_asked_too_often_gets_no_second_comment(
    say, forge: Any, status: int, said: dict[str, str], headers: list[tuple[str, str]]
) -> None:
    forge.comments[1] = BODY
    reply = forge.reply
    forge.reply = lambda method, *more: (
        (status, said, *headers) if method == "PATCH" else reply(method, *more)
    )
    refused = say(f"{BODY}more")
    assert (refused.exit_code, forge.comments) == (1, {1: BODY}), refused.output
    assert f": {said['message']}; it was asked too often, so nothing was changed" in refused.stderr
    assert ("(Retry-After: 60)" in refused.stderr) == (headers == [("Retry-After", "60")])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"message": "Bad credentials"}, "401 Unauthorized: Bad credentials\n"),
        ({"error": "invalid_token", "error_description": "It was revoked."}, ": It was revoked.\n"),
        ({"message": {"base": ["is locked"]}}, ': {"base":["is locked"]}\n'),
        ({"message": "no\x1b[31m secret-token"}, ": no [31m …\n"),
        (["what is this"], "401 Unauthorized\n"),
    ],
)
def test_a_refusal_is_told_in_the_forges_own_words(say, forge: Any, said: Any, told: str) -> None:
    forge.reply = lambda *_: (401, said)
    refused = say(BODY)
    assert refused.exit_code == 1
    assert refused.stderr.endswith(told)
    assert "secret-token" not in refused.output


def test_a_token_does_not_follow_a_redirect(say, forge: Any) -> None:
    forge.reply = lambda *_: (302, {})
    result = say(BODY)
    assert result.exit_code == 1
    assert "302" in result.stderr
    assert "secret-token" not in result.output


def test_what_is_no_plan_or_no_forge_is_refused(say, run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not begin with the line" in say("### hello").stderr
    for api in ("ftp://x", "http://[::1", "http://127.0.0.1:9/a b", "http://"):
        assert "is no address of a forge" in say(BODY, api=api).stderr
    for api in ("http://ann:hidden@127.0.0.1:9", "http://127.0.0.1:9?private_token=hidden"):
        refused = say(BODY, api=api)
        assert (refused.exit_code, "holds more than an address" in refused.stderr) == (64, True)
        assert "hidden" not in refused.output
    assert say(BODY, api="http://127.0.0.1:9").exit_code == 1
    monkeypatch.delenv("REALM_FORGE_TOKEN")
    refused = say(BODY)
    assert (refused.exit_code, "REALM_FORGE_TOKEN is empty" in refused.stderr) == (64, True)


@pytest.mark.parametrize("kind", FILES)
def test_a_check_is_written_once_and_is_yaml(run, lab: Path, kind: str) -> None:
    assert run("new", "check", kind).stdout.strip() == str(lab / FILES[kind])
    assert YAML(typ="safe", pure=True).load((lab / FILES[kind]).read_text())
    again = run("new", "check", kind)
    assert (again.exit_code, "is there already; nothing was written" in again.stderr) == (3, True)


def steps_of(kind: str, text: str) -> str:
    read = YAML(typ="safe", pure=True).load(text)
    if kind == "gitlab":
        return str(read["realm"]["script"][0])
    return str(
        next(step for step in read["jobs"]["plan"]["steps"] if step.get("name") == "Validate and plan")["run"]
    )


@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize("has_facts", [True, False])
def test_the_steps_of_a_check_validate_and_plan_against_the_facts(
    run, lab: Path, git, store, tmp_path: Path, kind: str, has_facts: bool
) -> None:
    run("new", "check", kind)
    steps = steps_of(kind, (lab / FILES[kind]).read_text())
    origin = published(run, lab, git, tmp_path, has_facts=has_facts)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    git(clone, "switch", "-q", "side")
    done = subprocess.run(
        ["bash", "-eu", "-c", steps],
        cwd=clone,
        env={
            "PATH": f"{tools(tmp_path)}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "BASE": "main",
            "REALM_SOFTWARE": "x",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (clone / "plan.md").exists() is has_facts
    if has_facts:
        text = (clone / "plan.md").read_text()
        assert text.startswith(f"{MARK}lab -->")
        assert "1 to activate" in text


def published(run, lab: Path, git, tmp_path: Path, *, has_facts: bool) -> Path:
    """Return a remote that has main, a branch that switches heroes, and the facts of the realm's machine."""
    git(lab, "switch", "-qc", "side")
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "Switch")
    git(lab, "switch", "-q", "main")
    if has_facts:
        assert run("observe", "--out", str(tmp_path / "facts.json")).exit_code == 0
        git(lab, "switch", "-q", "--orphan", "realm-facts")
        (lab / "facts.json").write_bytes((tmp_path / "facts.json").read_bytes())
        git(lab, "add", "facts.json")
        git(lab, "commit", "-qm", "Facts")
        git(lab, "switch", "-q", "main")
    origin = tmp_path / "origin.git"
    git(tmp_path, "clone", "-q", "--bare", str(lab), str(origin))
    return origin


def tools(tmp_path: Path) -> Path:
    """Return a folder with `reconcile` as it is here, and a `python` that installs nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    here = Path(__file__).parents[3]
    (folder / "reconcile").write_text(
        f'#!/bin/sh\nPYTHONPATH={here} exec {sys.executable} -m reconciler.cli "$@"\n'
    )
    (folder / "python").write_text("#!/bin/sh\nexit 0\n")
    for file in folder.iterdir():
        file.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "answer", [{"message": "hello"}, ["a"], [{"id": "x"}], [{"body": "no id"}], "text"], ids=str
)
def test_an_answer_that_no_forge_gives_is_told_as_one(say, forge: Any, answer: Any) -> None:
    forge.reply = lambda *_: (200, answer)
    refused = say(BODY)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"reconcile: GET {forge.api}/repos/lab/specs/issues/7/comments")
    assert "this is not what a forge answers" in refused.stderr


def test_a_new_comment_without_an_id_is_told(say, forge: Any) -> None:
    forge.reply = lambda method, *_: (200, [] if method == "GET" else {})
    assert "POST " in (refused := say(BODY)).stderr
    assert "this is not what a forge answers" in refused.stderr


@pytest.mark.parametrize(
    "greeting", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["]
)
def test_who_speaks_something_else_or_nothing_is_named(say, greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_greet, args=(server, greeting))
        thread.start()
        api = f"http://127.0.0.1:{server.getsockname()[1]}"
        refused = say(BODY, api=api)
        thread.join()
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"reconcile: GET {api}/repos/")
    assert "should not happen" not in refused.stderr


def _greet(server: socket.socket, greeting: bytes) -> None:
    client, _ = server.accept()
    with client:
        client.recv(65_536)
        client.sendall(greeting)


def test_a_token_is_never_told_and_its_line_end_does_not_matter(
    say, forge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALM_FORGE_TOKEN", "secret-token\n")
    assert say(BODY).exit_code == 0
    assert forge.asked[-1][2]["Authorization"] == "Bearer secret-token"
    for token in ("secret-\ntoken", "secret-\u201ctoken", "secret- token"):
        monkeypatch.setenv("REALM_FORGE_TOKEN", token)
        refused = say(BODY)
        assert (refused.exit_code, "the token holds a character" in refused.stderr) == (64, True)
        assert "secret-" not in refused.output


def test_a_check_says_what_comes_next_for_its_kind(run) -> None:
    assert "pre-commit install" in run("new", "check", "pre-commit").stderr
    assert "the realm's machine has to publish" in run("new", "check", "github").stderr
