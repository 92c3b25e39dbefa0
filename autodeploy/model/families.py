"""The releases of each database engine that RDS has a parameter group family for, and that can be held to TLS there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

DatabaseEngine = Literal["postgres", "mysql", "mariadb"]

# A family is the engine's name with the release's: postgres16, mysql8.4 (DBParameterGroupFamily of an engine version).
# https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MySQL.Concepts.VersionMgmt.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html
RELEASES: Mapping[DatabaseEngine, tuple[str, ...]] = {
    "postgres": ("11", "12", "13", "14", "15", "16", "17", "18"),
    "mysql": ("5.7", "8.0", "8.4"),
    "mariadb": ("10.5", "10.6", "10.11", "11.4", "11.8"),
}
"""Those in standard or extended support; of an older MariaDB than 10.5 no parameter requires TLS."""

_MINOR = re.compile(r"(\.\d+(-\w+\.\d+)?)?", re.ASCII)
"""What follows a release: nothing, a minor version, or one of AWS's own, as in 11.22-rds.20240418."""


def family(engine: DatabaseEngine, version: str) -> str | None:
    """Return the parameter group family that a version of an engine belongs to; None for a version of none."""
    for release in RELEASES[engine]:
        if version.startswith(release) and _MINOR.fullmatch(version[len(release) :]):
            return engine + release
    return None
