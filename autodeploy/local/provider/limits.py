"""Limits of AWS that the emulator does not keep: inputs come in, failures go out. Unknown values pass. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values

_HEALTH_CHECK_DEFAULTS = {"protocol": "HTTP", "port": "traffic-port", "matcher": "200"}
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
