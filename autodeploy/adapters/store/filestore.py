"""FileStore: DeploymentState <-> deployments/<id>/{state.json,logs.txt,secrets.json,lock,artifacts/}.

Logs live only in logs.txt, which is never rewritten; everything else is replaced atomically, and the ledger before
the last one is kept as state.previous.json. Never repairs a damaged ledger on its own.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import ValidationError

from autodeploy.adapters.store import collector, files, lock
from autodeploy.adapters.store.history import History
from autodeploy.errors import StateError
from autodeploy.model import DeploymentState, LockOwner, LogEntry
from autodeploy.naming import name_in

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
STATE, PREVIOUS, LOGS, SECRETS, LOCK, ARTIFACTS = (
    "state.json",
    "state.previous.json",
    "logs.txt",
    "secrets.json",
    "lock",
    "artifacts",
)


class FileStore:
    """The Store port over a folder; `home` is $AUTODEPLOY_HOME."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._deployments = home / "deployments"
        self._histories: dict[str, History] = {}

    def load(self, deployment_id: str) -> DeploymentState:
        """Return the ledger with its logs in order of time; raise StateError when it is unknown or damaged."""
        context = f"Reading the ledger of {deployment_id}"
        path = self._path(deployment_id, context) / STATE
        with files.translated(path, context):
            try:
                text = path.read_bytes()
            except FileNotFoundError as err:
                raise self._unknown(deployment_id, context) from err
            logs = self._history(deployment_id).entries()
        return _validated(path, text, context).model_copy(update={"logs": logs})

    def save(self, state: DeploymentState) -> None:
        """Write the ledger atomically, durably, 0600; append those of its log entries that logs.txt lacks."""
        context = f"Saving the ledger of {state.deployment_id}"
        folder = self.folder(state.deployment_id)
        with files.translated(folder, context):
            self._history(state.deployment_id).add_missing(state.logs)
            text = state.model_copy(update={"logs": ()}).model_dump_json(indent=2)
            files.keep_previous(folder / STATE, folder / PREVIOUS)
            files.write(folder / STATE, f"{text}\n")

    def append_log(self, deployment_id: str, entry: LogEntry) -> None:
        """Append one entry, in a time that does not grow with the file."""
        path = self.folder(deployment_id) / LOGS
        with files.translated(path, f"Logging for {deployment_id}"):
            self._history(deployment_id).append(entry)

    def list(self, name: str | None = None) -> Iterable[DeploymentState]:
        """Return the readable ledgers of a name, or all, without their logs, newest first; no other one is opened."""
        return self._survey([found for found in self._ids() if name in (None, name_in(found))])[0]

    def survey(self) -> tuple[Sequence[DeploymentState], Sequence[str]]:
        """Return all readable ledgers without their logs, newest first, and the ids of those that cannot be read."""
        return self._survey(self._ids())

    def _survey(self, identifiers: Iterable[str]) -> tuple[Sequence[DeploymentState], Sequence[str]]:
        readable, damaged = [], []
        with collector.at_rest():
            for deployment_id in identifiers:
                try:
                    text = (self._deployments / deployment_id / STATE).read_bytes()
                    readable.append(DeploymentState.model_validate_json(text))
                except (OSError, ValidationError):
                    damaged.append(deployment_id)
        return sorted(readable, key=lambda state: state.created_at, reverse=True), sorted(damaged)

    def lock(self, deployment_id: str, reason: str) -> AbstractContextManager[None]:
        """Hold the deployment for this process; raise LockedError naming the owner and what it does."""
        return self._lock(deployment_id, reason)

    @contextlib.contextmanager
    def lock_home(self, reason: str) -> Iterator[None]:
        """Hold the home for a moment, while a deployment is found or begun; waits for another process's moment."""
        path = self.home / LOCK
        with contextlib.ExitStack() as stack:
            with files.translated(path, f"Locking {self.home}: {reason}"):
                files.make_folder(self.home)
                stack.enter_context(lock.held(path, str(self.home), reason, wait=True))
            yield

    def owner(self, deployment_id: str) -> LockOwner | None:
        """Return who holds the deployment now; None when nobody does."""
        path = self._path(deployment_id, f"Looking at the lock of {deployment_id}") / LOCK
        with files.translated(path, f"Looking at the lock of {deployment_id}"):
            return lock.owner(path)

    def unlock(self, deployment_id: str) -> LockOwner | None:
        """Break the lock of a process on another machine and return whose it was; raise LockedError for one here."""
        path = self._path(deployment_id, f"Unlocking {deployment_id}") / LOCK
        with files.translated(path, f"Unlocking {deployment_id}"):
            return lock.break_foreign(path, deployment_id)

    def folder(self, deployment_id: str) -> Path:
        """Return deployments/<id>, made 0700 (with its folder for artifacts) when it is missing."""
        context = f"Making the folder of {deployment_id}"
        path = self._path(deployment_id, context)
        with files.translated(path, context):
            files.make_folder(path / ARTIFACTS)
        return path

    def write(self, deployment_id: str, name: str, text: str) -> Path:
        """Replace a file of the deployment's folder, 0600, whole or not at all; return its path."""
        path = self.folder(deployment_id) / name
        with files.translated(path, f"Writing {name} of {deployment_id}"):
            files.write(path, text)
        return path

    def secrets(self, deployment_id: str) -> Mapping[str, str]:
        """Return the deployment's secrets by name; {} when it has none."""
        context = f"Reading the secrets of {deployment_id}"
        path = self._path(deployment_id, context) / SECRETS
        with files.translated(path, context):
            text = _read(path)
        try:
            return {str(name): str(value) for name, value in json.loads(text or "{}").items()}
        except (ValueError, AttributeError) as err:
            # The parser's own words may quote the secret: not repeated here.
            raise StateError(
                f"{path} is damaged", f"Restore {path} from a backup, or delete it and deploy again.", context=context
            ) from err

    def save_secrets(self, deployment_id: str, secrets: Mapping[str, str]) -> None:
        """Replace the deployment's secrets, 0600; none at all removes the file."""
        path = self.folder(deployment_id) / SECRETS
        with files.translated(path, f"Saving the secrets of {deployment_id}"):
            if secrets:
                files.write(path, json.dumps(dict(secrets), indent=2))
            else:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _lock(self, deployment_id: str, reason: str) -> Iterator[None]:
        path = self.folder(deployment_id) / LOCK
        with contextlib.ExitStack() as stack:
            with files.translated(path, f"Locking {deployment_id}: {reason}"):
                stack.enter_context(lock.held(path, deployment_id, reason))
            yield

    def _ids(self) -> Iterable[str]:
        with files.translated(self._deployments, "Listing the deployments"):
            if not self._deployments.is_dir():
                return []
            return [path.name for path in self._deployments.iterdir() if (path / STATE).is_file()]

    def _history(self, deployment_id: str) -> History:
        path = self._deployments / deployment_id / LOGS
        return self._histories.setdefault(deployment_id, History(path))

    def _path(self, deployment_id: str, context: str) -> Path:
        if not _ID.fullmatch(deployment_id):
            raise StateError(
                f"{deployment_id!r} is not a deployment's id (lower case letters, digits and hyphens)",
                "Take an id from `autodeploy list`.",
                context=context,
            )
        return self._deployments / deployment_id

    def _unknown(self, deployment_id: str, context: str) -> StateError:
        known = sorted(self._ids())
        near = [name for name in known if deployment_id in name]
        near += [name for name in difflib.get_close_matches(deployment_id, known, 5) if name not in near]
        hint = f"Did you mean {', '.join(near[:5])}? " if near else ""
        return StateError(
            f"there is no deployment {deployment_id!r} under {self.home}",
            f"{hint}`autodeploy list` shows all of them.",
            context=context,
        )


def _read(path: Path) -> str:
    """Return a file's text as it stands, undecodable bytes replaced; "" when there is none."""
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _validated(path: Path, text: bytes, context: str) -> DeploymentState:
    try:
        return _still_approved(DeploymentState.model_validate_json(text), text)
    except ValidationError as err:
        first = err.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        previous = path.with_name(PREVIOUS)
        restore = f"`cp {previous} {path}` takes back the ledger before it. " if previous.is_file() else ""
        raise StateError(
            f"{path} is damaged, or another version of AutoDeploy wrote it ({where}: {first['msg']})",
            f"{restore}The file was left as it is, and nothing in the account was touched.",
            context=context,
        ) from err


def _still_approved(state: DeploymentState, text: bytes) -> DeploymentState:
    """Let an approval hold for the plan that it was given for, where an older version wrote the plan in other words."""
    if state.approval is None or state.plan is None:
        return state
    written = json.dumps(json.loads(text)["plan"]["infra"], separators=(",", ":"), ensure_ascii=False)
    if state.approval.infra != hashlib.sha256(written.encode()).hexdigest():
        return state
    return state.but(approval=state.approval.but(infra=state.plan.infra.digest()))
