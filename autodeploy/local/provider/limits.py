"""Limits of AWS that the emulator does not keep: inputs come in, failures go out. Unknown values pass. Pure."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any

from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values

_HEALTH_CHECK_DEFAULTS = {"protocol": "HTTP", "port": "traffic-port", "matcher": "200"}
_VERSIONS = {"postgres": r"\d+(\.\d+)?", "mysql": r"\d+\.\d+(\.\d+)?", "mariadb": r"\d+\.\d+(\.\d+)?"}
_TEXT = r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]"


def matches(inputs: Values, name: str, pattern: str, rule: str, prefix: str = "") -> Iterator[Failure]:
    """Yield a failure when a text is given and does not match the whole pattern."""
    value = inputs.get(name)
    if value not in (None, UNKNOWN) and not re.fullmatch(pattern, value):
        yield f"{prefix}{name}", f"{value!r} cannot be used: {rule}"


def needs(inputs: Values, *names: str) -> Iterator[Failure]:
    """Yield a failure for each input that the local target cannot do without."""
    for name in names:
        if inputs.get(name) is None:
            yield name, f"the local target needs '{name}'"


def within(inputs: Values, name: str, least: int, most: int, prefix: str = "") -> Iterator[Failure]:
    """Yield a failure when a number is given and lies outside its range."""
    value = inputs.get(name)
    if isinstance(value, int) and not least <= value <= most:
        yield f"{prefix}{name}", f"{value} is not between {least} and {most}"


def vpc_block(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"""
    text = inputs.get("cidrBlock")
    if text is None:
        yield "cidrBlock", "the local target needs 'cidrBlock': it has no IPAM pools"
    elif text != UNKNOWN:
        yield from _block(text)


def _block(text: str) -> Iterator[Failure]:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as err:
        yield "cidrBlock", f"{text!r} is not an IPv4 CIDR block: {err}"
    else:
        if not 16 <= network.prefixlen <= 28:
            yield "cidrBlock", f"{text!r} must be between /16 and /28"


