"""Committed secrets are found by file and line, their values go nowhere, and what only looks like one is left alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.analyser.leaks import MAX_FOUND, find_leaks
from autodeploy.analyser.tree import Tree

RANDOM = "q7Rk2mZx9LwT4vBn8YcJ"
AWS_KEY = f"AKIA{'Q3EGRIPXWT5KJ2MV'}"
AWS_SECRET = "x9Jq2LmZk4Tr7Yw1Vb5Nc8Hd3Gf6Sa0PeUiOlKjM"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEowIBAAKCAQEA' * 4}\n-----END RSA PRIVATE KEY-----\n"
DJANGO = "2^f+3@v7$v1f8yt0!s)3-1t$)tlp+xm17=*g))_xoi&&9m#2a&"


def found(**files: str) -> list[tuple[str, int, str]]:
    texts = {name.replace("__", "."): text for name, text in files.items()}
    return [(item.file, item.line, item.value) for item in find_leaks(Tree(memory(texts)))]


def kinds(path: str, text: str) -> list[str]:
    return [item.value for item in find_leaks(Tree(memory({path: text})))]


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("config.py", f"\n\nKEY = '{AWS_KEY}'\n", "AWS Access Key"),
        ("deploy.sh", f"\n\nexport AWS_ACCESS_KEY_ID={AWS_KEY}\n", "AWS Access Key"),
        ("config.js", f"\n\nconst awsSecretKey = '{AWS_SECRET}';\n", "AWS Access Key"),
        ("certs/server.key", f"\n\n{PEM}", "Private Key"),
        ("keys.json", '\n\n{"key": "' + PEM.replace("\n", "\\n") + '"}\n', "Private Key"),
        ("main.go", f'\n\nconst token = "ghp_{"a1B2c3D4e5F6" * 3}"\n', "GitHub Token"),
        (".npmrc", "\n\n//registry.example.com/:_authToken=0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n", "NPM tokens"),
        ("pay.ts", "\n\nconst stripe = new Stripe('sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc');\n", "Stripe Access Key"),
        ("db.py", f"\n\nURL = 'postgres://shop:{RANDOM}@db.shop-prod.net/shop'\n", "Basic Auth Credentials"),
        ("settings.py", f"\n\nSECRET_KEY = '{DJANGO}'\n", "Secret Keyword"),
        ("config/default.json", f'\n\n"secret": "{RANDOM}"\n', "Secret Keyword"),
        (".env", f"\n\nSTRIPE_SECRET_KEY={RANDOM}\n", "value of STRIPE_SECRET_KEY"),
        ("backend/.env.production", "\n\nexport DB_PASSWORD='Tr0ub4dor&3x'\n", "value of DB_PASSWORD"),
        (".env", f"\n\nDATABASE_URL=postgres://shop:{RANDOM}@db.shop-prod.net/shop\n", "Basic Auth Credentials"),
        (".env", f"\n\nAWS_ACCESS_KEY_ID={AWS_KEY}\n", "AWS Access Key"),
        ("app.env", f"\n\nMAIL_TOKEN = {RANDOM}\n", "value of MAIL_TOKEN"),
    ],
)
def test_what_is_one(path: str, text: str, kind: str) -> None:
    first = find_leaks(Tree(memory({path: text})))
    assert [(item.file, item.line, item.value) for item in first] == [(path, 3, kind)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config.py", "KEY = 'AKIAIOSFODNN7EXAMPLE'\n"),
        ("config.py", "SECRET_KEY = os.environ['SECRET_KEY']\n"),
        ("config.py", f"SECRET_KEY = os.environ.get('SECRET_KEY', '{DJANGO}')\n"),
        ("config.py", "SECRET_KEY = 'change-me-to-something-secret-1'\n"),
        ("config.py", "PASSWORD_HASHERS = 'django.contrib.auth.hashers.Argon2PasswordHasher'\n"),
        ("config.py", "password_reset_url = '/accounts/password/reset/confirm/12'\n"),
        ("config.py", "DB_PASSWORD = 'clean_architecture_go_v2_service'\n"),
        ("check.py", "if '-----BEGIN RSA PRIVATE KEY-----' in text: ...\n"),
        ("certs/server.pem", f"-----BEGIN CERTIFICATE-----\n{'MIIEowIBAAKCAQEA' * 4}\n"),
        ("db.py", "URL = 'postgres://postgres:postgres@localhost:5432/app'\n"),
        ("db.py", f"URL = 'postgres://app:{RANDOM}@db:5432/app'\n"),
        ("db.py", f"URL = 'postgres://app:{RANDOM}@127.0.0.1:5432/app'\n"),
        ("db.py", "URL = 'postgres://user:password@db.example.com/app'\n"),
        ("db.py", "URL = f'postgres://{user}:{password}@db.shop.net/app'\n"),
        ("docker-compose.yml", "POSTGRES_PASSWORD: postgres\nURL: redis://:secret@redis:6379\n"),
        (".env", "SECRET_KEY=changeme\nDB_PASSWORD=postgres\nAPI_KEY=your-api-key-here\nTOKEN=\n"),
        (".env", "PASSWORD=${DB_PASSWORD}\nSECRET=<your secret>\nJWT_SECRET=mysupersecretkey\nTOKEN_EXPIRY=3600\n"),
        (".env", f"STRIPE_PUBLISHABLE_KEY={RANDOM}\nGOOGLE_CLIENT_ID={RANDOM}\nKEY_PATH=/etc/keys/server.key\n"),
        (".env.example", f"SECRET_KEY={RANDOM}\n"),
        (".env.test", f"SECRET_KEY={RANDOM}\n"),
        ("tests/settings.py", f"SECRET_KEY = '{DJANGO}'\n"),
        ("app/test_keys.py", PEM),
        ("src/auth.spec.ts", f"const secret = '{RANDOM}{RANDOM}'\n"),
        ("package-lock.json", f'"secret": "{RANDOM}{RANDOM}"\n'),
        ("README.md", f"SECRET_KEY={RANDOM}\n{PEM}"),
        ("logo.svg", f"<a href='https://me:{RANDOM}@shop.net/'/>"),
        ("i.py", f"İ = 1\nsecret = '{RANDOM}'\n"),
    ],
)
def test_what_is_none(path: str, text: str) -> None:
    assert kinds(path, text) == []


def test_a_file_that_is_one_long_line_is_left_alone() -> None:
    assert kinds("bundle.js", f"x = '{AWS_KEY}';" + "y;" * 200_000) == []


def test_there_is_an_end_to_it() -> None:
    text = "\n".join(f"A{number}_SECRET={RANDOM}{number}" for number in range(100))
    assert len(kinds(".env", text)) == MAX_FOUND


def test_a_line_counts_once() -> None:
    assert kinds(".env", f"AWS_SECRET_ACCESS_KEY='{AWS_SECRET}' # {AWS_KEY}\n") == ["AWS Access Key"]


class TestTheAnalysis:
    FILES = {
        "requirements.txt": "flask==3.0.0\n",
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
        "settings.py": f"SECRET_KEY = '{DJANGO}'\n",
        ".env": f"STRIPE_SECRET_KEY={RANDOM}\n",
    }

    def test_names_them_and_never_shows_a_value(self) -> None:
        stack = analyse(memory(self.FILES))
        assert [item.file for item in stack.evidence if item.fact == "committed_secret"] == [".env", "settings.py"]
        assert any("settings.py:1" in warning for warning in stack.warnings)
        assert RANDOM not in stack.to_json() and DJANGO not in stack.to_json()

    def test_sees_those_beside_the_application(self) -> None:
        files = {f"backend/{path}": text for path, text in self.FILES.items()} | {"deploy/id_rsa": PEM}
        told = [item.file for item in analyse(memory(files)).evidence if item.fact == "committed_secret"]
        assert "deploy/id_rsa" in told and "backend/.env" in told


def test_the_detectors_are_loaded_only_where_something_looks_like_one() -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom autodeploy.model import Source\nfrom autodeploy.analyser.tree import Tree\n"
        "from autodeploy.analyser.leaks import find_leaks\n"
        "find_leaks(Tree(Source('', '', Path('autodeploy'), ('errors.py', 'settings.py'))))\n"
        "print('requests' in sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert shown.stdout == "False\n"
