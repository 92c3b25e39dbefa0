"""ContainerBuilder fulfils ports.Builder: Source and Recipe in, archive out; and boots an archive to see it answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, Literal

from autodeploy.adapters.build import artifacts, context, failures, hosted
from autodeploy.adapters.build.container import Container, Ended, Limits
from autodeploy.adapters.build.registries import RegistrySettings
from autodeploy.adapters.build.report import Report
from autodeploy.adapters.build.trial import Trial
from autodeploy.model import BaseImage, BuildArtifact, Recipe, Sighting, Source, TechStack, scratch_database
from autodeploy.ports import Say

ImageKind = Literal["builder", "machine", "postgres", "mariadb"]
ImageFor = Callable[[ImageKind, BaseImage, Sequence[str], Say], str]
_SCRIPTS = ("pack.sh", "build.sh")


class ContainerBuilder:
    """Builds in containers. `engine_command` is an argv prefix: `podman run --rm` and the flags every run needs.

    `image_for` returns the tag of an image with python3, iproute2, setpriv, zstd and the named Debian packages: a
    `builder` has compilers, a `machine` is the server's kind, the others have a database server for a trial.
    `host`: build on this machine, where the engine may be missing (an empty command) and then nothing is tried.
    """

    def __init__(
        self,
        engine_command: Sequence[str],
        image_for: ImageFor,
        cache: Path,
        registries: RegistrySettings | None = None,
        limits: Limits | None = None,
        host: bool = False,
    ) -> None:
        self._engine = tuple(engine_command)
        self._image_for = image_for
        self._cache = artifacts.ArtifactCache(cache / "artifacts")
        self._registries = registries or RegistrySettings({})
        self._limits = limits or Limits()
        self._host = cache / "host" if host else None

    def build(self, source: Source, stack: TechStack, recipe: Recipe, into: Path, say: Say) -> BuildArtifact:
        """Run the recipe in a container, leave archive and build log in `into`; raise BuildError."""
        source = source.built_in(stack.app_root, stack.facts("install_root"))
        if self._host:
            hosted.check(recipe)
            say(hosted.WARNING)
            image = f"host {recipe.base_image}"
        else:
            image = self._image_for("builder", recipe.base_image, recipe.packages, say)
        name = artifacts.key(source, recipe, image)
        into.mkdir(parents=True, exist_ok=True)
        with self._cache.held(name):
            kept = self._cache.find(name)
            placed = self._cache.bring(name, kept, stack, into) if kept else None
            if placed:
                say(f"Commit {source.commit[:12]} was built before: using that archive")
            else:
                kept = self._build(name, source, stack, recipe, image, into, say)
                placed = self._cache.bring(name, kept, stack, into)
        if placed is None:
            raise failures.engine_failed(0, ["the archive was lost on its way to the cache"])
        return placed.but(
            start_command=stack.start_command,
            run_packages=stack.run_packages,
            runtime_version=stack.runtime_version,
        )

    def trial(self, artifact: BuildArtifact, stack: TechStack, environment: Mapping[str, str], say: Say) -> Sighting:
        """Boot the artifact without a network and return what was seen; raise TrialError.

        A database that lives as long as the trial stands in for the application's own.
        """
        if not self._engine:
            return Sighting(outcome="untried")
        scratch = scratch_database(stack)
        kind: ImageKind = scratch.engine if scratch else "machine"
        image = self._image_for(kind, artifact.base_image, artifact.run_packages, say)
        container = Container(self._engine, "trial", self._limits)
        return Trial(container, self._limits).run(image, artifact, stack, environment, say)

    def _build(
        self, name: str, source: Source, stack: TechStack, recipe: Recipe, image: str, into: Path, say: Say
    ) -> BuildArtifact:
        started = time.monotonic()
        partial = into / f".{name[:16]}.partial"
        for left in into.glob(".*.partial"):
            left.unlink()  # by a run that was killed
        try:
            with (
                artifacts.named(into),
                partial.open("wb") as output,
                (into / "build.log").open("w", encoding="utf-8") as log,
            ):
                report = Report(recipe, say, log.write, self._limits.log_bytes)
                ended = self._run(name, source, recipe, image, report, output)
                log.write(f"exit code {ended.code}; {report.left_out} lines were left out\n")
            self._check(ended, report, stack, recipe, partial, into / "build.log")
            artifact = BuildArtifact(
                path=str(partial),
                type="archive",
                size_bytes=partial.stat().st_size,
                checksum=report.checksum,
                build_command=" && ".join(step.command for step in recipe.steps),
                build_duration_seconds=round(time.monotonic() - started, 3),
                commit=source.commit,
                base_image=recipe.base_image,
                unpacked_bytes=report.unpacked_bytes,
            )
            self._cache.keep(name, partial, artifact)
            return artifact
        finally:
            partial.unlink(missing_ok=True)

    def _run(self, name: str, source: Source, recipe: Recipe, image: str, report: Report, output: BinaryIO) -> Ended:
        layer, layer_steps = artifacts.layer_key(source, recipe, image)
        told = {
            "MARK": report.mark, "EPOCH": str(context.epoch(source)), "LAYER": layer, "LAYER_STEPS": str(layer_steps),
            "KEEP": " ".join(recipe.keep), "EXCLUDE": "\n".join(recipe.exclude), "PLACE": "container", "DROP": "yes",
            "STEPS": str(len(recipe.steps)),
        }  # fmt: skip
        container = self._enclosure()
        # One cache per repository: what one leaves in it, no other build takes out.
        owner = hashlib.sha256(f"{source.url}\0{source.subdirectory}".encode()).hexdigest()[:16]
        flags = container.flags(told, owner)
        script = "".join(files(__package__).joinpath(name).read_text("utf-8") for name in _SCRIPTS)
        seconds = self._limits.build_seconds
        steps = [word for step in (*recipe.steps, *recipe.tests) for word in (step.what, step.command)]
        # The container's own clock ends it where we are killed and cannot.
        inner = ["timeout", "--kill-after=5", str(seconds + 60), "sh", "-c", script, "build", *steps]
        with self._cache.running(name, container.name) as orphan:
            if orphan:
                container.kill(orphan)
            try:
                return container.run(
                    container.command(image, flags, inner),
                    lambda stream: context.write(stream, source, recipe.environment, self._registries),
                    report.hear,
                    output,
                    seconds,
                )
            finally:
                container.clear()

    def _enclosure(self) -> Container:
        if self._host:
            return hosted.HostProcess(self._limits, self._host / "builds", self._host / "cache")
        return Container(self._engine, "build", self._limits)

    def _check(self, ended: Ended, report: Report, stack: TechStack, recipe: Recipe, archive: Path, log: Path) -> None:
        lines, language, steps = list(report.lines), stack.language, (*recipe.steps, *recipe.tests)
        if ended.timed_out:
            message = f"the build did not end within {self._limits.build_seconds} s"
            raise failures.broken(message, "Make the build shorter.", language, lines, log)
        if report.failed:
            number, code = report.failed
            raise failures.step_failed(steps[number - 1], code, language, lines, log)
        if report.missing:
            message = f"the build left no /app/{report.missing}"
            raise failures.broken(message, "Check that the build command makes it.", language, lines, log)
        if ended.code == 137 and report.step:
            raise failures.step_failed(
                (*recipe.steps, *recipe.tests)[report.step - 1], ended.code, language, lines, log
            )
        if ended.code or not report.checksum:
            raise failures.engine_failed(ended.code, lines)
        if ended.output_bytes > self._limits.archive_bytes:
            message = f"the archive has {ended.output_bytes / 1e6:.0f} MB, more than is deployed"
            raise failures.broken(message, "Leave large files out of the repository.", language, lines, log)
        if artifacts.checksum(archive) != report.checksum:
            raise failures.engine_failed(ended.code, ["the archive was cut on its way out of the container"])
