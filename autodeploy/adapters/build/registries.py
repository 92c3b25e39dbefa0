"""The operator's package registries: environment and files come in, what a build may know of them goes out."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_PASSED = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
    "NPM_CONFIG_REGISTRY",
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOSUMDB",
    "GOINSECURE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
_FROM_PIP_CONF = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "trusted-host": "PIP_TRUSTED_HOST",
    "timeout": "PIP_DEFAULT_TIMEOUT",
    "proxy": "PIP_PROXY",
}
_AUTHORITIES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class RegistrySettings(NamedTuple):
    """What a build is told: variables by name, and a PEM bundle of trusted authorities ("": the image's own)."""

    environment: Mapping[str, str]
    authorities: str = ""


def operator_registries(environ: Mapping[str, str], home: Path, system: Path = Path("/etc")) -> RegistrySettings:
    """Return the package registries that the operator's own pip, npm and go would use, and nothing else of theirs."""
    found: dict[str, str] = {}
    for file in (system / "pip.conf", home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"):
        found |= _pip_conf(file)
    if environ.get("PIP_CONFIG_FILE"):
        found |= _pip_conf(Path(environ["PIP_CONFIG_FILE"]))
    for file in (system / "npmrc", home / ".npmrc"):
        found |= _npmrc(file)
    found |= _goenv(Path(environ.get("GOENV") or home / ".config" / "go" / "env"))
    for name in _PASSED:
        value = environ.get(name) or environ.get(name.lower())
        if value:
            found[name] = value
    bundle = next((Path(environ[name]) for name in _AUTHORITIES if environ.get(name)), None)
    return RegistrySettings(found, bundle.read_text("utf-8", "replace") if bundle and bundle.is_file() else "")


def _pip_conf(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    values = {
        key: value for name in ("global", "install") if parser.has_section(name) for key, value in parser[name].items()
    }
    return {variable: values[key] for key, variable in _FROM_PIP_CONF.items() if values.get(key)}


def _goenv(file: Path) -> dict[str, str]:
    """Read what `go env -w` keeps: https://pkg.go.dev/cmd/go#hdr-Print_Go_environment_information."""
    try:
        pairs = (line.partition("=") for line in file.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: value for name, _, value in pairs if name.startswith("GO") and name in _PASSED and value}


def _npmrc(file: Path) -> dict[str, str]:
    try:
        match = re.search(r"^\s*registry\s*=\s*(\S+)", file.read_text("utf-8"), re.M)
    except (OSError, UnicodeDecodeError):
        return {}
    return {"NPM_CONFIG_REGISTRY": match[1]} if match else {}
