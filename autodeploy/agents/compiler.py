"""HiveMind DevOps: from a Git URL to a TechStack, and from that to a BuildArtifact that has been seen to boot."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.choices import ENVIRONMENT, environment_of, settings_for
from autodeploy.agents.questions import Remember, ask, open_questions
from autodeploy.agents.reading import AGENT, read_repository
from autodeploy.builder import recipe, tests
from autodeploy.errors import AnalysisError, SourceError, TrialError
from autodeploy.model import (
    BuildArtifact,
    DeploymentState,
    Request,
    Sighting,
    Source,
    TechStack,
    corrected,
    scratch_database,
)
from autodeploy.model.repository import RepositoryUrl
from autodeploy.planner import base_image, check_needs, own_database
from autodeploy.ports import UI, Builder, Clock, Repo, Store
from autodeploy.releaser import trial_environment
from autodeploy.settings import Settings


def _forget(_: Request) -> None:
    """Keep no answer: what was asked is in the state that comes back."""


_UNREACHED = re.compile(
    r"ECONNREFUSED|ENOTFOUND|EAI_AGAIN|getaddrinfo|name resolution|not known|no such host|[Cc]onnection (refused|error)"
    r"|unreachable|ServerSelection|MongoNetwork|[Tt]imed? ?out|lookup .* on |dial tcp|did not answer"
)
"""What applications say of a server that is not there."""


class HiveMindCompiler(HiveMindAgent):
    """Analyses repositories and builds applications."""

    name = AGENT

    def __init__(self, repo: Repo, builder: Builder, ui: UI, clock: Clock, store: Store, settings: Settings) -> None:
        super().__init__(ui, clock, store)
        self._repo = repo
        self._builder = builder
        self._settings = settings
        self._sources: dict[Path, Source] = {}
        self._typed: dict[str, str] = {}
        self._remember: Remember = _forget

    def use_credentials_of(self, repo_url: str) -> None:
        """Remember an address with its credentials, in memory, for this run's clone; the ledger has it without."""
        self._typed[RepositoryUrl.parse(repo_url).text] = repo_url

    def keep_answers_with(self, remember: Remember) -> None:
        """Hand every answer to `remember` as soon as it is given."""
        self._remember = remember

    def keep_environment(self, deployment_id: str) -> None:
        """Keep the variables that were given for the application, so that a run that is stopped need not ask again."""
        given = {f"{ENVIRONMENT}{name}": value for name, value in self._settings.environment.items()}
        if given:
            self._store.save_secrets(deployment_id, {**self._store.secrets(deployment_id), **given})

    def analyze_repository(self, repo_url: str, local_path: str, description: str = "") -> TechStack:
        """Clone `repo_url` into the folder `local_path` and return its technology, with evidence."""
        with self._attempting(f"Analysing {RepositoryUrl.parse(repo_url).text}"):
            source, stack = read_repository(self._repo, repo_url, Path(local_path), self._settings, description)
            self._sources[Path(local_path)] = source
            self.say(f"commit {source.commit[:12]}, {len(source.paths)} files")
        database = f", {stack.database_type}" if stack.requires_database else ""
        self.say(f"{stack.language} {stack.runtime_version}, {stack.framework or 'no framework'}{database}")
        self.say(f"starts with: {stack.start_command}")
        for unknown in stack.unknowns:
            if len(unknown.choices) <= 1:
                self.say(f"{unknown.message}{f' ({unknown.flag} settles it)' if unknown.flag else ''}")
        for warning in stack.warnings:
            self.say(warning, "WARNING")
        return stack

    def build_application(self, tech_stack: TechStack, source_path: str) -> BuildArtifact:
        """Build the checkout in `source_path` in isolation and return the archive."""
        with self._attempting(f"Building the {tech_stack.language} application"):
            source = self._source(Path(source_path))
            into = Path(source_path).parent / "artifacts"
            how = recipe(tech_stack, source)
            if self._settings.run_tests:
                how = how.but(tests=tests(tech_stack, source))
            artifact = self._builder.build(source, tech_stack, how, into, self.say)
        self.say(f"artifact {artifact.checksum[:12]}, {artifact.size_bytes / 1e6:.1f} MB")
        return artifact

    def analyze(self, state: DeploymentState) -> DeploymentState:
        """Return the state with commit and TechStack; refuse what nobody could build, or run with what was given.

        What the repository leaves open is asked for.
        """
        with self._working_on(state):
            state, stack = self._understand(state)
            source = self._sources[self._checkout_path(state)]
            with self._attempting("Seeing whether it can be deployed"):
                recipe(stack, source)
                base_image(stack)
                for warning in check_needs(stack, self._settings):
                    self.say(warning, "WARNING")
            self._settle_environment(state, stack)
            return self._logged(state, tech_stack=stack, commit=source.commit)

    def _understand(self, state: DeploymentState) -> tuple[DeploymentState, TechStack]:
        """Return the state with all answers, and the technology that follows from them."""
        while True:
            self._settings = settings_for(state, self._settings, self._store)
            path = str(self._checkout_path(state))
            stack = self.analyze_repository(self._typed.get(state.repo_url, state.repo_url), path, state.description)
            questions = open_questions(stack, state.request)
            if not questions:
                return state, stack
            may_ask = not self._settings.yes
            state = state.but(request=ask(questions, state.request, self._ui, may_ask, self._remember))

    def build(self, state: DeploymentState) -> DeploymentState:
        """Return the state with an artifact that answered in a trial."""
        assert state.tech_stack is not None
        with self._working_on(state), self._attempting("Building the application"):
            path = self._checkout_path(state)
            artifact = self.build_application(state.tech_stack, str(path))
            given = environment_of(self._store, state.deployment_id)
            seen = self._try(artifact, state.tech_stack, given)
            stack = corrected(state.tech_stack, seen) if seen else state.tech_stack
            if stack != state.tech_stack:
                for evidence in stack.evidence:
                    if evidence not in state.tech_stack.evidence:
                        self.say(f"corrected by the trial: {evidence.fact} is {evidence.value}")
                artifact = self.build_application(stack, str(path))  # what was built before, under what is true of it
            return self._logged(state, build_artifact=artifact.but(seen=seen), tech_stack=stack)

    def recall(self, state: DeploymentState) -> DeploymentState:
        """Return a state whose build stands with what its trial corrected, which an analysis cannot know."""
        seen = state.build_artifact and state.build_artifact.seen
        return state.but(tech_stack=corrected(state.tech_stack, seen)) if state.tech_stack and seen else state

    def run(self, state: DeploymentState) -> DeploymentState:
        """Analyse and build."""
        return self.build(self.analyze(state))

    def _checkout_path(self, state: DeploymentState) -> Path:
        return self._store.folder(state.deployment_id) / "source"

    def _try(self, artifact: BuildArtifact, stack: TechStack, given: Mapping[str, str]) -> Sighting | None:
        """Boot the artifact; None for one that waits for its owner's server, which no trial reaches."""
        scratch = scratch_database(stack)
        others = stack.services + ((str(stack.database_type),) if stack.requires_database and scratch is None else ())
        try:
            seen = self._builder.trial(artifact, stack, trial_environment(stack, given, scratch), self.say)
        except TrialError as err:
            if not (others and _UNREACHED.search(f"{err.message}\n{err.output}")):
                raise
            names = ", ".join(others)
            self.say(f"a trial has no network, and shows nothing without {names}: {err.message}", "WARNING")
            return None
        self.say(f"trial: {seen}")
        return seen

    def _source(self, path: Path) -> Source:
        """Return what was checked out before, so that a retry builds no other commit and needs no credentials."""
        if path not in self._sources:
            try:
                self._sources[path] = self._repo.checkout(str(path), None, ".", path)
            except SourceError as err:
                raise SourceError(
                    "what was checked out of the repository is gone",
                    "Check it out again: autodeploy retry --stage analyze, or autodeploy deploy with the URL.",
                ) from err
        return self._sources[path]

    def _settle_environment(self, state: DeploymentState, stack: TechStack) -> None:
        """Keep what the user gave, generate what convention lets us generate, refuse what is missing."""
        kept = dict(self._store.secrets(state.deployment_id))
        kept |= {f"{ENVIRONMENT}{name}": value for name, value in self._settings.environment.items()}
        missing = []
        filled = {"PORT", *stack.facts("allowed_hosts_variable")}
        filled |= {"DATABASE_URL"} if stack.requires_database and not own_database(stack, self._settings) else set()
        for variable in stack.environment:
            key = f"{ENVIRONMENT}{variable.name}"
            if key in kept or variable.name in filled or not variable.required:
                continue
            if variable.generated:
                kept[key] = secrets.token_urlsafe(48)
                self.say(f"{variable.name} generated")
            elif variable.default is None:
                missing.append(f"{variable.name} ({variable.file}:{variable.line})")
        self._store.save_secrets(state.deployment_id, kept)
        if missing:
            flags = " ".join(f"--env {name.split()[0]}=…" for name in missing)
            raise AnalysisError(
                f"the application needs variables that were not given: {', '.join(missing)}",
                f"Give them: autodeploy deploy … {flags}",
                agent=self.name,
                context="Reading the application's environment",
            )
