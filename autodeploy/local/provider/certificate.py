"""The entries of certificates: imported ones, and ones that are issued for a domain once DNS proves it.

They are kept in memory too: ACM never gives a private key back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from autodeploy.local.provider import dns, serving
from autodeploy.local.provider.account import Imported, refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values

MOST_CHARACTERS = 64
"""RFC 5280, ub-common-name; AWS counts the first name of a certificate so."""


def _limits(inputs: Values) -> Iterator[Failure]:
    if "domainName" in inputs:
        yield from _request_limits(inputs)
        return
    for name in ("certificateBody", "privateKey"):
        if not inputs.get(name):
            yield name, f"'{name}' is required, or 'domainName' for a certificate that is issued"
    body, key = inputs.get("certificateBody"), inputs.get("privateKey")
    if body and key and UNKNOWN not in (body, key):
        try:
            pair = x509.load_pem_x509_certificate(body.encode()), load_pem_private_key(key.encode(), None)
        except (ValueError, TypeError) as err:
            yield "certificateBody", f"certificate and private key must be PEM without a passphrase: {err}"
        else:
            if pair[0].public_key() != pair[1].public_key():
                yield "privateKey", "the private key does not belong to the certificate"


def _request_limits(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html"""
    for name in ("certificateBody", "privateKey", "certificateChain"):
        if inputs.get(name, UNKNOWN) != UNKNOWN:
            yield name, f"'{name}' conflicts with 'domainName'"
    if inputs.get("validationMethod") not in ("DNS", UNKNOWN):
        yield "validationMethod", "the local target validates by DNS only"
    domain = inputs["domainName"]
    if domain != UNKNOWN and len(domain) > MOST_CHARACTERS:
        yield "domainName", f"{domain!r} is longer than the {MOST_CHARACTERS} characters of a common name"


def _create(call: Call) -> str:
    if "domainName" not in call.inputs:
        return _import(call, None)
    asked = {"DomainName": call.inputs["domainName"], "ValidationMethod": "DNS"}
    return str(call.client("acm").request_certificate(**asked)["CertificateArn"])


def _import(call: Call, arn: str | None) -> str:
    given = {
        "Certificate": call.inputs["certificateBody"].encode(),
        "PrivateKey": call.inputs["privateKey"].encode(),
        **(
            {"CertificateChain": call.inputs["certificateChain"].encode()}
            if call.inputs.get("certificateChain")
            else {}
        ),
        **({"CertificateArn": arn} if arn else {}),
    }
    made = str(call.client("acm").import_certificate(**given)["CertificateArn"])
    chain = call.inputs.get("certificateChain") or None
    call.account.imported[made] = Imported(call.inputs["certificateBody"], call.inputs["privateKey"], chain)
    return made


def _update(call: Call, identity: str) -> None:
    if any(map(call.changed, ("certificateBody", "privateKey", "certificateChain"))):
        _import(call, identity)
        serving.refresh(call, lambda listener: identity in serving.certificates(listener))


def _read(call: Call, identity: str) -> Values | None:
    acm = call.client("acm")
    found = acm.describe_certificate(CertificateArn=identity)["Certificate"]
    held = call.account.imported.get(identity)
    if found["Type"] != "IMPORTED":
        return _requested(identity, found, held)
    shown = acm.get_certificate(CertificateArn=identity)
    return {
        "arn": identity,
        "domainName": found["DomainName"],
        "subjectAlternativeNames": found.get("SubjectAlternativeNames", []),
        "keyAlgorithm": found["KeyAlgorithm"],
        "notBefore": found["NotBefore"].isoformat(),
        "notAfter": found["NotAfter"].isoformat(),
        "status": found["Status"],
        "type": found["Type"],
        "certificateBody": _as_given(shown["Certificate"], held and held.body),
        "certificateChain": _as_given(shown.get("CertificateChain"), held and held.chain),
    }


