"""What a flag says of a fact that means the same in every language: it takes the place of what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from autodeploy.analyser.failures import refusal
from autodeploy.model import Evidence, Language, TechStack

NONE = "none"
"""What a flag says of a fact that the application does without."""

PACKAGE_MANAGERS: dict[Language, tuple[str, ...]] = {
    "nodejs": ("npm", "pnpm", "yarn", "bun"),
    "python": ("pip", "poetry", "uv", "pipenv", "pdm"),
    "go": ("go",),
}
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_SERVICE = re.compile(r"[a-z][a-z0-9_-]*")


def _names(flag: str, shape: re.Pattern[str], example: str) -> Callable[[str], tuple[str, ...]]:
    def read(value: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(re.split(r"[,\s]+", value.strip().strip(","))))
        for name in names:
            if not shape.fullmatch(name):
                raise refusal(f"{name!r} is no name for {flag}", f"Write {flag} {example}, or {flag} none.")
        return () if names == (NONE,) else names

    return read


def _variable(value: str) -> str | None:
    if value != NONE and not (value.isidentifier() and value.isascii()):
        raise refusal(f"{value!r} is not a name for a variable", "Write --port-env PORT, or --port-env none.")
    return None if value == NONE else value


def _or_none(value: str) -> str | None:
    return None if value.strip().lower() == NONE else value.strip()


def _framework(value: str) -> str | None:
    return _or_none(value.lower())


_READ: dict[str, Callable[[str], object]] = {
    "framework": _framework,
    "package_manager": str,
    "build_command": lambda value: _or_none(value) or "",
    "start_command": str,
    "migration_command": _or_none,
    "port_env": _variable,
    "services": _names("--services", _SERVICE, "redis,rabbitmq"),
    "build_packages": _names("--build-packages", _PACKAGE, "libpq-dev"),
    "run_packages": _names("--run-packages", _PACKAGE, "libpq5"),
}
"""How the text behind a flag becomes the TechStack's field of that name."""

SHARED = frozenset(_READ)


def flag_of(fact: str) -> str:
    """Return the flag that settles a fact."""
    return f"--{fact.replace('_', '-')}"


def settle(stack: TechStack, overrides: Mapping[str, str]) -> TechStack:
    """Return the stack with what was said of the shared facts; raise AnalysisError for what cannot be meant."""
    said = {fact: overrides[fact] for fact in _READ if fact in overrides}
    managers = PACKAGE_MANAGERS[stack.language]
    if said.get("package_manager", managers[0]) not in managers:
        raise refusal(
            f"{said['package_manager']!r} manages no packages of {stack.language}",
            f"Use one of: {', '.join(managers)}.",
        )
    fields: dict[str, Any] = {fact: _READ[fact](value) for fact, value in said.items()}
    told = [_told(stack, fact, value) for fact, value in said.items()]
    kept = [item for item in stack.evidence if item.fact not in said]
    unknowns = tuple(unknown for unknown in stack.unknowns if unknown.flag.lstrip("-").replace("-", "_") not in said)
    return stack.but(**fields, evidence=(*kept, *told), unknowns=unknowns)


def _told(stack: TechStack, fact: str, value: str) -> Evidence:
    found = (item for item in stack.evidence if item.fact == fact and item.rule != flag_of(fact))
    others = dict.fromkeys(text for item in found for text in (item.value, *item.alternatives) if text != value)
    return Evidence(fact=fact, value=value, rule=flag_of(fact), alternatives=tuple(others))


def check_language(value: str) -> Language:
    """Return the language that a flag names; raise AnalysisError for one that is not supported."""
    for language in PACKAGE_MANAGERS:
        if value == language:
            return language
    raise refusal(f"the language {value!r} is not supported", f"Use one of: {', '.join(PACKAGE_MANAGERS)}.")
