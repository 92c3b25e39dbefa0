"""What detect-secrets says of a line, a literal or a setting: the kind of secret, "" for none. Asks no network."""

from __future__ import annotations

import re
from functools import cache

from detect_secrets.filters import heuristic
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString
from detect_secrets.plugins.keyword import KeywordDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector

SHORTEST = 8
LEAST_ENTROPY = 3.5
"""Bits a character; words of a language have fewer."""

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:SECRET|PASSWORD|PASSWD|PWD|PASS|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|AUTH_?KEY|CREDENTIALS?|SALT)(?:_|$)"
    r"|(?:SECRET|PASSWORD|APIKEY)|^[A-Z_]*_KEY$"
)
_PUBLIC_NAME = re.compile(r"PUBLIC|PUBLISHABLE|_ID$|_URL$|_PATH$|_FILE$|_NAME$|EXPIR|LIFETIME|LENGTH|ALGORITHM|HEADER")
_PIECE = r"(?:(?:[A-Z]?[a-z]{2,}\d{0,3})+|[a-z]\d{0,3}|\d{1,4})"
_NAME_OF_SOMETHING = re.compile(rf"{_PIECE}(?:[_. -]{_PIECE})+")
"""As names are written: `django.contrib.auth.hashers`, `my_service_v2`."""

_PLAIN_WORDS = re.compile(
    r"change|replace|your|our|my|the|example|placeholder|todo|dummy|test|secret|password|passwd|pass|admin|root|user"
    r"|postgres(?:ql)?|mysql|mariadb|redis|mongo(?:db)?|local|host|dev(?:elopment)?|prod(?:uction)?|guest|default|none"
    r"|null|true|false|sample|foo|bar|baz|insert|put|here|keys?|token|app|api|super|very|strong|long|random|string|value"
    r"|generate|unsafe|insecure|demo|fake|some|enter|set|this|with|and|for|please|django|flask|jwt|session|cookie|auth"
    r"|private|public|access|client|server|database|db|qwerty|letmein|hello|world|abcdefg?h?|x{3,}"
)


@cache
def _detectors() -> tuple[BasePlugin, ...]:
    # The last is the least: an address with a password may be of any kind.
    kinds = (
        AWSKeyDetector,
        AzureStorageKeyDetector,
        GitHubTokenDetector,
        GitLabTokenDetector,
        NpmDetector,
        OpenAIDetector,
        PrivateKeyDetector,
        PypiTokenDetector,
        SendGridDetector,
        SlackDetector,
        SquareOAuthDetector,
        StripeDetector,
        BasicAuthDetector,
    )
    return tuple(kind() for kind in kinds)


def kind_of_line(line: str) -> str:
    """Return the kind of the first secret in a line."""
    for detector in _detectors():
        for value in detector.analyze_string(line):
            is_login = isinstance(detector, BasicAuthDetector)
            if "EXAMPLE" in value.upper() or (is_login and not (is_real(value) and _leads_out(line))):
                continue
            return detector.secret_type
    return ""


def kind_of_literal(line: str, value: str) -> str:
    """Return the kind of a quoted value that a secret's name is given in code."""
    detector = KeywordDetector()
    if heuristic.is_indirect_reference(line) or value not in detector.analyze_string(line):
        return ""
    is_mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    entropy = Base64HighEntropyString().calculate_shannon_entropy(value)
    return detector.secret_type if is_mixed and entropy >= LEAST_ENTROPY and is_real(value) else ""


def kind_of_setting(name: str, value: str) -> str:
    """Return what an environment file's line gives away."""
    if kind := kind_of_line(f"{name}='{value}'"):
        return kind
    is_secret = _SECRET_NAME.search(name.upper()) and not _PUBLIC_NAME.search(name.upper())
    return f"value of {name}" if is_secret and is_real(value) else ""


def is_real(value: str) -> bool:
    """Tell whether a value is more than a placeholder, a reference, or the words that stand for one."""
    refers = heuristic.is_templated_secret(value) or heuristic.is_prefixed_with_dollar_sign(value)
    if len(value) < SHORTEST or refers or heuristic.is_not_alphanumeric_string(value):
        return False
    if heuristic.is_sequential_string(value) or re.match(r"/|\./|https?://|\d+[smhd]?$", value):
        return False
    if _NAME_OF_SOMETHING.fullmatch(value):
        return False
    left = _PLAIN_WORDS.sub("", value.lower())
    return len(re.sub(r"[^a-z]", "", left)) >= 3 and len(set(value)) > 4


def _leads_out(line: str) -> bool:
    """Tell whether an address with a password is of a machine that others reach."""
    host = re.search(r"://[^\s]*@([\w.-]+)", line)
    return bool(host) and not re.search(
        r"(^|\.)(localhost|local|internal|example\.\w+|test|invalid|docker)$|^\d+\.\d+\.\d+\.\d+$|^(host|hostname|server)\.",
        host[1] if host else "",
    )
