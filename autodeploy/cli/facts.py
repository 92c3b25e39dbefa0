"""The flags that settle a fact of the analysis, declared once for every verb that analyses; what was typed goes out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

import typer

FACTS: dict[str, str] = {
    "app": "The application: module:attribute, or a Go program like ./cmd/server.",
    "language": "python, nodejs or go.",
    "framework": "The framework's package; none: it uses none.",
    "runtime_version": "The version of the language, such as 3.13, 22.x or 1.24.",
    "package_manager": "npm, pnpm, yarn, bun, pip, poetry, uv, pipenv or pdm.",
    "build_command": "The command that builds it; none: nothing is run.",
    "start_command": "The command that starts it.",
    "migration_command": "What is run before a release is switched to; none: nothing.",
    "port": "The port it listens on; none: it is a worker without HTTP.",
    "port_env": "The variable that sets the port; none: no variable does.",
    "health_check_path": "The page that tells its health.",
    "database_type": "none, postgresql, mysql, mariadb or mongodb.",
    "services": "What else it talks to, separated by commas, such as redis; none: nothing.",
    "build_packages": "Debian packages that building needs, separated by commas; none: no others.",
    "run_packages": "Debian packages that running needs, separated by commas; none: no others.",
}
"""By the name that autodeploy.toml's `overrides` has for it: what may be typed behind its flag."""

NO_FACTS: Mapping[str, str] = MappingProxyType({})

Verb = Callable[..., None]


def settles_facts(verb: Verb) -> Verb:
    """Return the verb with the flags of FACTS in place of its parameter `facts`, which gets those that were typed."""
    signature = inspect.signature(verb, eval_str=True)
    kept = [parameter for name, parameter in signature.parameters.items() if name != "facts"]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(name, words))
        for name, words in FACTS.items()
    ]

    @functools.wraps(verb)
    def run(**given: Any) -> None:
        facts = {name: given.pop(name) for name in FACTS}
        verb(**given, facts={name: value for name, value in facts.items() if value is not None})

    shown: Any = run
    shown.__signature__ = signature.replace(parameters=[*kept, *flags])
    shown.__annotations__ = {parameter.name: parameter.annotation for parameter in (*kept, *flags)}
    del shown.__wrapped__  # its own annotations speak of `facts`, which is no flag
    return run


def _annotation(name: str, words: str) -> Any:
    return Annotated[str | None, typer.Option(f"--{name.replace('_', '-')}", help=words)]
