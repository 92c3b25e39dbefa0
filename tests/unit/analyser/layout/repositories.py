"""Layouts of repositories: what lies where, and which language and folder are the application."""

from __future__ import annotations

import json

FLASK = {"requirements.txt": "flask\n", "app.py": "from flask import Flask\napp = Flask('x')\n"}
DJANGO = {"requirements.txt": "django\n", "manage.py": "import django\n", "shop/settings.py": "DEBUG = False\n"}
GO = {"go.mod": "module x\ngo 1.22\n", "main.go": 'package main\nfunc main() { http.ListenAndServe(":80", nil) }\n'}
GO_TOOL = {"go.mod": "module x\ngo 1.22\n", "main.go": "package main\nfunc main() {}\n"}
GO_LIBRARY = {"go.mod": "module x\ngo 1.22\n", "x.go": "package x\n"}
SCRIPTS = {"requirements.txt": "requests\n", "fetch.py": "import requests\n"}


def package(**fields: object) -> dict[str, str]:
    """Return a folder with a package.json."""
    return {"package.json": json.dumps(fields)}


def depends(*names: str, **fields: object) -> dict[str, str]:
    """Return a folder with a package.json that depends on packages."""
    return package(dependencies=dict.fromkeys(names, "1"), **fields)


def within(folder: str, files: dict[str, str]) -> dict[str, str]:
    """Return the files in a folder."""
    return {f"{folder}/{path}": text for path, text in files.items()}


EXPRESS = depends("express", scripts={"start": "node index.js"}) | {"index.js": "require('express')().listen(80)"}
VITE = package(scripts={"build": "vite build"}, devDependencies={"vite": "5", "react": "18"})
NEXT = depends("next", "react", scripts={"start": "next start"})
ASSETS = package(devDependencies={"webpack": "5", "tailwindcss": "3", "prettier": "3"})
RAILS = {"Gemfile": "gem 'rails'\n", "config.ru": "run Rails.application\n", "app/models/a.rb": ""}
LARAVEL = {"composer.json": '{"require": {"laravel/framework": "11"}}', "artisan": "", "public/index.php": ""}
SPRING = {"pom.xml": "<parent>spring-boot-starter-parent</parent>", "src/main/java/A.java": ""}

