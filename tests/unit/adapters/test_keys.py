"""SSH keys as their readers see them, and the system's clock."""

from __future__ import annotations

import io
from datetime import timedelta

import paramiko

from autodeploy.adapters import keys
from autodeploy.adapters.clock import SystemClock


def test_paramiko_reads_the_private_key_and_it_belongs_to_the_public_line() -> None:
    private, public = keys.generate("guestbook")
    assert private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    kind, body, comment = public.split(" ")
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(private))
    assert (kind, body, comment) == ("ssh-ed25519", key.get_base64(), "guestbook")


def test_no_two_are_the_same() -> None:
    assert keys.generate() != keys.generate()


def test_the_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)
    assert before.utcoffset() == timedelta(0)
    assert clock.now() - before >= timedelta(seconds=0.01)
