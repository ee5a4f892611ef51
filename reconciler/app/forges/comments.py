"""One comment under a pull request, found again by its first line and updated: GitHub, Gitea, GitLab."""

import json
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any, Literal, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

import msgspec

from reconciler.app.forges.refusals import Refused, refused
from reconciler.app.surroundings.errors import Failed, Misused

Forge = Literal["github", "gitea", "gitlab"]
MARK = "<!-- reconcile plan: "
_MOST_PAGES = 50
_PER_PAGE = 100
_TIMEOUT_SECONDS = 20.0
_MOST_BYTES = 8 * 1024 * 1024
_NOT_OURS = (403, 404)
Answer = TypeVar("Answer")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pull request is."""

    forge: Forge
    api: str
    """Such as https://api.github.com, https://gitea.example.org/api/v1, https://gitlab.com/api/v4."""
    repository: str
    """`owner/name`."""
    number: int
    token: str


class _Known(msgspec.Struct, frozen=True):
    """What all three forges say of a comment."""

    id: int
    body: str | None = None


class Commented(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    schema_version: int = 1
    comment: int
    """Its id on the forge."""
    is_new: bool


def comment(place: Place, body: str) -> Commented:
    """Update the comment that begins with the same line, or make it.

    Raises:
        Misused: the text has no such line, or the forge's address or the token is none.
        Failed: the forge cannot be reached, refuses, or answers what no forge does.
    """
    marker = body.partition("\n")[0]
    if not marker.startswith(MARK):
        raise Misused(
            f"the text does not begin with the line that `reconcile plan --format markdown` writes: {MARK}…"
        )
    _check_address(place.api)
    if not place.token.isascii() or not place.token.isprintable() or " " in place.token:
        raise Misused("the token holds a character that none has: a line end, a space, or one beyond ASCII")
    talk = _Talk(place)
    for known in talk.comments():
        if (known.body or "").startswith(marker) and (done := talk.update(known.id, body)):
            return done
    return talk.create(body)


def _check_address(api: str) -> None:
    """Refuse what is no address, and one with a secret in it: addresses are told where something fails."""
    try:
        parts = urlsplit(api)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in api
    except ValueError:
        is_one = False
    if not is_one:
        raise Misused("--api is no address of a forge; expected https://…, such as https://api.github.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Misused(
            "--api holds more than an address (a user, a password or a ?query); the token alone lets in"
        )


class _NoRedirect(HTTPRedirectHandler):
    """A token goes to the address that was named, and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Talk:
    """The few calls that the three forges have in common."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._opener: OpenerDirector = build_opener(_NoRedirect)

    def comments(self) -> Iterator[_Known]:
        for page in range(1, _MOST_PAGES + 1):
            path = f"{self._all()}?per_page={_PER_PAGE}&limit={_PER_PAGE}&page={page}"
            found = self._ask("GET", path, expected=list[_Known])
            yield from found
            if len(found) < _PER_PAGE or self._place.forge == "gitea":  # that one gives all at once
                return

    def update(self, number: int, body: str) -> Commented | None:
        """Update a comment; None: it is somebody else's."""
        method = "PUT" if self._place.forge == "gitlab" else "PATCH"
        try:
            self._ask(method, self._one(number), body, expected=object)
        except Refused as error:
            if error.status in _NOT_OURS and not error.is_for_now:
                return None
            raise
        return Commented(comment=number, is_new=False)

    def create(self, body: str) -> Commented:
        made = self._ask("POST", self._all(), body, expected=_Known)
        return Commented(comment=made.id, is_new=True)

    def _all(self) -> str:
        place = self._place
        if place.forge == "gitlab":
            return f"/projects/{quote(place.repository, safe='')}/merge_requests/{place.number}/notes"
        return f"/repos/{quote(place.repository)}/issues/{place.number}/comments"

    def _one(self, number: int) -> str:
        place = self._place
        return (
            f"{self._all()}/{number}"
            if place.forge == "gitlab"
            else f"/repos/{quote(place.repository)}/issues/comments/{number}"
        )

    def _ask(self, method: str, path: str, body: str | None = None, *, expected: type[Answer]) -> Answer:
        url = f"{self._place.api.rstrip('/')}{path}"
        data = json.dumps({"body": body}).encode() if body is not None else None
        request = Request(url, data=data, method=method, headers=self._headers())  # noqa: S310 - http(s) only, above
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return msgspec.json.decode(answer.read(_MOST_BYTES), type=expected)
        except HTTPError as error:
            raise refused(f"{method} {url}", error, self._place.token) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Failed(
                f"{method} {url}: this is not what a forge answers ({error}); look at --api"
            ) from error
        except (HTTPException, OSError) as error:
            said = str(error.reason if isinstance(error, URLError) else error) or type(error).__name__
            raise Failed(f"{method} {url}: {said.strip()}") from error

    def _headers(self) -> dict[str, str]:
        token = self._place.token
        said = {
            "github": {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
            "gitea": {"Authorization": f"token {token}"},
            "gitlab": {"PRIVATE-TOKEN": token},
        }
        return {**said[self._place.forge], "Content-Type": "application/json", "User-Agent": "realm"}
