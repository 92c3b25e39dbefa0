"""Whose credentials are used: a profile, or the default chain, and on top of either a role that they may assume.

What is assumed lives in memory alone, and is assumed again before it ends: an apply may take longer than an hour.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import boto3
import botocore.session
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError

from autodeploy.naming import ROLE_SESSION
from autodeploy.settings import OWN_CREDENTIALS


class _Role(CredentialProvider):  # type: ignore[misc]
    """botocore's own way to assume a role that a profile names, for one that no profile does."""

    METHOD = "assume-role"

    def __init__(self, base: Any, role_arn: str, region: str, endpoint_url: str | None) -> None:
        super().__init__(base)
        self._role_arn = role_arn
        self._sts = partial(base.create_client, region_name=region, endpoint_url=endpoint_url)

    def load(self) -> DeferredRefreshableCredentials:
        """Return credentials that are asked for when they are first needed."""
        source = self.session.get_credentials()
        if source is None:
            raise NoCredentialsError
        named = {"RoleSessionName": ROLE_SESSION}
        fetcher = AssumeRoleCredentialFetcher(self._sts, source, self._role_arn, extra_args=named)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)


def session(
    region: str,
    profile: str | None = None,
    role_arn: str | None = None,
    endpoint_url: str | None = None,
    keys: tuple[str, str] | None = None,
) -> boto3.Session:
    """Return a session as the role, else as the profile, else as what the default chain finds, else by these keys.

    `endpoint_url` is that of an emulated account. Raise ProfileNotFound; what is wrong else, its first request raises.
    """
    base = _session(region, profile, keys)
    if role_arn is None:
        return boto3.Session(botocore_session=base)
    as_role = _session(region, profile, None)
    role = _Role(base, role_arn, region, endpoint_url)
    as_role.register_component("credential_provider", CredentialResolver([role]))
    return boto3.Session(botocore_session=as_role)


def _session(region: str, profile: str | None, keys: tuple[str, str] | None) -> Any:
    made = botocore.session.Session(profile=profile)
    made.set_config_variable("region", region)  # a profile's own role is assumed there
    if keys:
        made.set_credentials(*keys)
    return made


def environment(made: boto3.Session) -> dict[str, str]:
    """Return this process's environment for a program that is to act as the session; raise botocore's errors."""
    credentials = made.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    frozen = credentials.get_frozen_credentials()
    kept = {name: value for name, value in os.environ.items() if name not in (*OWN_CREDENTIALS, "AWS_PROFILE")}
    own = zip(OWN_CREDENTIALS, (frozen.access_key, frozen.secret_key, frozen.token), strict=True)
    return kept | {name: value for name, value in own if value}
