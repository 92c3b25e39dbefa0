"""Store in memory, for tests that make hundreds of ledgers; each test's folders are below one `root`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from autodeploy.errors import LockedError, StateError
from autodeploy.model import DeploymentState, LogEntry


class MemoryStore:
    """Every version of every ledger, newest last; logs are kept apart, as on disk."""

    def __init__(self, root: Path) -> None:
        self.home = self._root = root
        self.versions: dict[str, list[DeploymentState]] = {}
        self.logs: dict[str, list[LogEntry]] = {}
        self._secrets: dict[str, dict[str, str]] = {}
        self._held: set[str] = set()

    def load(self, deployment_id: str) -> DeploymentState:
        if deployment_id not in self.versions:
            raise StateError(f"there is no deployment {deployment_id!r}", "`autodeploy list` shows all of them.")
        return self.versions[deployment_id][-1].but(logs=tuple(self.logs.get(deployment_id, ())))

    def save(self, state: DeploymentState) -> None:
        kept = self.logs.setdefault(state.deployment_id, [])
        kept += [entry for entry in state.logs if entry not in kept]
        self.versions.setdefault(state.deployment_id, []).append(state)

    def append_log(self, deployment_id: str, entry: LogEntry) -> None:
        self.logs.setdefault(deployment_id, []).append(entry)

    def list(self, name: str | None = None) -> Iterable[DeploymentState]:
        found = [kept[-1] for kept in self.versions.values() if name in (None, kept[-1].name)]
        return sorted(found, key=lambda state: state.created_at, reverse=True)

    @contextmanager
    def lock(self, deployment_id: str, reason: str) -> Iterator[None]:
        if deployment_id in self._held:
            raise LockedError(f"{deployment_id} is in use", "Wait.")
        self._held.add(deployment_id)
        try:
            yield
        finally:
            self._held.remove(deployment_id)

    @contextmanager
    def lock_home(self, reason: str) -> Iterator[None]:
        yield

    def folder(self, deployment_id: str) -> Path:
        path = self._root / deployment_id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, deployment_id: str, name: str, text: str) -> Path:
        path = self.folder(deployment_id) / name
        path.write_text(text)
        return path

    def secrets(self, deployment_id: str) -> Mapping[str, str]:
        return dict(self._secrets.get(deployment_id, {}))

    def save_secrets(self, deployment_id: str, secrets: Mapping[str, str]) -> None:
        self._secrets[deployment_id] = dict(secrets)