def _as_given(shown: str | None, given: str | None) -> str | None:
    """Return what ACM shows, in the words of who gave it while it is the same: AWS minds no white space.

    The emulator (moto 5.2.5) adds an authority of its own to every chain.
    """
    words = (given or "").split()
    return given if (shown or "").split()[: len(words)] == words else shown


def _requested(identity: str, found: dict[str, Any], held: Imported | None) -> Values:
    seen: Values = {
        "arn": identity,
        "domainName": found["DomainName"],
        "subjectAlternativeNames": found.get("SubjectAlternativeNames", []),
        "validationMethod": "DNS",
        "status": "ISSUED" if held else "PENDING_VALIDATION",
        "type": found["Type"],
        "domainValidationOptions": [
            {
                "domainName": option["DomainName"],
                "resourceRecordName": option["ResourceRecord"]["Name"],
                "resourceRecordType": option["ResourceRecord"]["Type"],
                "resourceRecordValue": option["ResourceRecord"]["Value"],
            }
            for option in found["DomainValidationOptions"]
        ],
    }
    if held:
        leaf = x509.load_pem_x509_certificate(held.body.encode())
        seen |= {"notBefore": leaf.not_valid_before_utc.isoformat(), "notAfter": leaf.not_valid_after_utc.isoformat()}
    return seen


def _validate(call: Call) -> str:
    arn = call.inputs["certificateArn"]
    found = call.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    for option in found["DomainValidationOptions"]:
        wanted = option["ResourceRecord"]
        if not _is_proven(call, wanted):
            missing = f"{wanted['Type']} {wanted['Name']}"
            raise refusal(
                f"ACM Certificate {arn} stays in PENDING_VALIDATION: no public zone has {missing}",
                f"Make the record: {wanted['Name']} {wanted['Type']} {wanted['Value']}",
                "Validating a certificate",
            )
    if arn not in call.account.imported:
        body, key = call.account.wait(call.account.plane.issue(found["DomainName"]))
        call.account.imported[arn] = Imported(body, key, None)
    return f"{found['IssuedAt'].astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} +0000 UTC"


def _is_proven(call: Call, wanted: dict[str, str]) -> bool:
    zones = call.client("route53").list_hosted_zones()["HostedZones"]
    public = [zone["Id"].rpartition("/")[2] for zone in zones if not zone["Config"]["PrivateZone"]]
    return any(
        (dns.plain(record["Name"]), record["Type"]) == (dns.plain(wanted["Name"]), wanted["Type"])
        and wanted["Value"] in [item["Value"] for item in record.get("ResourceRecords", ())]
        for zone in public
        for record in dns.records(call, zone)
    )


def _validation_read(call: Call, identity: str) -> Values | None:
    arn = (call.state or call.inputs)["certificateArn"]
    call.client("acm").describe_certificate(CertificateArn=arn)
    return {"certificateArn": arn} if arn in call.account.imported else None


def _keep(call: Call, identity: str) -> None:
    """Leave the certificate as it is: what was proven stays proven until the certificate goes."""


def _delete(call: Call, identity: str) -> None:
    users = [item["ListenerArn"] for item in serving.listeners(call) if identity in serving.certificates(item)]
    if users:
        raise refusal(
            f"ResourceInUseException: certificate {identity} is in use by {', '.join(users)}",
            "Delete the listener first.",
            "Deleting a certificate",
        )
    call.client("acm").delete_certificate(CertificateArn=identity)
    call.account.imported.pop(identity, None)


CERTIFICATE = Entry(
    "aws:acm/certificate:Certificate",
    _create,
    _read,
    _delete,
    _update,
    limits=_limits,
    replaces=("domainName", "validationMethod"),
    updates=("certificateBody", "privateKey", "certificateChain"),
    tagged=("acm", "id"),
)
VALIDATION = Entry(
    "aws:acm/certificateValidation:CertificateValidation",
    _validate,
    _validation_read,
    _keep,
    replaces=("certificateArn", "validationRecordFqdns"),
)
ENTRIES = (CERTIFICATE, VALIDATION)
