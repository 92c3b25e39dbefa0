"""RepositoryUrl: which addresses are accepted, and that credentials are taken out of everything that is shown."""

import pytest

from autodeploy.errors import SourceError
from autodeploy.model.repository import RepositoryUrl, without_credentials


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("https://host.example/owner/name.git", "remote", "name"),
        ("https://host.example:8443/owner/name/", "remote", "name"),
        ("https://[::1]/name", "remote", "name"),
        ("ssh://git@host.example:22/owner/name", "remote", "name"),
        ("ssh://host.example/name", "remote", "name"),
        ("git@host.example:owner/name.git", "remote", "name"),
        ("git@host.example:name", "remote", "name"),
        ("git://host.example/name", "remote", "name"),
        ("file:///srv/name", "file", "name"),
        ("/srv/with space/name", "path", "name"),
        ("./name", "path", "name"),
        ("../name", "path", "name"),
        (".", "path", ""),
        ("..", "path", ""),
    ],
)
def test_accepts(text: str, kind: str, name: str) -> None:
    url = RepositoryUrl.parse(text)
    assert (url.text, url.kind, url.name) == (text, kind, name)
    assert not url.has_credentials


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "owner/name", "http://host/name", "ftp://host/name", "HTTPS://host/name", "-name", "--upload-pack=x",
        "ext::sh -c x", "https://", "https://host", "https://host/", "https://-host/name", "https:///name",
        "https://host:0/name", "https://host:port/name", "https://host:99999/name", "https://host/na me",
        "https://host/name?x=1", "https://host/name#main", "https://host/-name", "https://[bad/name",
        "https://us%0Aer@host/name", "ssh://-oProxyCommand=x/name", "ssh://-x@host/name", "git@-host:name", "git@host:-x",
        "git@host:", "host:name", "file://host/name", "file://name", "file:////x", "./a\nb", "/a\0b", "~/name",
        "/" + "x" * 3000,
    ],
)  # fmt: skip
def test_refuses_in_four_lines(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        RepositoryUrl.parse(text)
    assert len(str(caught.value).splitlines()) == 4
    assert caught.value.exit_code == 20
    assert not caught.value.recoverable
    assert "autodeploy deploy" in caught.value.remediation


def test_credentials_are_parted_from_the_address() -> None:
    url = RepositoryUrl.parse("https://us%40er:to%2Fken@host.example/owner/name")
    assert url.text == "https://host.example/owner/name"
    assert (url.username, url.password, url.has_credentials) == ("us@er", "to/ken", True)
    assert "ken" not in repr(url) + url.to_json()


@pytest.mark.parametrize("text", ["git://user:word@host/name", "ssh://git:word@host/name"])
def test_useless_passwords_are_dropped(text: str) -> None:
    url = RepositoryUrl.parse(text)
    assert "word" not in url.text
    assert not url.has_credentials


@pytest.mark.parametrize(
    "text", ["https://user:sec/ret@host/name", "http://user:secret@host/name", "https://u:sec ret@h/x"]
)
def test_a_refusal_does_not_repeat_credentials(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        RepositoryUrl.parse(text)
    assert "sec" not in str(caught.value)


def test_texts_lose_their_credentials() -> None:
    assert without_credentials("fatal: 'https://u:p@h/x' and ssh://k@h") == "fatal: 'https://…@h/x' and ssh://…@h"
