"""The certificates of a deployment: its own authority, and leaves of it for the balancer. Never writes them anywhere.

EC P-256, which ACM imports (https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
LEAF_DAYS = 397
_COMMON_NAME_LIMIT = 64  # RFC 5280, ub-common-name
_SKEW = timedelta(hours=1)  # a client whose clock is behind accepts a certificate of this minute


def make_authority(common_name: str, now: datetime) -> tuple[str, str]:
    """Return certificate and private key (PEM) of a new authority that may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    builder = (
        _builder(name, name, key.public_key(), key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
    )
    return _pem(builder.sign(key, hashes.SHA256())), _key_pem(key)


def issue(authority: tuple[str, str], names: Sequence[str], now: datetime, days: int = LEAF_DAYS) -> tuple[str, str]:
    """Return certificate and private key (PEM) of a new server, valid for DNS names and IP addresses in `names`."""
    certificate = x509.load_pem_x509_certificate(authority[0].encode())
    signer = serialization.load_pem_private_key(authority[1].encode(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is not an EC key")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(names[0]), certificate.subject, key.public_key(), signer.public_key(), now, days)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return _pem(builder.sign(signer, hashes.SHA256())), _key_pem(key)


def expiry(certificate_pem: str) -> datetime:
    """Return the end of a certificate's validity, in UTC."""
    return x509.load_pem_x509_certificate(certificate_pem.encode()).not_valid_after_utc


def is_pair(certificate_pem: str, key_pem: str) -> bool:
    """Say whether the key is the certificate's; a run that was killed between writing the two leaves no pair."""
    if not (certificate_pem and key_pem):
        return False
    own = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    return serialization.load_pem_private_key(key_pem.encode(), password=None).public_key() == own


def covers(certificate_pem: str, names: Sequence[str]) -> bool:
    """Say whether the certificate is valid for all these DNS names and IP addresses."""
    extensions = x509.load_pem_x509_certificate(certificate_pem.encode()).extensions
    try:
        named = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return all(_general_name(name) in named for name in names)


def is_issued_by(certificate_pem: str, authority_pem: str) -> bool:
    """Say whether the authority signed the certificate."""
    authority = x509.load_pem_x509_certificate(authority_pem.encode())
    try:
        x509.load_pem_x509_certificate(certificate_pem.encode()).verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return True


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_COMMON_NAME_LIMIT])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
