"""Outside over real sockets: what answers, what does not, and that nobody is believed without the right authority."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from autodeploy.adapters.outside import OutsideWorld
from autodeploy.adapters.tls import issue, make_authority
from autodeploy.errors import DeploymentError

NOW = datetime.now(timezone.utc)


class Answer(http.server.BaseHTTPRequestHandler):
    """The path says what is answered."""

    def do_GET(self) -> None:
        status = int(self.path.strip("/"))
        self.send_response(status)
        self.send_header("X-AutoDeploy-Release", "abc123")
        if status == 302:
            self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Site:
    """A server on loopback, with TLS where `context` is given."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("tls")
    made = make_authority("test", NOW)
    leaf, key = issue(made, ["localhost"], NOW, 30)
    for name, text in (("ca.pem", made[0]), ("leaf.pem", leaf + key)):
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    return folder / "ca.pem", context


@pytest.fixture
def secure(authority: tuple[Path, ssl.SSLContext]) -> Iterator[Site]:
    site = Site(authority[1])
    yield site
    site.close()


@pytest.fixture
def plain() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.mark.parametrize("status", [200, 404, 500, 502])
def test_every_answer_is_an_answer(secure: Site, authority: tuple[Path, ssl.SSLContext], status: int) -> None:
    code, headers = OutsideWorld().get(f"https://localhost:{secure.port}/{status}", authority[0])
    assert (code, headers["x-autodeploy-release"]) == (status, "abc123")


def test_a_redirect_is_not_followed(plain: Site) -> None:
    code, headers = OutsideWorld().get(f"http://127.0.0.1:{plain.port}/302", None)
    assert (code, headers["location"]) == (302, "/200")


def test_proxies_of_the_operator_are_not_asked(plain: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert OutsideWorld().get(f"http://127.0.0.1:{plain.port}/200", None)[0] == 200


def test_another_authority_is_not_believed(secure: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(make_authority("other", NOW)[0])
    with pytest.raises(DeploymentError, match="CERTIFICATE_VERIFY_FAILED"):
        OutsideWorld().get(f"https://localhost:{secure.port}/200", other)


def test_another_name_is_not_believed(secure: Site, authority: tuple[Path, ssl.SSLContext]) -> None:
    with pytest.raises(DeploymentError, match="IP address mismatch"):
        OutsideWorld().get(f"https://127.0.0.1:{secure.port}/200", authority[0])


def test_a_name_that_leads_nowhere_is_asked_where_it_is_said_to_be(tmp_path: Path) -> None:
    made = make_authority("test", NOW)
    leaf, key = issue(made, ["shop.example.com"], NOW, 30)
    for name, text in (("ca.pem", made[0]), ("leaf.pem", leaf + key)):
        (tmp_path / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem")
    site = Site(context)
    try:
        at = f"localhost:{site.port}"
        url = f"https://shop.example.com:{site.port}/200"
        assert OutsideWorld().get(url, tmp_path / "ca.pem", at)[0] == 200
        with pytest.raises(DeploymentError, match="Hostname mismatch"):
            OutsideWorld().get(f"https://www.example.com:{site.port}/200", tmp_path / "ca.pem", at)
    finally:
        site.close()


def test_a_port_that_nobody_listens_on() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DeploymentError, match=r"does not answer: .*refused") as caught:
            OutsideWorld().get(url, None)
    assert caught.value.recoverable
    assert caught.value.context == "Asking the public URL"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_who_speaks_no_http(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(said)

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(DeploymentError, match="does not answer"):
            OutsideWorld().get(f"http://127.0.0.1:{listener.getsockname()[1]}/", None)


def test_an_address_that_is_none() -> None:
    with pytest.raises(DeploymentError):
        OutsideWorld().get("localhost", None)


def test_only_what_accepts_is_open(plain: Site) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
        assert OutsideWorld().open_ports("127.0.0.1", (plain.port, closed)) == (plain.port,)
    assert OutsideWorld().open_ports("127.0.0.1", ()) == ()
