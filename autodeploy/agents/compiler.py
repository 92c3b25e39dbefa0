"""HiveMind DevOps: from a Git URL to a TechStack, and from that to a BuildArtifact that has been seen to boot."""

from __future__ import annotations

import secrets
from pathlib import Path

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.choices import ENVIRONMENT, environment_of, settings_for
from autodeploy.agents.reading import read_repository
from autodeploy.builder import recipe
from autodeploy.errors import AnalysisError, SourceError
from autodeploy.model import BuildArtifact, DeploymentState, Source, TechStack, corrected, scratch_database
from autodeploy.model.repository import RepositoryUrl
from autodeploy.planner import check_database
from autodeploy.ports import UI, Builder, Clock, Repo, Store
from autodeploy.releaser import trial_environment
from autodeploy.settings import Settings

OURS = frozenset({"DATABASE_URL", "PORT"})


class HiveMindCompiler(HiveMindAgent):
    """Analyses repositories and builds applications."""

    name = "HiveMind DevOps"

    def __init__(self, repo: Repo, builder: Builder, ui: UI, clock: Clock, store: Store, settings: Settings) -> None:
        super().__init__(ui, clock, store)
        self._repo = repo
        self._builder = builder
        self._settings = settings
        self._sources: dict[Path, Source] = {}
        self._typed: dict[str, str] = {}

    def use_credentials_of(self, repo_url: str) -> None:
        """Remember an address with its credentials, in memory, for this run's clone; the ledger has it without."""
        self._typed[RepositoryUrl.parse(repo_url).text] = repo_url

    def keep_environment(self, deployment_id: str) -> None:
        """Keep the variables that were given for the application, so that a run that is stopped need not ask again."""
        given = {f"{ENVIRONMENT}{name}": value for name, value in self._settings.environment.items()}
        if given:
            self._store.save_secrets(deployment_id, {**self._store.secrets(deployment_id), **given})

    def analyze_repository(self, repo_url: str, local_path: str) -> TechStack:
        """Clone `repo_url` into the folder `local_path` and return its technology, with evidence."""
        with self._attempting(f"Analysing {RepositoryUrl.parse(repo_url).text}"):
            source, stack = read_repository(self._repo, repo_url, Path(local_path), self._settings)
            self._sources[Path(local_path)] = source
            self.say(f"commit {source.commit[:12]}, {len(source.paths)} files")
        database = f", {stack.database_type}" if stack.requires_database else ""
        self.say(f"{stack.language} {stack.runtime_version}, {stack.framework or 'no framework'}{database}")
        self.say(f"starts with: {stack.start_command}")
        return stack

    def build_application(self, tech_stack: TechStack, source_path: str) -> BuildArtifact:
        """Build the checkout in `source_path` in isolation and return the archive."""
        with self._attempting(f"Building the {tech_stack.language} application"):
            source = self._source(Path(source_path))
            into = Path(source_path).parent / "artifacts"
            artifact = self._builder.build(source, tech_stack, recipe(tech_stack, source), into, self.say)
        self.say(f"artifact {artifact.checksum[:12]}, {artifact.size_bytes / 1e6:.1f} MB")
        return artifact

    def analyze(self, state: DeploymentState) -> DeploymentState:
        """Return the state with commit and TechStack; refuse a missing variable, and a database that nobody has."""
        with self._working_on(state):
            self._settings = settings_for(state, self._settings, self._store)
            path = self._checkout_path(state)
            stack = self.analyze_repository(self._typed.get(state.repo_url, state.repo_url), str(path))
            check_database(stack, self._settings)
            self._settle_environment(state, stack)
            return self._logged(state, tech_stack=stack, commit=self._sources[path].commit)

    def build(self, state: DeploymentState) -> DeploymentState:
        """Return the state with an artifact that answered in a trial."""
        assert state.tech_stack is not None
        with self._working_on(state), self._attempting("Building the application"):
            path = self._checkout_path(state)
            artifact = self.build_application(state.tech_stack, str(path))
            given = environment_of(self._store, state.deployment_id)
            environment = trial_environment(state.tech_stack, given, scratch_database(state.tech_stack))
            seen = self._builder.trial(artifact, state.tech_stack, environment, self.say)
            self.say(f"trial: {seen}")
            stack = corrected(state.tech_stack, seen)
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
        filled = OURS | {evidence.value for evidence in stack.evidence if evidence.fact == "allowed_hosts_variable"}
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
