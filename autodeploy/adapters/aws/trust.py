"""The certificates that sign RDS's servers in a region: fetched from AWS once, kept in the cache."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from autodeploy.adapters.aws.failures import AGENT
from autodeploy.errors import InfrastructureError

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
BUNDLE_URL = "https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"
_MOST_BYTES = 1_000_000
_BEGIN = "-----BEGIN CERTIFICATE-----"


def database_bundle(region: str, folder: Path, url: str = BUNDLE_URL, timeout_seconds: float = 20) -> Path:
    """Return the PEM file of a region's certificates, fetched where it is not there; raise InfrastructureError."""
    path = folder / f"rds-{region}.pem"
    if path.exists():
        return path
    address = url.format(region=region)
    try:
        with urllib.request.urlopen(address, timeout=timeout_seconds) as response:
            text = response.read(_MOST_BYTES).decode("ascii")
    except (urllib.error.URLError, OSError, ValueError) as err:
        raise _unavailable(address, str(err)) from err
    if _BEGIN not in text:
        raise _unavailable(address, "the answer holds no certificate")
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)
    return path


def _unavailable(address: str, reason: str) -> InfrastructureError:
    return InfrastructureError(
        f"the certificates that databases are verified with cannot be had from {address}: {reason}",
        "Check that this machine may reach the address, then run the same command again.",
        recoverable=True,
        agent=AGENT,
        context="Fetching the database's certificates",
    )
