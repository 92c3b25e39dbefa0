"""Which variables hold a secret, by their names alone."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser.environment import settled
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable

SECRETS = (
    "STRIPE_SECRET_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "DB_PASSWORD",
    "GITHUB_TOKEN",
    "APIKEY",
    "SENTRY_DSN",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "MONGODB_URI",
)
OPEN = (
    "ACCESS_TOKEN_EXPIRE_MINUTES",
    "JWT_EXPIRES_IN",
    "TOKEN_TTL",
    "PASSWORD_MIN_LENGTH",
    "JWT_SECRET_FILE",
    "TOKEN_ALGORITHM",
    "API_KEY_HEADER",
    "STRIPE_PUBLISHABLE_KEY",
    "VAPID_PUBLIC_KEY",
    "FRONTEND_URL",
    "MONKEY",
)


@pytest.mark.parametrize(("name", "is_secret"), [*((n, True) for n in SECRETS), *((n, False) for n in OPEN)])
def test_a_name_tells_a_secret_from_what_is_said_about_it(name: str, is_secret: bool) -> None:
    read = EnvironmentVariable(name=name, file="app.py", line=1)
    assert [item.secret for item in settled(Tree(memory({})), [read], ())] == [is_secret]
