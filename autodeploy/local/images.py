"""Machine images: a kind and a Debian go in, the tag of an image in the engine's store comes out.

An image is built once and found again by its tag, which hashes the recipe. Run as a module it builds: `debian-12`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from autodeploy.errors import AgentError, LocalTargetError
from autodeploy.local import recipes
from autodeploy.local.containers import AGENT, ContainerEngine, container_engine, operator_certificates
from autodeploy.local.recipes import ImageKind
from autodeploy.model import BaseImage

Say = Callable[[str], None]


def image_tag(kind: ImageKind, base_image: BaseImage) -> str:
    """Return the tag under which the image is, or will be, in the engine's store."""
    parts = [kind, base_image, operator_certificates(), *_context().values()]
    kinds: tuple[ImageKind, ...] = ("machine",) if kind == "machine" else ("machine", kind)
    parts += [recipes.containerfile(each, "", False) for each in kinds]
    seal = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    return f"localhost/autodeploy-{kind}:{base_image}-{seal}"


def ensure_image(kind: ImageKind, base_image: BaseImage, say: Say) -> str:
    """Return the image's tag, building it and its parent when they are missing; raise LocalTargetError."""
    engine = container_engine()
    tag = image_tag(kind, base_image)
    if is_there(engine, tag):
        return tag
    with one_at_a_time():
        if is_there(engine, tag):
            return tag
        parent = image_tag("machine", base_image)
        if not is_there(engine, parent):
            _build_machine(engine, base_image, parent, say)
        if kind != "machine":
            say(f"Building the {kind} image of {base_image}")
            build(engine, recipes.containerfile(kind, parent, False), tag, say)
    return tag


def _build_machine(engine: ContainerEngine, base_image: BaseImage, tag: str, say: Say) -> None:
    started = time.monotonic()
    if shutil.which("mmdebstrap"):
        say(f"Building the machine image of {base_image} with mmdebstrap; this is done once and takes a minute or two")
        root = _root_tag(base_image)
        if not is_there(engine, root):
            _bootstrap(engine, base_image, root, say)
        text = recipes.containerfile("machine", root, True)
    else:
        parent = recipes.REGISTRY_IMAGES[base_image]
        say(f"Building the machine image of {base_image} from {parent}; this is done once and takes a minute or two")
        text = recipes.containerfile("machine", parent, False)
    build(engine, text, tag, say)
    say(f"The machine image of {base_image} is ready after {time.monotonic() - started:.0f} s")


def _bootstrap(engine: ContainerEngine, base_image: BaseImage, tag: str, say: Say) -> None:
    """Make the root file system; without a mirror's name mmdebstrap takes the operator's or Debian's own."""
    with tempfile.TemporaryDirectory(prefix="autodeploy-image-") as folder:
        archive = Path(folder) / "root.tar"
        leave_out = [f"--dpkgopt=path-exclude={path}" for path in recipes.LEFT_OUT]
        packages = recipes.PACKAGES["machine"].replace(" ", ",")
        target = [recipes.SUITES[base_image], str(archive)]
        _stream(["mmdebstrap", "--variant=minbase", f"--include={packages}", *leave_out, *target], say)
        engine.call("import", "--quiet", str(archive), tag, timeout=600)


def _root_tag(base_image: BaseImage) -> str:
    parts = (base_image, recipes.PACKAGES["machine"], *recipes.LEFT_OUT)
    return f"localhost/autodeploy-root:{base_image}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def build(engine: ContainerEngine, containerfile: str, tag: str, say: Say) -> None:
    """Build one image; raise LocalTargetError with the last lines."""
    with tempfile.TemporaryDirectory(prefix="autodeploy-image-") as folder:
        context = Path(folder)
        for name, text in {**_context(), "operator.pem": operator_certificates()}.items():
            (context / name).write_text(text, "utf-8")
        (context / "Containerfile").write_text(containerfile, "utf-8")
        limits = engine.limits
        words = ["build", "--network=host", *limits, "-t", tag, "-f", str(context / "Containerfile"), folder]
        _stream(engine.command(*words), say)


def _context() -> dict[str, str]:
    return {
        "cloud.cfg": recipes.CLOUD_CONFIG,
        "init": recipes.INIT,
        "prepare": recipes.PREPARE_MACHINE,
        "trust.py": recipes.TRUST,
    }


def _stream(command: Sequence[str], say: Say) -> None:
    """Run a long command, pass its milestones on, and keep its last lines for the error."""
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith(("I: ", "STEP ")):
                say(line.rstrip())
    if process.returncode:
        raise LocalTargetError(
            f"{command[0]} could not build a machine image: {(lines or ['no message'])[-1]}",
            "Check that Debian's package mirror or the image registry is reachable, then try again.",
            True,
            agent=AGENT,
            context="Building a machine image",
            output="\n".join(lines[-40:]),
        )


def is_there(engine: ContainerEngine, tag: str) -> bool:
    """Tell whether the engine's store has an image."""
    try:
        engine.call("image", "inspect", "--format", "{{.Id}}", tag)
    except LocalTargetError:
        return False
    return True


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock of the engine's store, which all homes of this user share."""
    path = Path(tempfile.gettempdir()) / f"autodeploy-images-{os.getuid()}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    """Build the machine, builder and database images of the named Debians."""
    try:
        for base_image in arguments or ["debian-12"]:
            if base_image not in recipes.SUITES:
                raise LocalTargetError(
                    f"there is no base image {base_image!r}",
                    f"Name one of {', '.join(recipes.SUITES)}.",
                    agent=AGENT,
                    context="Building machine images",
                )
            for kind in recipes.PACKAGES:
                print(ensure_image(kind, base_image, lambda line: print(line, file=sys.stderr)), flush=True)
    except AgentError as err:
        print(f"{err}\n{err.output}".rstrip(), file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
