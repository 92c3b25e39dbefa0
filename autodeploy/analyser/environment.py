"""What every language shares about variables: which are secret, which are generated, and what example files say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from autodeploy.analyser import hints
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable

EXAMPLES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".example.env",
    "env.example",
    "example.env",
    ".env.local.example",
)
IGNORED = frozenset({"PORT", "HOME", "PATH", "USER", "LANG", "TZ", "PWD", "SHELL", "PYTHONPATH", "HOSTNAME", "CI"})
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_SECRET = re.compile(
    r"(^|_)(SECRET|PASSWORD|PASSWD|PASS|TOKEN|KEY|CREDENTIALS?|PRIVATE|SALT|DSN)(_|$)|(SECRET|PASSWORD|TOKEN|APIKEY)"
)
_ABOUT = re.compile(
    r"_(EXPIR\w*|MINUTES|HOURS|DAYS|SECONDS|SECS|MS|TTL|LIFETIME|MAX_?AGE|ALGORITHMS?|ALG|LENGTH|SIZE|HEADER|NAME|PREFIX"
    r"|PATH|FILE|DIR|TYPE|COUNT|LIMIT|ROUNDS|ENABLED|REQUIRED|ISSUER|AUDIENCE|IN)$|(^|_)(PUBLIC|PUBLISHABLE)(_|$)"
)
"""Names of what is said about a secret, or is shown to everybody, and is none."""

_ADDRESS = re.compile(
    r"(^|_)(DATABASE|DB|POSTGRES(QL)?|PG|MYSQL|MONGO(DB)?|REDIS|AMQP|RABBITMQ|BROKER)_?(URL|URI|DSN)$"
)
"""Names of addresses that carry a password."""

_GENERATED = re.compile(
    r"^((DJANGO|FLASK|FASTAPI|APP|APPLICATION|WEB|SESSION|JWT|COOKIE|CSRF|AUTH|TOKEN)_)?SECRET(_KEY)?(_BASE)?$"
    r"|^(JWT|SESSION|COOKIE)_(SECRET|KEY)(_KEY)?$|^(SECURITY_)?PASSWORD_SALT$"
)
"""Names whose value only has to be random and to stay; a third party's secret (STRIPE_SECRET_KEY) is not among them."""


def settled(
    tree: Tree, inside: Iterable[EnvironmentVariable], aside: Iterable[EnvironmentVariable]
) -> list[EnvironmentVariable]:
    """Return the variables by name: `inside` is what the running application reads, `aside` what other code reads.

    Only the former, and what a platform's file demands, can make one required; example files name further ones.
    """
    found: dict[str, EnvironmentVariable] = {}
    for read in inside:
        found[read.name] = _joined(found[read.name], read) if read.name in found else read
    declared = {item.name: item for item in reversed(hints.environment(tree))}
    shown = [read for path in EXAMPLES for read in examples(tree, path)]
    for read in (*declared.values(), *aside, *shown):
        found.setdefault(read.name, read if read.name in declared else read.but(required=False))
    kept = (variable for name, variable in found.items() if name not in IGNORED and _NAME.match(name))
    known = (_declared(variable, declared.get(variable.name)) for variable in kept)
    return sorted((_marked(variable) for variable in known), key=lambda variable: variable.name)


def _declared(variable: EnvironmentVariable, told: EnvironmentVariable | None) -> EnvironmentVariable:
    """A default in the code stands; else a platform's file says what is demanded, generated or given."""
    if told is None or variable.default is not None:
        return variable
    declared: EnvironmentVariable = variable.but(
        required=told.required or (variable.required and told.default is None),
        generated=told.generated,
        default=told.default,
    )
    return declared


def _joined(old: EnvironmentVariable, new: EnvironmentVariable) -> EnvironmentVariable:
    """A variable with a default somewhere, or whose presence is tested, is optional everywhere."""
    default = old.default if old.default is not None else new.default
    joined: EnvironmentVariable = old.but(default=default, required=old.required and new.required)
    return joined


def _marked(variable: EnvironmentVariable) -> EnvironmentVariable:
    is_generated = variable.generated or bool(_GENERATED.match(variable.name))
    name = variable.name.upper()
    is_secret = is_generated or bool(_SECRET.search(name) and not _ABOUT.search(name))
    marked: EnvironmentVariable = variable.but(
        secret=is_secret or bool(_ADDRESS.search(name)),
        generated=is_generated,
        # A default that stands in public code is no secret: a generated value takes its place.
        required=variable.required or is_generated,
        default=None if is_secret else variable.default,
    )
    return marked


def examples(tree: Tree, path: str) -> Iterator[EnvironmentVariable]:
    """Yield the variables of an example file, with the values that it gives them."""
    for number, line in tree.lines(path):
        match = re.match(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$", line)
        if match:
            value = match[2].strip().strip("\"'")
            yield EnvironmentVariable(name=match[1], default=value or None, file=tree.where(path), line=number)
