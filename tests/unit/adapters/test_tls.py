"""Certificates as a strict client sees them."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import verification

from autodeploy.adapters import tls

NOW = datetime.now(timezone.utc)
AUTHORITY = tls.make_authority("AutoDeploy guestbook-20261122-7f3a9c", NOW)


def greet(folder: Path, names: list[str], server_name: str) -> str:
    """Shake hands over a socket pair with strict verification; return what the client read."""
    certificate, key = tls.issue(AUTHORITY, names, NOW, 30)
    (folder / "leaf.pem").write_text(certificate + key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "leaf.pem")
    asking = ssl.create_default_context(cadata=AUTHORITY[0])
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(left, server_side=True) as connection:
                connection.sendall(b"hello")
        except (ssl.SSLError, OSError):
            left.close()

    server = threading.Thread(target=serve)
    server.start()
    try:
        with asking.wrap_socket(right, server_hostname=server_name) as connection:
            return connection.recv(5).decode()
    finally:
        right.close()
        server.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "guestbook-1.us-east-1.elb.amazonaws.com"])
def test_a_strict_client_accepts_every_name(tmp_path: Path, name: str) -> None:
    names = ["localhost", "127.0.0.1", "::1", "*.us-east-1.elb.amazonaws.com"]
    assert greet(tmp_path, names, name) == "hello"


def test_a_strict_client_refuses_another_name(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        greet(tmp_path, ["localhost"], "example.org")


def test_an_independent_verifier_accepts_the_chain() -> None:
    leaf = x509.load_pem_x509_certificate(tls.issue(AUTHORITY, ["localhost"], NOW)[0].encode())
    store = verification.Store([x509.load_pem_x509_certificate(AUTHORITY[0].encode())])
    verifier = verification.PolicyBuilder().store(store).build_server_verifier(x509.DNSName("localhost"))
    assert len(verifier.verify(leaf, [])) == 2


def test_a_leaf_ends_when_it_was_asked_to_and_its_number_is_its_own() -> None:
    first, second = (tls.issue(AUTHORITY, ["localhost"], NOW, 30)[0] for _ in range(2))
    assert abs(tls.expiry(first) - NOW - timedelta(days=30)) < timedelta(seconds=1)
    serials = {x509.load_pem_x509_certificate(pem.encode()).serial_number for pem in (first, second)}
    assert len(serials) == 2


def test_a_name_beyond_the_limit_of_common_names_is_still_served() -> None:
    long = f"{'a' * 60}.{'b' * 60}.example.org"
    leaf = x509.load_pem_x509_certificate(tls.issue(AUTHORITY, [long], NOW)[0].encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [long]


def test_an_authority_of_another_kind_is_refused() -> None:
    other = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="not an EC key"):
        tls.issue((AUTHORITY[0], other.decode()), ["localhost"], NOW)
