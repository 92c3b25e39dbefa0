"""An image's kind and names of Debian packages go in; the tag of that image with the packages installed comes out.

apt resolves them once and checks them by Debian's signatures; the image is found again by its names. It runs no
code of a repository.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from autodeploy.errors import BuildError, LocalTargetError
from autodeploy.local import images, recipes
from autodeploy.local.containers import ContainerEngine, container_engine
from autodeploy.local.recipes import ImageKind
from autodeploy.model import BaseImage

Say = Callable[[str], None]
KEPT = 12
"""How many of these images stay; those made longest ago go."""

_LABEL = "autodeploy.kind=packages"
# https://www.debian.org/doc/debian-policy/ch-controlfields.html#s-f-source
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_UNKNOWN = re.compile(r"E: (?:Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate)")


def ensure_packages(kind: ImageKind, base_image: BaseImage, packages: Sequence[str], say: Say) -> str:
    """Return the tag of the image with the packages; raise BuildError for one that this Debian does not have."""
    names = sorted(set(packages))
    for name in names:
        if not _NAME.fullmatch(name):
            raise _refusal(name, f"{name!r} is no name of a Debian package")
    parent = images.ensure_image(kind, base_image, say)
    if not names:
        return parent
    engine = container_engine()
    seal = hashlib.sha256("\0".join((parent, *names)).encode()).hexdigest()[:12]
    tag = f"localhost/autodeploy-packages:{base_image}-{seal}"
    with images.one_at_a_time():
        if not images.is_there(engine, tag):
            say(f"Installing Debian packages: {' '.join(names)}")
            install = recipes.INSTALL.format(packages=" ".join(names), after="")
            _build(engine, f"FROM {parent}\nLABEL {_LABEL}\n{install}", tag, base_image, say)
            _forget_old(engine)
    return tag


def _build(engine: ContainerEngine, text: str, tag: str, base_image: BaseImage, say: Say) -> None:
    try:
        images.build(engine, text, tag, say)
    except LocalTargetError as err:
        if found := _UNKNOWN.search(err.output):
            name = found[1] or found[2]
            raise _refusal(name, f"{base_image} has no package {name}", err.output) from err
        raise


def _forget_old(engine: ContainerEngine) -> None:
    listed = engine.call("image", "ls", "--filter", f"label={_LABEL}", "--format", "{{.Repository}}:{{.Tag}}").split()
    for old in [name for name in listed if "autodeploy-packages:" in name][KEPT:]:
        with suppress(LocalTargetError):  # in use
            engine.call("image", "rm", old)


def _refusal(name: str, message: str, output: str = "") -> BuildError:
    return BuildError(
        message,
        f"Correct or leave out {name} where the repository names it (Aptfile, Dockerfile), or say what is needed: "
        "--build-packages, --run-packages.",
        agent="HiveMind DevOps",
        context="Installing the Debian packages the application needs",
        output="\n".join(output.splitlines()[-40:]),
    )
