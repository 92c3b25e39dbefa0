"""The provider resource itself: its inputs (JSON in strings, as the SDK sends them) in, a Configuration out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from autodeploy.local.provider.account import Account, Configuration, refusal, translated
from autodeploy.local.provider.diffing import Difference
from autodeploy.local.provider.schema import PROVIDER, Failure, failures, schema
from autodeploy.local.provider.wire import UNKNOWN, Values, has_unknown

_META = frozenset({"version", "pluginDownloadURL", "parameterization"})
_HANDLED = frozenset({"region", "allowedAccountIds", "forbiddenAccountIds", "defaultTags", "assumeRoles"})
_HARMLESS = frozenset({"maxRetries", "retryMode", "profile", "userAgents"})
DEFAULT_REGION = "us-east-1"


def opened(values: Values) -> Values:
    """Return the provider's inputs with the JSON in their strings decoded."""
    types = schema(PROVIDER).inputs
    return {name: _opened(value, types.get(name, str)) for name, value in values.items() if name not in _META}


def config_failures(values: Values) -> Iterator[Failure]:
    """Yield what is wrong with the provider's inputs."""
    inputs = opened(values)
    yield from failures(PROVIDER, inputs)
    for name in inputs:
        if name in schema(PROVIDER).inputs and name not in _HANDLED | _HARMLESS and not name.startswith("skip"):
            yield name, f"the local target does not emulate '{name}' of the provider"


def config_difference(olds: Values, news: Values) -> Difference:
    """Return what changed; another region is another set of resources, so it replaces the provider."""
    old, new = opened(olds), opened(news)
    kinds = {name: "update" for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)}
    return Difference(kinds, ("region",) if "region" in kinds else ())


def configuration(values: Values, account: Account) -> Configuration:
    """Return the configuration of one connection; raise InfrastructureError when the account is not allowed."""
    inputs = {name: value for name, value in opened(values).items() if not has_unknown(value)}
    region = str(inputs.get("region", DEFAULT_REGION))
    allowed, forbidden = inputs.get("allowedAccountIds"), inputs.get("forbiddenAccountIds", [])
    roles = [role["roleArn"] for role in inputs.get("assumeRoles") or () if role.get("roleArn")]
    if allowed or forbidden or roles:
        try:
            identity = account.identity(region, roles)
        except (ClientError, BotoCoreError) as err:
            raise translated(err, "Asking the emulated account for its id") from err
        if (allowed and identity not in allowed) or identity in forbidden:
            raise refusal(
                f"AWS account id not allowed: {identity}",
                f"The plan is for account {', '.join(allowed or [])}: deploy it with that target, or make a new plan.",
                "Configuring the aws provider",
            )
    return Configuration(region, dict((inputs.get("defaultTags") or {}).get("tags") or {}))


def _opened(value: Any, expected: Any) -> Any:
    if isinstance(value, str) and expected is not str and value != UNKNOWN:
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value
