"""The source in; the npm package that its package manager comes as, pinned as the repository names it, out."""

from __future__ import annotations

import re

from autodeploy.model import Source

_NAMED = re.compile(r'"packageManager"\s*:\s*"(?P<name>pnpm|yarn|bun)@(?P<version>\d+\.\d+\.\d+)[+"]')
_BUN = "1.4.5"
_SITE_SERVER = {"serve": "serve@14.2.7"}
_PNPM = {"5": "pnpm@7.33.7", "6": "pnpm@8.15.9", "9": "pnpm@9.15.9"}
"""By the version of the lock file; https://github.com/pnpm/spec/tree/master/lockfile."""

_BERRY = {"4": "3.8.7", "5": "3.8.7", "6": "3.8.7", "8": "4.18.1"}
"""By the version of the lock file, from Yarn 2 on."""


def server_package(name: str) -> str:
    """Return the package that serves the pages of an application without a server of its own, pinned."""
    return _SITE_SERVER[name]


def manager_package(manager: str, source: Source) -> str:
    """Return the package to install, such as `pnpm@9.15.9`: what packageManager names, else what wrote the lock."""
    named = _NAMED.search(source.read("package.json"))
    version = named["version"] if named and named["name"] == manager else None
    if manager == "bun":
        return f"bun@{version or _BUN}"
    if manager == "pnpm":
        lock = re.search(r"^lockfileVersion:\s*'?(\d+)", source.read("pnpm-lock.yaml"), re.MULTILINE)
        return f"pnpm@{version}" if version else _PNPM.get(lock[1] if lock else "", _PNPM["9"])
    lock = re.search(r"^__metadata:\s+version:\s*(\d+)", source.read("yarn.lock"), re.MULTILINE)
    if version:
        return f"yarn@{version}" if version.startswith("1.") else f"@yarnpkg/cli-dist@{version}"
    is_berry = lock is not None or ".yarnrc.yml" in source
    return f"@yarnpkg/cli-dist@{_BERRY.get(lock[1] if lock else '', _BERRY['8'])}" if is_berry else "yarn@1.22.22"
