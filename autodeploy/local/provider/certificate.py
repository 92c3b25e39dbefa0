"""The entry of imported certificates. They are kept in memory too: ACM never gives a private key back."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from autodeploy.local.provider import serving
from autodeploy.local.provider.account import Imported, refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values


def _limits(inputs: Values) -> Iterator[Failure]:
    for name in ("certificateBody", "privateKey"):
        if not inputs.get(name):
            yield (
                name,
                f"'{name}' is required: the local target takes imported certificates, it cannot issue public ones",
            )
    body, key = inputs.get("certificateBody"), inputs.get("privateKey")
    if body and key and UNKNOWN not in (body, key):
        try:
            pair = x509.load_pem_x509_certificate(body.encode()), load_pem_private_key(key.encode(), None)
        except (ValueError, TypeError) as err:
            yield "certificateBody", f"certificate and private key must be PEM without a passphrase: {err}"
        else:
            if pair[0].public_key() != pair[1].public_key():
                yield "privateKey", "the private key does not belong to the certificate"


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
    shown = acm.get_certificate(CertificateArn=identity)
    held = call.account.imported.get(identity)
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
    """Return what ACM shows, in the words of who gave it while it is the same: AWS minds no white space."""
    return given if (shown or "").split() == (given or "").split() else shown


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
    lambda call: _import(call, None),
    _read,
    _delete,
    _update,
    limits=_limits,
    updates=("certificateBody", "privateKey", "certificateChain"),
    tagged=("acm", "id"),
)
ENTRIES = (CERTIFICATE,)
