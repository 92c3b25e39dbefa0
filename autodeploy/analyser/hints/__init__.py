"""What files beside the code and its manifests tell of an application: a Tree in, facts with file and line out.

The first fact of a kind weighs most: platform files before compose files, Dockerfile, and examples. A hint settles what
the code leaves open, and never overrules what the code says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain

from autodeploy.analyser.hints import compose, dockerfile, examples, platforms
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable, Evidence

__all__ = ["databases", "environment", "health_path", "ports", "processes", "services", "value", "variables"]


def databases(tree: Tree) -> tuple[Evidence, ...]:
    """Return the kinds of database that are spoken of, each once, the best told first."""
    found: dict[str, Evidence] = {}
    for hint in _facts(tree, "database_type"):
        found.setdefault(hint.value, hint)
    return tuple(found.values())


def services(tree: Tree) -> tuple[Evidence, ...]:
    """Return the other servers (redis, rabbitmq …) that are spoken of, each once."""
    found: dict[str, Evidence] = {}
    for hint in _facts(tree, "services"):
        found.setdefault(hint.value, hint)
    return tuple(found.values())


def ports(tree: Tree) -> Iterator[Evidence]:
    """Yield the ports that are spoken of, the best told first."""
    yield from _facts(tree, "port")


def health_path(tree: Tree) -> Evidence | None:
    """Return the path that a platform or a container's health check asks; None where nothing says one."""
    return next(_facts(tree, "health_check_path"), None)


def processes(tree: Tree) -> tuple[Evidence, ...]:
    """Return the commands that platforms start: `start_command` of what is on the web, `worker_command` of others."""
    return (*_facts(tree, "start_command"), *_facts(tree, "worker_command"))


def environment(tree: Tree) -> tuple[EnvironmentVariable, ...]:
    """Return the variables that platform files demand, generate, or give a value."""
    return tuple(item for item in _all(tree) if isinstance(item, EnvironmentVariable))


def variables(tree: Tree) -> tuple[Evidence, ...]:
    """Return which variables a platform fills from the database that it makes: `NAME=part`."""
    return tuple(_facts(tree, "database_variable"))


def value(tree: Tree, variable: str) -> Evidence | None:
    """Return the port that an example gives the variable, be it alone or in an address; None for none."""
    given = examples.value(tree, variable)
    match = re.fullmatch(r"(?:[\w.\-\[\]:/]*:)?(\d{2,5})", given[0]) if given else None
    if given is None or match is None:
        return None
    return Evidence(fact="port", value=match[1], file=given[1], line=given[2], rule="env-example", confidence="likely")


def _facts(tree: Tree, fact: str) -> Iterator[Evidence]:
    return (item for item in _all(tree) if isinstance(item, Evidence) and item.fact == fact)


def _all(tree: Tree) -> tuple[Evidence | EnvironmentVariable, ...]:
    return tree.once("hints", partial(_read, tree))


def _read(tree: Tree) -> tuple[Evidence | EnvironmentVariable, ...]:
    readers = (platforms.read, compose.read, dockerfile.read, examples.read)
    return tuple(chain.from_iterable(reader(tree) for reader in readers))
