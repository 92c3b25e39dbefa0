"""Why an application did not boot, read from its own words: what each ecosystem says, as data."""

from __future__ import annotations

import pytest

from autodeploy.adapters.build.causes import joined, likely_cause, missing_variables


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("  File os.py, line 679\nKeyError: 'STRIPE_KEY'", ["STRIPE_KEY"]),
        ("decouple.UndefinedValueError: API_TOKEN not found. Declare it as envvar or define a default value.", ["API_TOKEN"]),
        ('environs.exceptions.EnvError: Environment variable "MAIL_HOST" not set', ["MAIL_HOST"]),
        ("ImproperlyConfigured: Set the SECRET_KEY environment variable", ["SECRET_KEY"]),
        (
            "pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings\n"
            "database_url\n  Field required [type=missing, input_value={}, input_type=dict]\n"
            "API_KEY\n  Field required [type=missing, input_value={}, input_type=dict]",
            ["DATABASE_URL", "API_KEY"],
        ),
        ("ValidationError: 1 validation error for Settings\nredis_url\n  field required (type=value_error.missing)", ["REDIS_URL"]),
        (
            "================================\n Missing environment variables:\n    MAPS_KEY: your key (eg. \"x\")\n"
            "    TOKEN: undefined\n================================",
            ["MAPS_KEY", "TOKEN"],
        ),
        ("error: Environment variable not found: DIRECT_URL.", ["DIRECT_URL"]),
        ('Error: Config validation error: "JWT_SECRET" is required. "JWT_EXPIRY" is required', ["JWT_SECRET", "JWT_EXPIRY"]),
        (
            'ZodError: [\n  {\n    "code": "invalid_type",\n    "expected": "string",\n    "received": "undefined",\n'
            '    "path": [\n      "SESSION_SECRET"\n    ],\n    "message": "Required"\n  }\n]',
            ["SESSION_SECRET"],
        ),
        ("❌ Invalid environment variables: {\n  NEXTAUTH_URL: [ 'Required' ]\n}", ["NEXTAUTH_URL"]),
        ("panic: required key APP_SECRET missing value", ["APP_SECRET"]),
        ('env: required environment variable "SMTP_HOST" is not set', ["SMTP_HOST"]),
        ("2026/01/01 log.Fatal: DISCORD_TOKEN must be set", ["DISCORD_TOKEN"]),
        ("Error: Missing required environment variable: S3_BUCKET", ["S3_BUCKET"]),
        ("Error: missing environment variable GITHUB_TOKEN", ["GITHUB_TOKEN"]),
        ("ValueError: OPENAI_API_KEY environment variable is not set", ["OPENAI_API_KEY"]),
        ("No OPENAI_API_KEY environment variable found", ["OPENAI_API_KEY"]),
        ("KeyError: 'name'\nTypeError: data is required\nError: the id is required", []),
        ("KeyError: 'GIVEN'", []),
    ],
)  # fmt: skip
def test_a_missing_variable_is_named(said: str, names: list[str]) -> None:
    assert list(missing_variables(said, {"GIVEN"})) == names


@pytest.mark.parametrize(
    ("said", "what", "remedy"),
    [
        ("ModuleNotFoundError: No module named 'PIL'", "module PIL is not installed", "dependencies"),
        ("Error: Cannot find module 'ts-node/register'\nRequire stack:", "ts-node/register is missing", "devDependencies"),
        ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'dotenv' imported from /app/src/a.js", "dotenv", "devDependencies"),
        ("OSError: [Errno 30] Read-only file system: 'uploads'", "may not", "/var/lib/app"),
        ("Error: EACCES: permission denied, mkdir '/app/src/tmp'", "may not", "/var/lib/app"),
        ("sqlite3.OperationalError: unable to open database file", "may not", "/var/lib/app"),
        ("Error: listen EACCES: permission denied 0.0.0.0:80", "below 1024", "$PORT"),
        ("listen tcp :80: bind: permission denied", "below 1024", "$PORT"),
        ("Error: listen EADDRINUSE: address already in use :::3000", "taken", "$PORT"),
        ("[Errno 98] Address already in use", "taken", "$PORT"),
        ("FATAL ERROR: JavaScript heap out of memory", "out of memory", "--instance-type"),
        ("Killed", "out of memory", "--instance-type"),
        ('error: no pg_hba.conf entry for host "127.0.0.1", no encryption', "TLS", "ssl: true"),
        ("f-string: expecting '}'\nSyntaxError", "version of Python", "--runtime-version"),
        ("Error [ERR_REQUIRE_ESM]: require() of ES Module", "version of Node.js", "--runtime-version"),
        ("ReferenceError: fetch is not defined", "version of Node.js", "--runtime-version"),
        ("  File \"a.py\", line 3\n    print 1\nSyntaxError: Missing parentheses", "cannot be read", "line it names"),
        ("/app/src/a.js:1\nSyntaxError: Cannot use import statement outside a module", "cannot be read", "--runtime-version"),
        ("ImportError: libGL.so.1: cannot open shared object file: No such file", "libGL.so is missing", "--run-packages libgl1"),
        ("OSError: cannot load library 'libpango-1.0-0': libpango-1.0-0", "libpango", "libpangocairo"),
        ("ImportError: libfoo.so.3: cannot open shared object file", "libfoo.so is missing", "--run-packages NAME"),
        ("libssl.so.1.1: cannot open shared object file", "old library", "newer versions"),
        ("/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found", "another system", "commit no binary"),
        ("sh: 1: ffmpeg: not found", "program ffmpeg", "--run-packages ffmpeg"),
        ("sh: 1: nodemon: not found", "program nodemon", "production dependencies"),
        ("Error: spawn convert ENOENT", "program convert", "imagemagick"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'pdftotext'", "pdftotext", "poppler-utils"),
        ('exec: "git": executable file not found in $PATH', "program git", "--run-packages git"),
        ("Error: Cannot find module '/app/src/dist/main.js'", "/app/src/dist/main.js", "build"),
        ("python: can't open file '/app/src/bot.py': [Errno 2]", "/app/src/bot.py", "--start-command"),
        ('Error loading ASGI app. Could not import module "main".', "application object", "--app"),
        ("Failed to find attribute 'app' in 'app'.", "application object", "--app"),
        ("npm error Missing script: \"start\"", "no script named start", "--start-command"),
        ('psycopg2.errors.UndefinedTable: relation "users" does not exist', "tables", "--migration-command"),
        ("Error: connect ECONNREFUSED 127.0.0.1:6379", "Redis", "REDIS_URL"),
        ("dial tcp 127.0.0.1:5672: connect: connection refused", "a service", "--env"),
        ("Error: getaddrinfo ENOTFOUND api.example.org", "another machine", "connect when"),
        ("Exec format error", "another kind of processor", "x86-64"),
    ],
)  # fmt: skip
def test_the_likely_cause_is_told(said: str, what: str, remedy: str) -> None:
    cause = likely_cause(said, tls=", for example ssl: true")
    assert cause is not None
    assert what in cause.what
    assert remedy in cause.remedy


def test_words_that_say_nothing_have_no_cause() -> None:
    assert likely_cause("Listening on 3000") is None
    killed = likely_cause("Listening on 3000", killed=True)
    assert killed is not None and "memory" in killed.what


def test_colours_are_left_out() -> None:
    assert joined(["\x1b[31mred\x1b[0m", "plain"]) == "red\nplain"
