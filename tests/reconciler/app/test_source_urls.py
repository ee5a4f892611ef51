"""URLs of sources are shown without what lets anybody in."""

import pytest

from reconciler.app.applying.source_urls import checked_url, shown_url, without_url
from reconciler.app.surroundings.errors import Misused


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a.git", "https://host/a.git"),
        ("https://ghp_token@host/a.git", "https://***@host/a.git"),
        ("https://ada:secret@host:8443/a.git", "https://***@host:8443/a.git"),
        ("http://host/a.git?private_token=secret", "http://host/a.git?***"),
        ("https://ada:se@cret@host/a.git#secret", "https://***@host/a.git?***"),
        ("htps://ada:secret@host/a.git", "htps://***@host/a.git"),
        ("ssh://git@host/a.git", "ssh://git@host/a.git"),
        ("ssh://git:secret@host/a.git", "ssh://git:***@host/a.git"),
        ("git@host:a.git", "git@host:a.git"),
        ("/a/b@c?d", "/a/b@c?d"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert without_url(f"unable to access '{url}': no", url) == f"unable to access '{shown}': no"


@pytest.mark.parametrize(
    "url", ["htps://ada:secret@host/a.git", "ext::sh -c secret", "https://[secret/a", "-secret"]
)
def test_what_is_no_source_is_refused(url: str) -> None:
    with pytest.raises(Misused) as refused:
        checked_url(url)
    assert "is no source; expected https://" in str(refused.value)
    assert "ada" not in str(refused.value)
