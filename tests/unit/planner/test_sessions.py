"""What installs a package of AWS's own: for real with gpg, on a machine whose curl, apt-get and systemctl are written down."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from autodeploy.planner.sessions import SIGNED_BY, agent_script, check_key
from autodeploy.templating import render

URL = "https://bucket.example/agent.deb"
STANDS_IN = {
    "curl": """for word; do last=$word; done
while [ "$1" != --output ]; do shift; done
cp "$BUCKET/${last##*/}" "$2"
""",
    "apt-get": 'for word; do last=$word; done; cp "$last" "$BUCKET/installed"\n',
    "systemctl": 'echo "$@" >"$BUCKET/started"\n',
}


def gpg(home: Path, *arguments: str, stdin: str = "") -> str:
    command = ["gpg", "--homedir", str(home), "--batch", "--yes", *arguments]
    return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True).stdout


class Signer:
    """One key, made with a hash and an end as AWS's own has them."""

    def __init__(self, home: Path, ends: str) -> None:
        home.mkdir(mode=0o700)
        self.home = home
        made = ("%no-protection", "Key-Type: RSA", "Key-Length: 2048", "Name-Real: Agent", f"Expire-Date: {ends}")
        began = ("--faked-system-time", "20200101T000000") if ends != "0" else ()
        gpg(home, *began, "--cert-digest-algo", "SHA1", "--gen-key", stdin="\n".join([*made, "%commit", ""]))
        self.public = gpg(home, "--armor", "--export")
        listed = gpg(home, "--with-colons", "--list-keys").splitlines()
        self.fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
        self._began = began

    def sign(self, file: Path) -> None:
        gpg(self.home, *self._began, "--output", f"{file}.sig", "--detach-sign", str(file))

    def end(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False)


@pytest.fixture(scope="module", params=["0", "2020-02-01"], ids=["a key in its time", "a key that has ended"])
def signer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    made = Signer(tmp_path_factory.mktemp("signer") / "ring", request.param)
    request.addfinalizer(made.end)
    return made


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    (tmp_path / "agent.deb").write_text("a package")
    for name, script in STANDS_IN.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def install(bucket: Path, fingerprint: str, **key: str) -> subprocess.CompletedProcess[str]:
    given = {"key": "", "key_url": "", **key}
    script = render("host/signed-package.sh.j2", package="agent", url=URL, fingerprint=fingerprint, **given)
    environment = {"PATH": f"{bucket}:{os.environ['PATH']}", "BUCKET": str(bucket), "TMPDIR": str(bucket)}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)


def test_what_is_signed_is_installed_and_started(signer: Signer, bucket: Path) -> None:
    signer.sign(bucket / "agent.deb")
    done = install(bucket, signer.fingerprint, key=signer.public)
    assert done.returncode == 0, done.stderr
    assert (bucket / "installed").read_text() == "a package"
    assert (bucket / "started").read_text() == "enable --now --quiet agent\n"
    assert not list(bucket.glob("tmp.*")), "nothing is left behind"


@pytest.mark.parametrize("form", ["armoured", "with a header and the other end of lines", "binary"])
def test_the_key_may_come_from_the_bucket_too(signer: Signer, bucket: Path, form: str) -> None:
    signer.sign(bucket / "agent.deb")
    (bucket / "agent.gpg").write_text(signer.public)
    if form == "binary":
        gpg(signer.home, "--output", str(bucket / "agent.gpg"), "--export")
    elif form != "armoured":
        first, rest = signer.public.split("\n", 1)
        (bucket / "agent.gpg").write_text(f"{first}\nVersion: GnuPG v2\n{rest}".replace("\n", "\r\n"), newline="")
    assert install(bucket, signer.fingerprint, key_url="https://bucket.example/agent.gpg").returncode == 0
    assert (bucket / "installed").exists()


def test_a_package_that_was_changed_is_not(signer: Signer, bucket: Path) -> None:
    signer.sign(bucket / "agent.deb")
    (bucket / "agent.deb").write_text("another package")
    done = install(bucket, signer.fingerprint, key=signer.public)
    assert done.returncode != 0
    assert f"agent is not signed by {signer.fingerprint}" in done.stderr and "BAD signature" in done.stderr
    assert not (bucket / "installed").exists() and not (bucket / "started").exists()


def test_a_key_of_another_fingerprint_is_not_believed(signer: Signer, bucket: Path) -> None:
    signer.sign(bucket / "agent.deb")
    (bucket / "agent.gpg").write_text(signer.public)
    done = install(bucket, SIGNED_BY, key_url="https://bucket.example/agent.gpg")
    assert done.returncode != 0
    assert not (bucket / "installed").exists()


@pytest.mark.parametrize("missing", ["agent.deb", "agent.deb.sig"])
def test_what_cannot_be_fetched_installs_nothing(signer: Signer, bucket: Path, missing: str) -> None:
    signer.sign(bucket / "agent.deb")
    (bucket / missing).unlink()
    assert install(bucket, signer.fingerprint, key=signer.public).returncode != 0
    assert not (bucket / "installed").exists()


def test_the_key_of_the_session_agent_is_the_one_that_is_pinned(tmp_path: Path) -> None:
    key = render("host/amazon-ssm-agent.asc")
    (tmp_path / "ring").mkdir(mode=0o700)
    listed = gpg(tmp_path / "ring", "--show-keys", "--with-colons", stdin=key).splitlines()
    assert [line.split(":")[9] for line in listed if line.startswith("fpr")] == [SIGNED_BY]
    ends = next(line.split(":")[6] for line in listed if line.startswith("pub"))
    assert date.fromtimestamp(int(ends)) == date(2027, 11, 25)
    assert key in agent_script("us-east-1")


def test_until_when_aws_signs_with_it() -> None:
    assert not check_key(date(2027, 11, 25)).warning
    later = check_key(date(2027, 11, 26))
    assert "ended on 2027-11-25" in later.warning and not later.problem
    assert "--access ssh" in later.remedy
