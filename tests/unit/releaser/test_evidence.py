"""What a failed host is asked, and that no secret comes out of it."""

from __future__ import annotations

import subprocess

import pytest

from autodeploy.releaser import EVIDENCE, without_secrets

SECRETS = {
    "database-password": "p@ss/w'ord",
    "env:API_KEY": "k-123456",
    "env:PIN": "42",
    "certificateKey": "-----BEGIN PRIVATE KEY-----\nMIIabc\nMIIdef\n-----END PRIVATE KEY-----\n",
}


def test_it_asks_for_all_that_explains_a_failure() -> None:
    asked = "\n".join(EVIDENCE.values())
    for word in ("journalctl", "systemctl", "ss -tulpn", "cloud-init", "/var/log/app", "nginx -T", "error.log", "ufw"):
        assert word in asked


@pytest.mark.parametrize("name", EVIDENCE)
def test_every_question_is_a_shell_script(name: str) -> None:
    assert subprocess.run(["sh", "-n", "-c", EVIDENCE[name]], capture_output=True, check=False).returncode == 0
    assert "/" not in name


@pytest.mark.parametrize(
    "text",
    [
        "the password is p@ss/w'ord.",
        "postgresql://app:p%40ss%2Fw%27ord@10.0.2.9:5432/app",
        "https://someone:a-password-of-nobody-s@example.org/",
        'API_KEY="k-123456"',
        "started with k-123456 as its key",
        "PIN=42",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nMIIabc\n-----END OPENSSH PRIVATE KEY-----",
        "cut off: -----BEGIN RSA PRIVATE KEY-----\nMIIghi",
        "a line of it: MIIdef",
    ],
)
def test_no_secret_stays(text: str) -> None:
    shown = without_secrets(f"before\n{text}\nafter" if "cut off" not in text else text, SECRETS)
    assert "<secret>" in shown
    for secret in ("p@ss", "p%40ss", "a-password-of", "k-123456", "=42", "MIIabc", "MIIdef", "MIIghi"):
        assert secret not in shown
    assert "cut off" in text or (shown.startswith("before\n") and shown.endswith("\nafter"))


def test_what_is_no_secret_stays() -> None:
    text = "42 requests from 10.0.0.1:443 to https://example.org/a@b in 3 s; PIN is not set; PINS=7"
    assert without_secrets(text, SECRETS) == text
