"""URLs of sources: those that git fetches by itself, and how they are shown. Pure."""

import re
from urllib.parse import urlsplit

from reconciler.app.surroundings.errors import Misused

_SCHEMES = ("file", "git", "http", "https", "ssh")
_SCP = re.compile(r"[A-Za-z0-9._-]+(@[A-Za-z0-9._-]+)?:(?!:)[^\s]+", re.ASCII)
_PLAIN_USER = re.compile(r"(ssh|git|file)://[^/?#@:]*@")
_USER = re.compile(r"(?<=://)[^/?#]*@")
_PASSWORD = re.compile(r"(?<=://)([^/?#@:]*):[^/?#]*@")
_MORE = re.compile(r"[?#].*", re.DOTALL)


def checked_url(url: str) -> str:
    """Return a URL that git fetches without the help of another program.

    Raises:
        Misused: it is none, or names a helper program.
    """
    is_plain = url.isprintable() and " " not in url and not url.startswith("-") and "::" not in url
    if is_plain and _is_known(url):
        return url
    raise Misused(
        f'"{shown_url(url)}" is no source; '
        "expected https://…, ssh://…, git@host:path, file://… or an absolute path"
    )


def _is_known(url: str) -> bool:
    if "://" not in url:
        return url[:1] == "/" or bool(_SCP.fullmatch(url))
    try:
        return urlsplit(url).scheme in _SCHEMES
    except ValueError:  # brackets that hold no address
        return False


def shown_url(url: str) -> str:
    """Return the URL as it may be shown, kept and published.

    A token stands as a user's name, as a password, or behind a question mark; a user of ssh is no secret.
    """
    if _PLAIN_USER.match(url):
        return url
    if url.startswith(("ssh://", "git://", "file://")):
        return _PASSWORD.sub(r"\1:***@", url)
    return _MORE.sub("?***", _USER.sub("***@", url)) if "://" in url else url


def without_url(text: str, url: str) -> str:
    """Return what git said about a URL, with the URL as it may be shown."""
    return text.replace(url, shown_url(url))