def security_group(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"""
    rule = "at most 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
    yield from matches(inputs, "name", rf"(?!sg-){_TEXT}{{1,255}}", f"{rule}, not beginning with 'sg-'")
    yield from matches(inputs, "description", rf"{_TEXT}{{0,255}}", rule)
    yield from needs(inputs, "vpcId")


def security_group_rule(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRuleRequest.html"""
    rule = "at most 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
    yield from matches(inputs, "description", rf"{_TEXT}{{0,255}}", rule)
    sources = [name for name in ("cidrIpv4", "cidrIpv6", "referencedSecurityGroupId") if name in inputs]
    if len(sources) != 1:
        yield "cidrIpv4", "exactly one of 'cidrIpv4', 'cidrIpv6' and 'referencedSecurityGroupId' must be given"
    if inputs.get("ipProtocol") in ("tcp", "udp", "6", "17"):
        for name in ("fromPort", "toPort"):
            if name not in inputs:
                yield name, f"'{name}' is required for {inputs['ipProtocol']}"
            yield from within(inputs, name, 0, 65535)
    for name, network in (("cidrIpv4", ipaddress.IPv4Network), ("cidrIpv6", ipaddress.IPv6Network)):
        text = inputs.get(name, UNKNOWN)
        try:
            _ = None if text == UNKNOWN else network(text)
        except ValueError as err:
            yield name, f"{text!r} is not a CIDR block: {err}"


def balancer_name(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"""
    rule = "at most 32 letters, digits and hyphens, no hyphen at either end"
    yield from matches(inputs, "name", r"(?=.{1,32}$)[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?", rule)
    yield from matches(inputs, "name", r"(?!internal-).*", "it must not begin with 'internal-'")


def access_logs(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"""
    logs = inputs.get("accessLogs")
    if isinstance(logs, dict):
        rule = "3 to 63 lower case letters, digits, dots and hyphens, a letter or digit at either end"
        yield from matches(logs, "bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", rule, "accessLogs.")
        rule = "no slash at either end, and not with AWSLogs in it"
        yield from matches(logs, "prefix", r"(?!.*AWSLogs)[^/](.*[^/])?", rule, "accessLogs.")


def health_check(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"""
    check = inputs.get("healthCheck", {})
    if not isinstance(check, dict):
        return
    yield from within(check, "interval", 5, 300, "healthCheck.")
    yield from within(check, "timeout", 2, 120, "healthCheck.")
    yield from within(check, "healthyThreshold", 2, 10, "healthCheck.")
    yield from within(check, "unhealthyThreshold", 2, 10, "healthCheck.")
    interval, timeout = check.get("interval", 30), check.get("timeout", 5)
    if isinstance(interval, int) and isinstance(timeout, int) and timeout >= interval:
        yield "healthCheck.timeout", f"the timeout ({timeout} s) must be shorter than the interval ({interval} s)"
    yield from matches(check, "path", "/.*", "a path begins with '/'", "healthCheck.")
    emulated = {"protocol": "HTTP", "port": "traffic-port", "matcher": "200-499"}
    for name, only in emulated.items():
        if check.get(name, _HEALTH_CHECK_DEFAULTS[name]) not in (only, UNKNOWN):
            yield f"healthCheck.{name}", f"the local target emulates {only!r} only"


def database_identifier(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""
    rule = "1 to 63 lower case letters, digits and single hyphens, beginning with a letter"
    pattern = r"(?=.{1,63}$)[a-z]([a-z0-9]|-(?=[a-z0-9]))*"
    yield from matches(inputs, "identifier", pattern, rule)
    yield from matches(inputs, "dbName", r"[a-zA-Z]\w{0,62}", "1 to 63 letters, digits, underscores; a letter first")
    most = 63 if inputs.get("engine") == "postgres" else 16
    rule = f"1 to {most} letters, digits, underscores; a letter first"
    yield from matches(inputs, "username", rf"[a-zA-Z]\w{{0,{most - 1}}}", rule)
    yield from within(inputs, "backupRetentionPeriod", 0, 35)
    yield from within(inputs, "allocatedStorage", 20, 65536)


def database_engine(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""
    engine = inputs.get("engine")
    if engine not in (None, UNKNOWN, *_VERSIONS):
        yield "engine", f"{engine!r} is none of the engines of the local target: {', '.join(_VERSIONS)}"
    elif engine in _VERSIONS:
        yield from matches(inputs, "engineVersion", _VERSIONS[engine], f"it is no version of {engine}")


def database_group(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html"""
    rule = "1 to 255 lower case letters, digits and single hyphens, beginning with a letter; not 'default'"
    pattern = r"(?!default$)(?=.{1,255}$)[a-z]([a-z0-9]|-(?=[a-z0-9]))*"
    yield from matches(inputs, "name", pattern, rule)


def machine(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html"""
    yield from needs(inputs, "ami", "instanceType", "keyName", "subnetId")
    size = len(inputs.get("userData", "").encode())
    if size > 16384:
        yield "userData", f"user data of {size} bytes is longer than the 16384 that AWS takes"


RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def log_group(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
    yield from matches(inputs, "name", r"[.\-_/#A-Za-z0-9]{1,512}", "1 to 512 letters, digits and . - _ / #")
    days = inputs.get("retentionInDays", UNKNOWN)
    if days not in (0, UNKNOWN, *RETENTIONS):
        yield "retentionInDays", f"{days} days are none of {', '.join(map(str, RETENTIONS))}"


def alarm(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    needed = ("comparisonOperator", "evaluationPeriods", "metricName", "namespace", "period", "statistic", "threshold")
    yield from needs(inputs, *needed)
    yield from matches(inputs, "name", r"[\x20-\x7e]{1,255}", "1 to 255 ASCII characters")
    yield from matches(inputs, "alarmDescription", r"(?s).{0,1024}", "at most 1024 characters")
    for name, choices in _CHOICES.items():
        if inputs.get(name, UNKNOWN) not in (UNKNOWN, *choices):
            yield name, f"{inputs[name]!r} is none of {', '.join(choices)}"
    for name in ("alarmActions", "okActions", "insufficientDataActions"):
        if isinstance(inputs.get(name), list) and len(inputs[name]) > 5:
            yield name, f"an alarm takes 5 actions at most, not {len(inputs[name])}"
    yield from _window(inputs)


_CHOICES = {
    "comparisonOperator": (
        *("GreaterThanOrEqualToThreshold", "GreaterThanThreshold"),
        *("LessThanThreshold", "LessThanOrEqualToThreshold"),
    ),
    "statistic": ("SampleCount", "Average", "Sum", "Minimum", "Maximum"),
    "treatMissingData": ("missing", "ignore", "breaching", "notBreaching"),
}


def _window(inputs: Values) -> Iterator[Failure]:
    period, periods = inputs.get("period"), inputs.get("evaluationPeriods")
    if isinstance(period, int) and period not in (10, 20, 30) and (period % 60 or period < 60):
        yield "period", f"a period of {period} s is neither 10, 20 or 30 nor a multiple of 60"
    if isinstance(period, int) and isinstance(periods, int):
        most = 86_400 if period < 3_600 else 604_800
        if not 1 <= periods <= most // max(period, 1):
            yield "evaluationPeriods", f"{periods} periods of {period} s are not between 1 period and {most} s"


def dashboard(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
    yield from matches(inputs, "dashboardName", r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, - and _")
    widgets = _document(inputs, "dashboardBody").get("widgets", [])
    for number, widget in enumerate(widgets):
        if widget.get("type") not in ("alarm", "metric", "log", "text", "explorer"):
            yield "dashboardBody", f"widget {number} has no known type: {widget.get('type')!r}"
        if not 1 <= widget.get("width", 6) <= 24 - widget.get("x", 0):
            yield "dashboardBody", f"widget {number} does not fit into the 24 columns"
    if len(widgets) > 500:
        yield "dashboardBody", f"a dashboard takes 500 widgets at most, not {len(widgets)}"
    yield from _is_document(inputs, "dashboardBody", 1_000_000)


def role(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""
    yield from _identity(inputs, 64)
    yield from matches(inputs, "description", r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}", "at most 1000 characters")
    yield from within(inputs, "maxSessionDuration", 3_600, 43_200)
    yield from _is_document(inputs, "assumeRolePolicy", 2_048)


def role_policy(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    yield from _identity(inputs, 128)
    yield from _is_document(inputs, "policy", 10_240)


def instance_profile(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html"""
    yield from _identity(inputs, 128)


def _identity(inputs: Values, longest: int) -> Iterator[Failure]:
    rule = f"1 to {longest} letters, digits and _+=,.@-"
    yield from matches(inputs, "name", rf"(?a:[\w+=,.@-]{{1,{longest}}})", rule)
    yield from matches(inputs, "path", r"/|/[\x21-\x7e]{1,510}/", "a path begins and ends with '/'")


def _document(inputs: Values, name: str) -> dict[str, Any]:
    try:
        found = json.loads(inputs.get(name, UNKNOWN))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_document(inputs: Values, name: str, longest: int) -> Iterator[Failure]:
    text = inputs.get(name, UNKNOWN)
    if text == UNKNOWN:
        return
    if not _document(inputs, name):
        yield name, f"{text[:40]!r} is not a JSON object"
    # White space does not count (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
    if len(re.sub(r"\s", "", text)) > longest:
        yield name, f"a document of {len(text)} characters is longer than the {longest} that AWS takes"
