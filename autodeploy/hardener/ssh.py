"""sshd lets in keys alone, with strong algorithms. Two drop-ins, taken back when they lock us out."""

from __future__ import annotations

from autodeploy.model import Step, Upload
from autodeploy.templating import render

ACCESS_PATH = "/etc/ssh/sshd_config.d/00-autodeploy-access.conf"
"""00, because sshd takes the first value it meets and cloud-init writes 50-cloud-init.conf."""

CRYPTO_PATH = "/etc/ssh/sshd_config.d/01-autodeploy-crypto.conf"
UNDO_SECONDS = 60


def steps() -> tuple[Step, ...]:
    """Return the two controls of sshd."""
    return (
        _drop_in(
            "ssh-keys-only",
            "let only keys in over SSH, and never root",
            ACCESS_PATH,
            render("harden/sshd-access.conf.j2"),
            weight=20,
            reference="CIS Debian Linux 12 Benchmark 5.1 (Configure SSH Server)",
        ),
        _drop_in(
            "ssh-algorithms",
            "admit only strong algorithms over SSH",
            CRYPTO_PATH,
            render("harden/sshd-crypto.conf.j2"),
            weight=10,
            reference="https://www.ssh-audit.com/hardening_guides.html",
        ),
    )


def _drop_in(name: str, why: str, path: str, text: str, *, weight: int, reference: str) -> Step:
    unit = f"autodeploy-undo-{name}"
    keywords = sorted(line.split()[0].lower() for line in text.splitlines())
    # sshd -T prints what holds in the end, whatever other files say. The timer first: once nothing is left that
    # undoes it, what is seen will stay.
    effective = f"mkdir -p /run/sshd; sshd -T | grep -E '^({'|'.join(keywords)}) ' | LC_ALL=C sort"
    wanted = sorted(_effective(line) for line in text.splitlines())
    return Step(
        name=name,
        why=why,
        observe=f"systemctl is-active {unit}.timer {unit}.service; {effective}",
        want="\n".join(["inactive", "inactive", *wanted]),
        uploads=(Upload(path=path, content=text),),
        fix=render("harden/sshd-apply.sh.j2", path=path, undo_unit=unit, undo_seconds=UNDO_SECONDS),
        transaction=True,
        confirm=f"systemctl stop {unit}.timer",
        weight=weight,
        reference=reference,
    )


def _effective(line: str) -> str:
    keyword, value = line.split(maxsplit=1)
    return f"{keyword.lower()} {value}"
