"""The certificate authorities of the local RDS and ACM: a home goes in, their `…-ca.pem` and certificates come out."""

from __future__ import annotations

import ipaddress
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 3650
DAYS_OF_ACM = 395
"""https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html: 13 months."""

Service = Literal["rds", "acm"]


def authority(folder: Path, service: Service = "rds") -> Path:
    """Return the certificate file of the service's CA in `folder`, made with its key when it is missing."""
    certificate, key = folder / f"{service}-ca.pem", folder / f"{service}-ca.key"
    if certificate.is_file() and key.is_file():
        return certificate
    folder.mkdir(parents=True, exist_ok=True)
    private = _key()
    name = _name(f"AutoDeploy local {service.upper()} Root CA")
    built = (
        _builder(name, name, private.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(_usage(signs=True), critical=True)
        .sign(private, hashes.SHA256())
    )
    _write(key, _pem(private), 0o600)
    _write(certificate, built.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate


def server_certificate(folder: Path, address: str) -> tuple[str, str]:
    """Return certificate and key, in PEM, of a database server at `address`.

    RSA: an Ed25519 certificate breaks SCRAM's channel binding. The address is also a DNS name
    because libpq before 15 looks for an address only there, and `localhost` is one because Node.js looks for that
    where a client connects to an address and names no server. In the cloud both have a name.
    """
    names = [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName(address), x509.DNSName("localhost")]
    return _signed(folder, "rds", address, names, DAYS)


def public_certificate(folder: Path, domain: str) -> tuple[str, str]:
    """Return certificate and key, in PEM, of a domain, as ACM issues them once the domain is proven."""
    return _signed(folder, "acm", domain, [x509.DNSName(domain)], DAYS_OF_ACM)


def _signed(folder: Path, service: Service, common: str, names: list[x509.GeneralName], days: int) -> tuple[str, str]:
    root = x509.load_pem_x509_certificate(authority(folder, service).read_bytes())
    signer = serialization.load_pem_private_key((folder / f"{service}-ca.key").read_bytes(), None)
    assert isinstance(signer, rsa.RSAPrivateKey)
    private = _key()
    built = (
        _builder(_name(common), root.subject, private.public_key(), days)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .sign(signer, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode(), _pem(private).decode()


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: rsa.RSAPublicKey, days: int = DAYS
) -> x509.CertificateBuilder:
    # An hour back: clocks of guests and operators differ.
    start = datetime.now(timezone.utc) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    part.replace(path)
