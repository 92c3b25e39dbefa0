"""No tree of files, however broken, ends the analysis otherwise than with a TechStack or an AnalysisError."""

from __future__ import annotations

import json

from fixtures.sources import memory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import TechStack
from autodeploy.model.source import decoded

CONTENTS: dict[str, str] = {
    "package.json": '{"name": "x", "main": "index.js", "workspaces": ["packages/*"], "engines": {"node": ">=18 <21"}, '
    '"packageManager": "pnpm@9.1.0", "scripts": {"start": "node index.js", "build": "tsc"}, '
    '"dependencies": {"express": "^4", "pg": "8", "prisma": "5"}, "devDependencies": {"typescript": "5"}}',
    "pnpm-workspace.yaml": "packages:\n  - 'apps/*'\n",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {"name": "x"}}}',
    "yarn.lock": "# yarn lockfile v1\n",
    "nx.json": "{}",
    "tsconfig.json": '{"compilerOptions": {"outDir": "dist" /* x */}}',
    "index.js": "const app = require('express')()\napp.get('/health', (a, b) => b.send(process.env.X_Y || 'z'))\n"
    "app.listen(process.env.PORT ?? 3000)\n",
    "src/main.ts": "import { NestFactory } from '@nestjs/core'\n@Controller('x') class A { @Get() b() {} }\n",
    "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
    "requirements.txt": "flask==3.0 ; python_version > '3.8'\n-r requirements/base.txt\nhttps://x.org/y.whl\n",
    "requirements/base.txt": "psycopg2-binary\n",
    "pyproject.toml": '[project]\nname = "x"\nrequires-python = ">=3.11"\ndependencies = ["fastapi", "uvicorn"]\n',
    "Pipfile": '[packages]\ndjango = "*"\n[requires]\npython_version = "3.11"\n',
    "Pipfile.lock": '{"default": {"django": {"version": "==5"}}}',
    "poetry.lock": '[[package]]\nname = "x"\nversion = "1"\n',
    "uv.lock": "version = 1\n",
    "setup.py": "from setuptools import setup\nsetup(name='x', install_requires=['flask'])\n",
    "app.py": "from flask import Flask\nimport os\napp = Flask(__name__)\n@app.get('/health')\ndef h(): return os.environ['A']\n",
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
    "shop/settings.py": "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\nWSGI_APPLICATION = 'a.b'\n",
    "go.mod": "module x\n\ngo 1.22\ntoolchain go1.22.3\nrequire (\n\tgithub.com/gin-gonic/gin v1.9.0 // indirect\n)\n",
    "go.work": "go 1.22\nuse (\n\t./api\n)\n",
    "main.go": 'package main\n\nimport ("net/http"; "os")\n\nfunc main() { http.ListenAndServe(":"+os.Getenv("PORT"), nil) }\n',
    "vendor/modules.txt": "# x\n",
    "Gemfile": "gem 'rails'\n",
    "Cargo.toml": '[dependencies]\naxum = "1"\n',
    "pom.xml": "<project/>",
    "composer.json": '{"require": {}}',
    "x.csproj": "<Project/>",
    "mix.exs": "",
    "Procfile": "web: gunicorn app:app --bind 0.0.0.0:$PORT\nrelease: ./x\n",
    "Dockerfile": "FROM node:20 AS a\nWORKDIR /x\nENV PORT=80\nEXPOSE $PORT 8080/tcp\nCMD [\"node\", \"x\"]\n",
    "docker-compose.yml": "services:\n  db: &a\n    image: postgres:16\n    environment: {A: b}\n  web:\n    <<: *a\n    build: .\n",
    "app.json": '{"env": {"A": {"required": true, "generator": "secret"}}, "buildpacks": [{"url": "heroku/python"}]}',
    "render.yaml": "services:\n  - type: web\n    env: python\n    rootDir: a\n",
    "app.yaml": "runtime: python311\nenv_variables:\n  A: b\n",
    "fly.toml": '[env]\nPORT = "8080"\n[http_service]\ninternal_port = 8080\n',
    "railway.json": '{"deploy": {"startCommand": "x"}}',
    "nixpacks.toml": 'providers = ["python"]\n',
    "vercel.json": "{}",
    ".env.example": "A=b\nSECRET_KEY=\nexport C='d'\n",
    ".nvmrc": "lts/iron\n",
    ".tool-versions": "nodejs 20.1.0\npython 3.11.4\n",
    ".python-version": "3.11\n",
    "runtime.txt": "python-3.11.4\n",
    "mise.toml": '[tools]\nnode = "20"\n',
    "cookiecutter.json": "{}",
    "mkdocs.yml": "",
    "index.html": "<html>",
    "README.md": "# x\n",
}  # fmt: skip
HOSTILE = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    "\u2028".encode(),
    b"\xed\xb2\x80",
    b"\xf0\x9f\x98\x80",
    b"{" * 3000,
    b"'''",
)
FOLDERS = st.sampled_from(
    ["", "", "", "api/", "apps/web/", "a\nb/", "\U0001f600/", "\udcff/", "-x/", "{{x}}/", "w" * 250 + "/"]
)
PATHS = st.builds(str.__add__, FOLDERS, st.sampled_from([*sorted(CONTENTS)]))
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["scripts", "start", "dependencies", "engines", "node", "workspaces", "packages", "services", "web", "build", "env",
         "ports", "express", "main", "bin", "name", "buildpacks", "volta"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@st.composite
def contents(draw: st.DrawFn, path: str) -> bytes:
    """Return what a file should hold, cut, spoiled, doubled, or something else altogether."""
    whole = next(text for name, text in CONTENTS.items() if path.endswith(name)).encode()
    kind = draw(st.sampled_from(["whole", "cut", "spoiled", "other", "bytes", "nested", "utf-16", "latin-1"]))
    place = draw(st.integers(0, len(whole)))
    if kind in {"utf-16", "latin-1"}:
        return f"é{whole.decode()}".encode(kind)
    return {
        "whole": whole,
        "cut": whole[:place],
        "spoiled": whole[:place] + draw(st.sampled_from(HOSTILE)) + whole[place:],
        "other": draw(st.sampled_from(sorted(CONTENTS.values()))).encode(),
        "bytes": draw(st.binary(max_size=60)),
        "nested": json.dumps(draw(NESTED)).encode(),
    }[kind]


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bytes]:
    """Return files by path."""
    paths = draw(st.lists(PATHS, min_size=1, max_size=9, unique=True))
    return {path: draw(contents(path)) for path in paths}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(trees())
def test_broken_trees_are_analysed_or_refused(files: dict[str, bytes]) -> None:
    source = memory({path: decoded(content) for path, content in files.items()})
    try:
        stack = analyse(source)
    except AnalysisError as err:
        assert err.message
        assert err.remediation
        return
    assert TechStack.model_validate_json(stack.to_json()) == stack
    assert analyse(source) == stack
