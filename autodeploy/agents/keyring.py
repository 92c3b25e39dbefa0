"""What a deployment logs in and proves itself with: its SSH key, its certificate, its database's password.

Each is made once, kept in the deployment's folder or among its secrets, and found there again by every later run.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from autodeploy.agents.outputs import DATABASE_PASSWORD
from autodeploy.model import CloudFacts
from autodeploy.ports import Clock, Store

CERTIFICATE_KEY = "certificateKey"
AUTHORITY_KEY = "authorityKey"


class Certificate(NamedTuple):
    """A leaf with its key, and the authority that signed it with its own, all PEM; "" is what was not kept."""

    leaf: str
    key: str
    authority: str
    authority_key: str = ""


Certify = Callable[[str, CloudFacts, str | None, Certificate, datetime], Certificate]
"""Takes the id, the facts, the domain, what is kept and the time; returns what is kept while it is good, else a renewed
leaf."""


class Keyring:
    """The keys of all deployments of one home. `new_key` returns a private and a public SSH key."""

    def __init__(self, store: Store, clock: Clock, new_key: Callable[[], tuple[str, str]], certify: Certify) -> None:
        self._store = store
        self._clock = clock
        self._new_key = new_key
        self._certify = certify

    def private_key(self, deployment_id: str) -> Path:
        """Return the file of the SSH key."""
        return self._store.folder(deployment_id) / "id_ed25519"

    def public_key(self, deployment_id: str) -> str:
        """Return the SSH key's public half; a pair is made where there is none."""
        path = self.private_key(deployment_id)
        public = path.with_suffix(".pub")
        if not (_text(path) and _text(public)):  # the private key is written last: where it stands, so does the other
            pair = self._new_key()
            self._store.write(deployment_id, public.name, f"{pair[1]}\n")
            self._store.write(deployment_id, path.name, pair[0])
        return _text(public).strip()

    def certificate(self, deployment_id: str, facts: CloudFacts, domain: str | None) -> Certificate:
        """Return the certificate; it is made or renewed where that is due."""
        folder, secrets_ = self._store.folder(deployment_id), self._store.secrets(deployment_id)
        kept = Certificate(
            self.leaf(deployment_id),
            secrets_.get(CERTIFICATE_KEY, ""),
            _text(folder / "ca.pem"),
            secrets_.get(AUTHORITY_KEY, ""),
        )
        made = self._certify(deployment_id, facts, domain, kept, self._clock.now())
        if made != kept:
            # The leaf last: a run that ends before it finds the old one, which is due, and renews it again.
            self._store.write(deployment_id, "ca.pem", made.authority)
            self._keep(deployment_id, **{CERTIFICATE_KEY: made.key, AUTHORITY_KEY: made.authority_key})
            self._store.write(deployment_id, "certificate.pem", made.leaf)
        return made

    def leaf(self, deployment_id: str) -> str:
        """Return the certificate that is kept, PEM; "" where there is none."""
        return _text(self._store.folder(deployment_id) / "certificate.pem")

    def make_database_password(self, deployment_id: str) -> None:
        """Make the password of the application's role, once."""
        if DATABASE_PASSWORD not in self._store.secrets(deployment_id):
            self._keep(deployment_id, **{DATABASE_PASSWORD: secrets.token_urlsafe(32)})

    def of_stack(self, deployment_id: str) -> dict[str, str]:
        """Return the secrets that the stack's program is told."""
        return {CERTIFICATE_KEY: self._store.secrets(deployment_id).get(CERTIFICATE_KEY, "")}

    def forget(self, deployment_id: str) -> None:
        """Delete all secrets and the SSH key; gone already counts as done."""
        self._store.save_secrets(deployment_id, {})
        for path in (self.private_key(deployment_id), self.private_key(deployment_id).with_suffix(".pub")):
            path.unlink(missing_ok=True)

    def _keep(self, deployment_id: str, **values: str) -> None:
        self._store.save_secrets(deployment_id, {**self._store.secrets(deployment_id), **values})


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""
