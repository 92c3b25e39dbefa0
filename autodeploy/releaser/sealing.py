"""A secret text in; the step that keeps it on the host, encrypted with the host's own key, out.

The text goes to systemd-creds on standard input; it is never on disk in clear. Beside it lies a keyed digest,
by which a later run sees whether it is the same text.
"""

from __future__ import annotations

import shlex

from autodeploy.model import Step


def sealing_step(name: str, why: str, path: str, credential: str, text: str, digest: str) -> Step:
    """Return the step that encrypts `text` into `path` under the credential's name. `digest` is its keyed digest."""
    target = shlex.quote(path)
    return Step(
        name=name,
        why=why,
        observe=f"{decryption(path, credential)} >/dev/null && cat {target}.digest",
        want=digest,
        fix=(
            f"set -e; umask 077; mkdir -p -m 0755 {shlex.quote(path.rpartition('/')[0])}; rm -f {target}.digest\n"
            f"systemd-creds encrypt --with-key=host --name={credential} - {target}.new\n"
            f"mv -f {target}.new {target}; echo {digest} >{target}.digest\n"
        ),
        stdin=text,
    )


def identifier(name: str) -> str:
    """Return the name, which stands in SQL between quotes; raise ValueError when it is not a plain one."""
    if not name.replace("_", "").isalnum():
        raise ValueError(f"not a plain identifier: {name!r}")
    return name


def decryption(path: str, credential: str) -> str:
    """Return the command that prints the text, as root."""
    return f"systemd-creds decrypt --name={credential} {shlex.quote(path)} -"
