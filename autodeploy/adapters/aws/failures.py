"""botocore's errors -> InfrastructureError that says whose credentials were tried and what to type next."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from botocore import exceptions

from autodeploy.errors import InfrastructureError, Transience
from autodeploy.patience import transience_of

AGENT = "HiveMind SysEng"
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_INVALID = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "IncompleteSignature",
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"}
_NOT_SUBSCRIBED = {"OptInRequired", "SubscriptionRequiredException"}
_ABSENT = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)
_SIGNED_OUT = (
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.CredentialRetrievalError,
    exceptions.UnauthorizedSSOTokenError,
)
_UNKNOWN_PLACE = (
    exceptions.NoRegionError,
    exceptions.InvalidRegionError,
    exceptions.UnknownRegionError,
    exceptions.UnknownEndpointError,
)
NETWORK = (exceptions.HTTPClientError, exceptions.ConnectionError)

_ON_LOCAL = "Look at `autodeploy local status`; `autodeploy local down` and the same command again restart the daemon."


@contextlib.contextmanager
def translated(
    context: str, profile: str | None = None, source: Callable[[], str] = lambda: "", local: bool = False
) -> Iterator[None]:
    """Turn botocore's errors into InfrastructureError. `source` returns where botocore had the credentials from."""
    try:
        yield
    except exceptions.ClientError as err:
        raise _from_code(err, context, profile, _whose(profile, source()), local) from err
    except exceptions.BotoCoreError as err:
        raise _from_type(err, context, profile, _whose(profile, source()), local) from err


def forget_page(response_dict: dict[str, Any], **_: Any) -> None:
    """Handle botocore's event `before-parse`: a gateway's page of HTML is no answer of AWS, and only its status counts.

    botocore knows such pages itself, but not those that begin with a document type.
    """
    if response_dict["status_code"] >= 500 and response_dict["body"].lstrip()[:9].lower() == b"<!doctype":
        response_dict["body"] = b""


def code_of(err: exceptions.ClientError) -> str:
    """Return the service's error code."""
    return str(err.response.get("Error", {}).get("Code", ""))


def _whose(profile: str | None, source: str) -> str:
    names = [f"profile {profile!r}" if profile else "", f"found by {source!r}" if source else ""]
    return ", ".join(name for name in names if name) or "the default chain of environment, profile and role"


def _login(profile: str | None) -> str:
    return f"aws sso login --profile {profile}" if profile else "aws sso login"


def _from_code(
    err: exceptions.ClientError, context: str, profile: str | None, whose: str, local: bool
) -> InfrastructureError:
    code, said = code_of(err), str(err.response.get("Error", {}).get("Message", ""))
    kind = transience_of(code, int(err.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)))
    if local:
        message, remediation = f"the emulated AWS refused {err.operation_name}: {code}: {said}", _ON_LOCAL
    elif code in _EXPIRED:
        message = f"the AWS credentials have expired ({whose})"
        remediation = f"Sign in again: `{_login(profile)}`, or take another profile with --profile."
    elif code in _INVALID:
        message = f"AWS does not accept the credentials ({whose}): {code}"
        remediation = "See who you are with `aws sts get-caller-identity`; take another profile with --profile."
    elif code in DENIED and err.operation_name == "AssumeRole":
        message = f"the role of --role-arn cannot be assumed: {said}"
        remediation = (
            "The role's trust policy has to name these credentials, and they need sts:AssumeRole on it; "
            "see whose they are with `aws sts get-caller-identity`."
        )
    elif code in DENIED:
        message = f"these credentials may not call {err.operation_name} ({whose}): {said}"
        remediation = f"Ask the account's owner to allow {err.operation_name}, or take another profile with --profile."
    elif code in _NOT_SUBSCRIBED:
        message = f"the account is not subscribed to the service of {err.operation_name}: {said}"
        remediation = "Finish signing up in the AWS console, or choose another region with --region."
    elif kind:
        doing = "throttling" if kind == "throttling" else "out of order"
        message = f"AWS is {doing} at {err.operation_name}: {code}"
        remediation = "Wait a minute, then run the same command again."
    else:
        message, remediation = f"AWS refused {err.operation_name}: {code}: {said}", "Correct what AWS names above."
    return _told(message, remediation, context, kind)


def _from_type(
    err: exceptions.BotoCoreError, context: str, profile: str | None, whose: str, local: bool
) -> InfrastructureError:
    recoverable = isinstance(err, NETWORK)
    if isinstance(err, _UNKNOWN_PLACE):
        message, remediation = f"the region cannot be used: {err}", "Name a region with --region, such as us-east-1."
    elif local:
        message, remediation = f"the local target's daemon does not answer: {err}", _ON_LOCAL
    elif isinstance(err, _ABSENT):
        message = f"there are no AWS credentials ({whose})"
        remediation = f"Sign in with `aws configure` or `{_login(profile)}`, or name a profile with --profile."
    elif isinstance(err, exceptions.ProfileNotFound):
        message = f"there is no AWS profile {profile!r}"
        remediation = "`aws configure list-profiles` shows the profiles; name one with --profile."
    elif isinstance(err, _SIGNED_OUT):
        message = f"the AWS sign-in is over or cannot be used ({whose}): {err}"
        remediation = f"Sign in again: `{_login(profile)}`, or take another profile with --profile."
    elif recoverable:
        message = f"AWS cannot be reached: {err}"
        remediation = "Check the network and its proxy, then run the same command again."
    else:
        message, remediation = f"AWS cannot be asked: {err}", "Correct what is named above."
    return _told(message, remediation, context, "network" if recoverable else None)


def _told(message: str, remediation: str, context: str, kind: Transience | None) -> InfrastructureError:
    # The clients have had all the patience that the kind gets: nobody is to try it as often again.
    passing = kind is not None
    return InfrastructureError(
        message, remediation, passing, agent=AGENT, context=context, transience=kind, persistent=passing
    )
