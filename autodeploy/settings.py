"""Settings: flags over environment over autodeploy.toml over defaults, computed once, frozen."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from autodeploy.errors import SettingsError
from autodeploy.model import Access, Noun, Target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "autodeploy.toml"
OF_FILE = (
    *("target", "name", "region", "path", "ref", "instance_type", "instances"),
    *("overrides", "admin_cidr", "tags", "domain"),
)
"""What autodeploy.toml may say: a repository brings this file along, and must not approve its own deployment."""

MOST_INSTANCES = 10
"""They are deployed one by one: with more a release takes its time."""

OWN_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that would win over a profile that was chosen."""


ROLE = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:role/([!-~]{1,510}/)?[\w+=,.@-]{1,64}", re.ASCII)
"""https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html"""


class Settings(Noun):
    """All choices of one run. `home` is $AUTODEPLOY_HOME; `cache` holds engine, images, clones and build caches."""

    home: Path
    cache: Path
    target: Target | None = None
    name: str | None = None
    ref: str | None = None
    path: str = "."
    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    environment: dict[str, str] = Field(default={}, repr=False)
    yes: bool = False
    new: bool = False
    keep: bool = False
    debug: bool = False
    instance_type: str | None = None
    instances: int | None = Field(default=None, ge=1, le=MOST_INSTANCES)
    admin_cidr: str | None = None
    alarm_email: str | None = None
    overrides: dict[str, str] = {}
    tags: dict[str, str] = {}
    domain: str | None = None
    vpc_id: str | None = None
    access_logs: str | None = None
    access: Access | None = None

    @field_validator("domain")
    @classmethod
    def _is_a_domain(cls, value: str | None) -> str | None:
        return domain_name(value) if value else value

    @field_validator("role_arn")
    @classmethod
    def _is_a_role(cls, value: str | None) -> str | None:
        if value and not ROLE.fullmatch(value):
            raise ValueError(f"{value!r} is no role's ARN, such as arn:aws:iam::123456789012:role/deployer")
        return value

    builder: Literal["container", "host"] = "container"
    run_tests: bool = False
    repair_drift: bool = False
    svg: Path | None = None
    allow_data_loss: tuple[str, ...] = ()


def domain_name(text: str) -> str:
    """Return a name for the web in its ASCII form, in lower case; raise ValueError for what is none.

    64 characters are the most that a certificate's common name holds (RFC 5280, ub-common-name).
    """
    import idna  # takes its time, and few deployments have a domain

    if "*" in text:
        raise ValueError(f"{text!r} stands for many names; one is needed, such as shop.example.com")
    try:
        name = idna.encode(text.rstrip("."), uts46=True).decode()
    except idna.IDNAError as err:
        raise ValueError(f"{text!r} is no domain name: {err}") from err
    if not name.rpartition(".")[2].strip("0123456789"):
        raise ValueError(f"{text!r} is an address; a domain is needed, such as shop.example.com")
    if _is_public_suffix(name):
        raise ValueError(f"{text!r} is a public suffix, nobody's own domain; name one in it, such as shop.{name}")
    if len(name) > 64:
        raise ValueError(f"{name!r} is longer than the 64 characters that a certificate's name holds")
    return name


@cache
def _is_public_suffix(name: str) -> bool:
    """Say whether all the world has names in it, as in co.uk and github.io, by the list that the package brings."""
    from publicsuffixlist import PublicSuffixList  # reads 300 KB

    return bool(PublicSuffixList().publicsuffix(name) == name)


def load(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Return the settings of one run; None among the flags means "not given"; raise SettingsError."""
    environ = os.environ if environ is None else environ
    merged: dict[str, Any] = _from_file((folder or Path()) / FILE_NAME)
    merged |= _from_environment(environ)
    for name, value in flags.items():
        before = merged.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[name] = {**before, **value}  # a flag takes the place of its own entry of a table alone
        elif value is not None:
            merged[name] = value
    merged.setdefault("home", Path(environ.get("HOME", "~")) / ".autodeploy")
    merged.setdefault("cache", Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "autodeploy")
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"the setting {where!r} cannot be used: {first['msg']}",
            f"Correct {where!r} in {FILE_NAME}, in the environment, or on the command line.",
            context="Reading the settings",
        ) from err
    return settings.but(home=_place(settings.home), cache=_place(settings.cache))


def _place(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except (RuntimeError, OSError) as err:  # no HOME and no such user; or a working folder that is gone
        raise SettingsError(
            f"{path} leads nowhere: {err}",
            "Set HOME, or both AUTODEPLOY_HOME and AUTODEPLOY_CACHE to absolute paths.",
            context="Reading the settings",
        ) from err


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {
        "home": ("AUTODEPLOY_HOME",),
        "cache": ("AUTODEPLOY_CACHE",),
        "target": ("AUTODEPLOY_TARGET",),
        "region": ("AUTODEPLOY_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
        "profile": ("AWS_PROFILE",),
        "role_arn": ("AUTODEPLOY_ROLE_ARN",),
    }
    return {name: environ[key] for name, keys in names.items() for key in reversed(keys) if environ.get(key)}


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise SettingsError(
            f"{path} is not valid TOML: {err}", f"Correct {path}.", context="Reading the settings"
        ) from err
    for name in found:
        if name not in OF_FILE:
            known = name in Settings.model_fields
            elsewhere = " and give it as a flag or in the environment" if known else ""
            raise SettingsError(
                f"{name!r} may not be set in {path}{'' if known else ': there is no such setting'}",
                f"Take it out of {FILE_NAME}{elsewhere}; the file may say: {', '.join(OF_FILE)}.",
                context="Reading the settings",
            )
    return found
