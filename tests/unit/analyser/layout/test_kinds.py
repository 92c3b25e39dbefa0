"""What is no application, called by its name, with the files that told and what to do next."""

from __future__ import annotations

import json

import pytest
from fixtures.sources import memory
from unit.analyser.layout.repositories import EXPRESS, FLASK, package, within

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError

CLASSIFIED = '[project]\nname = "x"\nversion = "1"\nclassifiers = ["a"]\n'
COBRA = "module x\ngo 1.22\nrequire github.com/spf13/cobra v1.8.0\n"

KINDS: dict[str, tuple[dict[str, str], str]] = {
    "npm package": (package(name="x", files=["lib"], main="lib/x.js"), "a library, the npm package x .*package.json"),
    "package with a playground": (
        package(name="x", main="x.js", exports="./x.js", scripts={"start": "node ./sandbox/server.js"})
        | {"sandbox/server.js": "http.createServer().listen(3000)"}, "a library, the npm package x"),
    "nameless package": (package(exports="./x.js"), "a library .*exports"),
    "npm command": (package(name="x", bin="x.js"), "a command line tool .*package.json"),
    "create-x": (package(name="@a/create-x", bin="x.js"), "a generator of projects .*create-x"),
    "editor": (package(engines={"vscode": "^1"}, main="x.js"), "an extension of an editor"),
    "react native": (package(dependencies={"expo": "1"}, scripts={"start": "expo start"}), "a mobile application .*expo"),
    "electron": (package(devDependencies={"electron": "1"}, scripts={"start": "electron ."}), "a desktop application"),
    "cdk": (package(name="x", bin="x.js") | {"cdk.json": "{}"}, "infrastructure code .*cdk.json"),
    "pulumi in Python": ({"requirements.txt": "pulumi>=3\n", "__main__.py": "", "Pulumi.yaml": ""}, "infrastructure code"),
    "python package": ({"pyproject.toml": CLASSIFIED, "src/x/__init__.py": ""}, "a library, a Python package .*pyproject"),
    "python command": (
        {"pyproject.toml": CLASSIFIED + '[project.scripts]\nx = "x:x"\n', "x/__init__.py": ""}, "a command line tool"),
    "python by setup.py": (
        {"setup.py": "setup(name='x', classifiers=['a'], long_description='b')", "x/__init__.py": ""},
        "a library, a Python package .*setup.py"),
    "a package that extends a framework": (
        {"pyproject.toml": CLASSIFIED + 'dependencies = ["flask"]\n', "x/__init__.py": "import flask\n"},
        "a library, a Python package"),
    "poetry's package": (
        {"pyproject.toml": '[tool.poetry]\nname = "x"\nkeywords = ["a"]\n', "x/__init__.py": ""}, "a library"),
    "go command": (
        {"go.mod": COBRA, ".goreleaser.yaml": "", "main.go": "package main\nfunc main() {}\n"},
        "a command line tool .*goreleaser"),
    "go package with an example": (
        {"go.mod": "module x\ngo 1.22\n", "x.go": "package x\n", "example/main.go": "package main\nfunc main() {}\n"},
        "a library, a Go module"),
    "go package": ({"go.mod": "module x\ngo 1.22\n", "x.go": "package x\n"}, "library"),
    "cookiecutter": (FLASK | {"cookiecutter.json": "{}", "{{cookiecutter.x}}/a.py": ""}, "a template.*cookiecutter.json"),
    "copier": (FLASK | {"copier.yml": "", "a.py.jinja": ""}, "a template.*copier.yml"),
    "loose cookiecutter": ({"cookiecutter.json": "{}", "{{x}}/README.md": ""}, "a template.*cookiecutter.json"),
    "yeoman": (package(name="generator-x", files=["app"]), "a generator of projects .*generator-x"),
    "cookiecutter of a whole": (
        {"cookiecutter.json": "{}"} | within("{{cookiecutter.x}}/backend", FLASK), "a template.*cookiecutter.json"),
    "jekyll's theme": ({"_config.yml": "", "Gemfile": "gemspec\n", "x.gemspec": ""}, "a static site made by Jekyll"),
    "ansible with a conda name": ({"a/environment.yml": "- hosts: all\n", "a/site.yml": ""}, "code for Ansible"),
    "notebooks": ({"a.ipynb": "{}", "b/c.ipynb": "{}"}, r"a collection of notebooks \(told by a.ipynb, b/c.ipynb"),
    "notebooks with requirements": ({"a.ipynb": "{}", "requirements.txt": "pandas\n"}, "a collection of notebooks"),
    "mkdocs": ({"mkdocs.yml": "", "docs/index.md": ""}, "documentation made by MkDocs .*mkdocs.yml"),
    "mkdocs with requirements": ({"mkdocs.yml": "", "requirements.txt": "mkdocs\n"}, "documentation made by mkdocs"),
    "sphinx": ({"docs/conf.py": "", "docs/index.rst": ""}, "documentation made by Sphinx"),
    "jekyll": ({"_config.yml": "", "index.html": ""}, "a static site made by Jekyll"),
    "hugo": ({"hugo.toml": "", "content/a.md": ""}, "a static site made by Hugo"),
    "pages": ({"index.html": "", "css/x.css": "", "x.js": "alert(1)"}, r"static pages \(told by index.html\)"),
    "terraform": ({"main.tf": "", "README.md": ""}, r"infrastructure code for Terraform \(told by main.tf\)"),
    "ansible": ({"site.yml": "", "roles/a/tasks/main.yml": ""}, "infrastructure code for Ansible"),
    "helm": ({"charts/x/Chart.yaml": ""}, "a Helm chart"),
    "action": ({"action.yml": "", "run.sh": ""}, "a GitHub Action"),
    "ios": ({"App/Info.plist": "", "App/a.swift": ""}, "a mobile application"),
    "only a Dockerfile": ({"Dockerfile": "FROM nginx\n", "README.md": ""}, r"only a recipe for containers \(Dockerfile\)"),
    "documents": ({"README.md": "", "LICENSE": ""}, "documents only: LICENSE, README.md"),
    "scripts for a shell": ({"run.sh": "", "a.cfg": ""}, r"unsupported language: shell \(told by run.sh\)"),
    "c": ({"a.c": "", "Makefile": ""}, r"unsupported language: c\+\+ \(told by a.c\)"),
    "php": ({"index.php": "", "a.php": "", "index.html": ""}, r"unsupported language: php \(told by a.php, index.php\)"),
    "node without a package file": ({"server.js": "require('http')"}, r"JavaScript for Node.js \(server.js\)"),
    "go without a module": ({"main.go": "package main\n"}, "no go.mod"),
    "nothing that anybody knows": ({"data.bin": "", "x.foo": ""}, "no language was recognised"),
    "flutter": ({"pubspec.yaml": "", "lib/main.dart": ""}, "unsupported language: dart .*pubspec.yaml"),
    "haskell": ({"x.cabal": ""}, "unsupported language: haskell .*x.cabal"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_application_is_called_by_its_name(name: str) -> None:
    files, said = KINDS[name]
    with pytest.raises(AnalysisError, match=said) as caught:
        analyse(memory(files))
    assert caught.value.remediation
    assert len(str(caught.value).splitlines()) == 4


APPLICATIONS: dict[str, tuple[dict[str, str], str]] = {
    "an express application that is published": (
        {"package.json": json.dumps({**json.loads(EXPRESS["package.json"]), "files": ["x"], "bin": "x.js"}),
         "index.js": EXPRESS["index.js"]}, "nodejs"),
    "plain http that never says start": (
        package(name="x", files=["x"], main="x.js") | {"x.js": "", "server.js": "require('http').createServer().listen(1)"},
        "nodejs"),
    "a bot": (package(name="x", main="index.js", bin="x") | {"index.js": "client.login(1)"}, "nodejs"),
    "a cookiecutter's product": (FLASK | {"cookiecutter.json": "{}"}, "python"),
    "a flask application with classifiers": (FLASK | {"pyproject.toml": CLASSIFIED}, "python"),
    "a go service that is released": (
        {"go.mod": COBRA, ".goreleaser.yml": "", "main.go": "package main\nfunc main() { http.ListenAndServe(\":1\", nil) }\n"},
        "go"),
    "notebooks beside a service": (FLASK | {"a.ipynb": "{}"}, "python"),
}  # fmt: skip


@pytest.mark.parametrize("name", APPLICATIONS)
def test_what_runs_is_an_application_whatever_else_it_declares(name: str) -> None:
    files, language = APPLICATIONS[name]
    assert analyse(memory(files)).language == language


def test_a_library_with_examples_names_them() -> None:
    files = package(name="x", exports="./x.js") | within("examples/shop", EXPRESS)
    with pytest.raises(AnalysisError, match="a library, the npm package x") as caught:
        analyse(memory(files))
    assert caught.value.remediation.endswith("name it with --path: there are examples/shop.")


def test_a_flag_says_that_it_runs_after_all() -> None:
    stack = analyse(memory(package(name="x", files=["x"])), {"start_command": "node x.js"})
    assert stack.start_command == "node x.js"
