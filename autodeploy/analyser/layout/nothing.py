"""Names what a repository without an application is: pages, documents, notebooks, infrastructure, unknown languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.layout.names import LANGUAGE_OF_SUFFIX, is_aside
from autodeploy.analyser.toml import fault
from autodeploy.analyser.tree import Tree
from autodeploy.errors import AnalysisError

MAX_NAMED = 5

_PATH = "Where an application lies in a folder of this repository, name it with --path."
_PAGES = (
    "Nothing here runs on a server: serve the pages from storage for files (S3 with CloudFront, GitHub Pages), or add "
    "a program that serves them and its package file."
)
_HUGO = re.compile(r"^(hugo\.(toml|yaml|json)|archetypes/.*|config/_default/.*)$")
_ANSIBLE = re.compile(r"(^|/)(ansible\.cfg|playbook\.ya?ml|site\.yml|galaxy\.yml)$|^roles/")
_KINDS: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("a template, not an application", re.compile(r"^(cookiecutter\.json|copier\.ya?ml)$").match,
     "Make a project from it (cookiecutter or copier), push that, and deploy it."),
    ("a static site made by Jekyll", re.compile(r"^_config\.yml$").match, _PAGES),
    ("a static site made by Hugo", _HUGO.match, _PAGES),
    ("documentation made by MkDocs", re.compile(r"^(docs/)?mkdocs\.ya?ml$").match, _PAGES),
    ("documentation made by Sphinx", re.compile(r"^(docs?/)?(source/)?conf\.py$").match, _PAGES),
    ("a mobile application", re.compile(r"(^|/)(AndroidManifest\.xml|Podfile|Info\.plist|project\.pbxproj)$").search,
     f"It runs on a telephone, not on a server. {_PATH}"),
    ("infrastructure code for Terraform", re.compile(r"\.tf$").search, f"Apply it with terraform. {_PATH}"),
    ("a Helm chart", re.compile(r"(^|/)Chart\.yaml$").search, f"Install it with helm. {_PATH}"),
    ("infrastructure code for Ansible", _ANSIBLE.search,
     f"Run it with ansible-playbook. {_PATH}"),
    ("a GitHub Action", re.compile(r"^action\.ya?ml$").match, f"It is used in workflows. {_PATH}"),
    ("a collection of notebooks", re.compile(r"\.ipynb$").search,
     "Put what should answer requests into a module (FastAPI, Streamlit), add a requirements.txt, and push both."),
)  # fmt: skip
_DOCKER = re.compile(r"(^|/)(Dockerfile(\.\w+)?|Containerfile|(docker-)?compose(\.\w+)?\.ya?ml)$")
_TEXTS = re.compile(r"\.(md|rst|txt|adoc|pdf|tex|org)$|^(LICENSE|README|COPYING)", re.IGNORECASE)


def nothing_to_run(tree: Tree) -> AnalysisError:
    """Return the refusal of a repository in which no package file was found, with the files that told."""
    visible = [path for path in tree.paths if not path.startswith(".")]
    code = _code(visible)
    if broken := _broken(tree):
        return broken
    if "go" in code:
        return refusal(
            "there are Go files, but no go.mod names their module",
            "Make one in the repository and commit it: go mod init MODULE && go mod tidy",
        )
    for kind, tells, remedy in _KINDS:
        if told := [path for path in visible if tells(path)]:
            return _named(kind, told, remedy)
    scripts = [path for path in code.get("nodejs", ()) if re.search(r"require\(|process\.env", tree.read(path))]
    if scripts:
        return refusal(
            f"there is JavaScript for Node.js ({_few(scripts)}), but no package.json",
            "Make one with a start script and commit it: npm init",
        )
    pages = [path for path in visible if path.endswith((".html", ".htm"))]
    others = [language for language in code if language not in {"nodejs", "shell", "python"}]
    if pages and not others:
        return _named("static pages", sorted(pages, key=lambda path: (path.count("/"), path)), _PAGES)
    return _last(visible, code, others)


def _last(visible: list[str], code: dict[str, list[str]], others: list[str]) -> AnalysisError:
    docker = [path for path in visible if _DOCKER.search(path)]
    if docker and not others:
        return refusal(
            f"there is only a recipe for containers ({_few(docker)}), and no application that AutoDeploy can build",
            "Deploy the repository that holds the application's source, with its package file.",
        )
    if others or "shell" in code:
        language = others[0] if others else "shell"
        return refusal(
            f"unsupported language: {language} (told by {_few(code[language])})",
            f"AutoDeploy deploys python, go, nodejs today. {_PATH}",
        )
    if visible and all(_TEXTS.search(path.rpartition("/")[2]) for path in visible):
        return refusal(
            f"the repository holds documents only: {_few(visible)}",
            "Add the application with its package file, or name its branch with --ref or its folder with --path.",
        )
    return refusal(
        "no language was recognised: there is no package.json, requirements.txt, pyproject.toml, go.mod or other "
        "package file",
        "Add one, or name the application's folder with --path, its branch with --ref.",
    )


def _broken(tree: Tree) -> AnalysisError | None:
    for path in tree.paths:
        if path.endswith("pyproject.toml") and (broken := fault(tree.read(path))):
            return refusal(f"{path} is no TOML: {broken}", f"Correct {path}, and commit it.")
    return None


def _code(visible: list[str]) -> dict[str, list[str]]:
    """Return the source files by language, the language with most files first."""
    found: dict[str, list[str]] = {}
    for path in visible:
        language = LANGUAGE_OF_SUFFIX.get(path[path.rfind(".") + 1 :])
        if language and not is_aside(path.rpartition("/")[0]):
            found.setdefault(language, []).append(path)
    numbers = Counter({language: len(paths) for language, paths in found.items()})
    return {language: found[language] for language, _ in numbers.most_common()}


def _named(kind: str, told: list[str], remedy: str) -> AnalysisError:
    return refusal(f"this is {kind} (told by {_few(told)})", remedy)


def _few(paths: list[str]) -> str:
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(paths[:MAX_NAMED]) + more