LAYOUTS: dict[str, tuple[dict[str, str], str, str]] = {
    # Decoys: package files that serve assets, documents, tools
    "django with assets": (DJANGO | ASSETS, "python", "."),
    "django with a bundler": (DJANGO | VITE, "python", "."),
    "flask with assets": (FLASK | ASSETS, "python", "."),
    "flask without package files, with assets": ({"app.py": FLASK["app.py"]} | ASSETS, "python", "."),
    "go with assets": (GO | ASSETS, "go", "."),
    "go with a front end": (GO | within("web", VITE), "go", "."),
    "a large go program with a front end": (
        GO | {f"a/p{number}.go": "package a\n" for number in range(200)} | within("web", VITE | {"Dockerfile": ""}), "go", ".",
    ),
    "go with scripts in Python": (GO | within("scripts", SCRIPTS), "go", "."),
    "a module of tools in a node application": (EXPRESS | within("tools", GO_TOOL), "nodejs", "."),
    "node with requirements for its tools": (EXPRESS | SCRIPTS, "nodejs", "."),
    "node with requirements for documents": (EXPRESS | {"requirements.txt": "mkdocs\n"}, "nodejs", "."),
    "node with a folder of Python": (EXPRESS | within("ml", SCRIPTS), "nodejs", "."),
    "node that has end-to-end tests": (EXPRESS | within("e2e", VITE), "nodejs", "."),
    "django with documents of Jekyll": (DJANGO | {"Gemfile": "gem 'jekyll'\n"}, "python", "."),
    "flask with requirements of documents": (FLASK | within("docs", {"requirements.txt": "sphinx"}), "python", "."),
    "only requirements of development at the root": (
        {"requirements-dev.txt": "ruff", "package.json": "{}"} | within("api", FLASK), "python", "api",
    ),
    # Front ends and servers
    "backend and frontend": (within("backend", FLASK) | within("frontend", VITE), "python", "backend"),
    "server and client": (within("server", EXPRESS) | within("client", VITE), "nodejs", "server"),
    "api and web": (within("api", GO) | within("web", NEXT), "go", "api"),
    "a front end that renders": (within("backend", FLASK) | within("frontend", NEXT), "python", "backend"),
    "two servers by their names": (within("server", EXPRESS) | within("client", EXPRESS), "nodejs", "server"),
    "an oddly named server": (within("zebra", EXPRESS) | within("app", VITE), "nodejs", "zebra"),
    "a root that only holds tools": (
        package(devDependencies={"concurrently": "8"}) | within("server", EXPRESS) | within("client", VITE),
        "nodejs", "server",
    ),
    "a root that starts what lies below": (
        package(scripts={"start": "cd backend && npm start"}) | within("backend", EXPRESS) | within("frontend", VITE),
        "nodejs", "backend",
    ),
    "a server at the root, its front end below": (EXPRESS | within("client", VITE), "nodejs", "."),
    "a server at the root, another below": (EXPRESS | within("api", FLASK), "nodejs", "."),
    "requirements at the root, code below": (
        {"requirements.txt": "flask\n", "api/app.py": FLASK["app.py"]} | within("frontend", VITE), "python", ".",
    ),
    "three folders down": (within("services/web/api", FLASK), "python", "services/web/api"),
    "packages within an application": (
        within("backend", DJANGO) | within("backend/shop", {"requirements.txt": "django"}) | within("web", VITE),
        "python", "backend",
    ),
    "conda": ({"environment.yml": "dependencies:\n  - flask\n", "app.py": FLASK["app.py"]}, "python", "."),
    "pages beside a plain program": (within("a", VITE) | within("b", SCRIPTS), "python", "b"),
    # Workspaces are chosen among by the language's own analyser
    "npm workspaces": (
        package(workspaces=["apps/*"]) | within("apps/api", EXPRESS) | within("apps/web", NEXT), "nodejs", ".",
    ),
    "pnpm workspaces": (
        package() | {"pnpm-workspace.yaml": "packages:\n  - 'apps/*'\n"} | within("apps/api", EXPRESS)
        | within("apps/web", NEXT), "nodejs", ".",
    ),
    "nx": (package() | {"nx.json": "{}"} | within("apps/api", EXPRESS), "nodejs", "."),
    "workspaces of pages beside a server": (
        package(workspaces={"packages": ["frontend", "!other"]}) | within("frontend", NEXT)
        | within("backend", FLASK), "python", "backend",
    ),
    "workspaces in a folder": (
        within("js", package(workspaces=["./packages/**"])) | within("js/packages/a/b", EXPRESS), "nodejs", "js",
    ),
    "go.work": (
        {"go.work": "go 1.22\nuse (\n\t./api\n\t./lib\n)\n"} | within("api", GO) | within("lib", GO_LIBRARY), "go", ".",
    ),
    "several modules": (within("lib", GO_LIBRARY) | within("cmd", GO), "go", "cmd"),
    # What the files for hosts say
    "a Procfile that enters a folder": (
        {"Procfile": "web: cd b && gunicorn app:app\n"} | within("a", FLASK) | within("b", FLASK), "python", "b",
    ),
    "a Procfile in a folder": (within("a", FLASK) | within("b", FLASK | {"Procfile": "web: x\n"}), "python", "b"),
    "a Procfile that names the language": (
        {"Procfile": "web: node index.js\n"} | EXPRESS | FLASK, "nodejs", ".",
    ),
    "a Procfile for the root": (
        {"Procfile": "web: python bot.py\n", "requirements.txt": "x\n", "bot.py": ""} | within("site", NEXT), "python", ".",
    ),
    "Render": (
        {"render.yaml": "services:\n  - type: web\n    env: static\n    rootDir: a\n  - type: web\n    runtime: node\n"
         "    rootDir: b\n"} | within("a", EXPRESS) | within("b", EXPRESS), "nodejs", "b",
    ),
    "DigitalOcean": (
        {".do/app.yaml": "services:\n- name: x\n  source_dir: /b\nstatic_sites:\n- source_dir: a\n"}
        | within("a", FLASK) | within("b", FLASK), "python", "b",
    ),
    "App Engine": ({"app.yaml": "runtime: nodejs20\n"} | EXPRESS | FLASK, "nodejs", "."),
    "nixpacks": ({"nixpacks.toml": 'providers = ["node"]\n'} | EXPRESS | FLASK, "nodejs", "."),
    "buildpacks": (
        {"app.json": '{"buildpacks": [{"url": "heroku/nodejs"}, 3]}'} | EXPRESS | FLASK, "nodejs", ".",
    ),
    "the image of a container": ({"Dockerfile": "FROM node:20 AS x\nFROM x\n"} | EXPRESS | FLASK, "nodejs", "."),
    "compose": (
        {"compose.yaml": "services:\n  web:\n    build: ./b\n"} | within("a", FLASK) | within("b", FLASK), "python", "b",
    ),
    "what a container copies": (
        {"Dockerfile": "FROM python:3.11\nCOPY ./b/requirements.txt .\n"} | within("a", FLASK) | within("b", FLASK),
        "python", "b",
    ),
    "a Makefile": ({"Makefile": "run:\n\tcd b && flask run\n"} | within("a", FLASK) | within("b", FLASK), "python", "b"),
    "a folder with a Dockerfile": (within("a", FLASK) | within("b", FLASK | {"Dockerfile": ""}), "python", "b"),
    # Other languages
    "rails with assets": (RAILS | ASSETS, "ruby", "."),
    "rails with a bundler": (RAILS | VITE, "ruby", "."),
    "laravel with vite": (LARAVEL | VITE, "php", "."),
    "spring with a front end": (SPRING | within("frontend", VITE), "java", "."),
    "spring backend, rendering front end": (within("backend", SPRING) | within("frontend", NEXT), "java", "backend"),
    "services in several languages": (within("a", SPRING) | within("b", FLASK) | within("c", RAILS), "python", "b"),
    "kotlin": ({"build.gradle.kts": "", "src/A.kt": "", "src/B.kt": "", "C.java": ""}, "kotlin", "."),
    "rust with tools for Python": ({"Cargo.toml": "axum = 1\n", "src/main.rs": "", "requirements.txt": "x"}, "rust", "."),
    "dotnet": ({"x.sln": ""} | within("src/Api", {"Api.csproj": "Microsoft.NET.Sdk.Web"}) | ASSETS, "dotnet", "."),
    "deno": ({"deno.json": "{}", "main.ts": "", "package.json": "{}"}, "deno", "."),
    "node with settings for Deno": (EXPRESS | {"deno.json": "{}"}, "nodejs", "."),
}  # fmt: skip
