"""The local RDS's certificate authority, judged by OpenSSL through ssl and by cryptography's own verifier."""

from __future__ import annotations

import ipaddress
import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.verification import PolicyBuilder, Store

from autodeploy.local.authority import authority, server_certificate


def test_a_server_certificate_verifies_against_the_ca(tmp_path: Path) -> None:
    certificate, key = server_certificate(tmp_path, "10.89.0.10")
    root = x509.load_pem_x509_certificate(authority(tmp_path).read_bytes())
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    verifier = PolicyBuilder().store(Store([root]))
    subject = x509.IPAddress(ipaddress.ip_address("10.89.0.10"))
    assert verifier.build_server_verifier(subject).verify(leaf, []) == [leaf, root]
    # An Ed25519 certificate breaks SCRAM's channel binding.
    assert isinstance(leaf.public_key(), rsa.RSAPublicKey)
    assert key.startswith("-----BEGIN PRIVATE KEY-----")


def test_old_libpq_finds_the_address_as_a_name_and_node_localhost(tmp_path: Path) -> None:
    leaf = x509.load_pem_x509_certificate(server_certificate(tmp_path, "10.89.0.10")[0].encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["10.89.0.10", "localhost"]


def test_the_ca_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    first = authority(tmp_path / "local").read_bytes()
    assert authority(tmp_path / "local").read_bytes() == first
    assert stat.S_IMODE((tmp_path / "local" / "rds-ca.key").stat().st_mode) == 0o600
