"""Tells the language by the manifests, and in which folder the application lies."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.nodejs.frameworks import declares_server
from autodeploy.analyser.toml import fault, table
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence, Language, Source

MANIFESTS: dict[str, tuple[str, ...]] = {
    # First: beside a go.mod, other manifests are those of assets, documentation or scripts.
    "go": ("go.mod", "go.work"),
    "python": ("requirements.txt", "pyproject.toml", "Pipfile", "requirements/*.txt", "setup.py", "manage.py"),
    "nodejs": ("package.json",),
    "ruby": ("Gemfile",),
    "rust": ("Cargo.toml",),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "php": ("composer.json",),
    "elixir": ("mix.exs",),
    "dotnet": ("*.csproj", "*.fsproj", "*.sln"),
    "swift": ("Package.swift",),
    "deno": ("deno.json",),
}
"""Manifest patterns by language, the first language that matches wins."""

SUPPORTED: tuple[Language, ...] = ("python", "go", "nodejs")
_NAMES = frozenset(pattern.rsplit("/", 1)[-1] for patterns in MANIFESTS.values() for pattern in patterns)
_ASIDE = frozenset({"docs", "doc", "test", "tests", "examples", "example", "requirements", "vendor"})
_MAX_DEPTH = 3


@dataclass(frozen=True)
class Home:
    """The application's language and folder ("." is the repository's root)."""

    language: str
    root: str
    evidence: Evidence


def detect_language(source: Source) -> Home:
    """Return the language by package file and the application's folder; raise AnalysisError when nothing tells."""
    tree = Tree(source)
    if not tree.paths:
        raise refusal("the repository holds no files", "Push the application first, or name its branch with --ref.")
    named = [path for path in tree.paths if any(fnmatchcase(path.rsplit("/", 1)[-1], name) for name in _NAMES)]
    told = _manifests(tree, named, "")
    if told:
        return _home(told, ".")
    homes = {folder: found for folder in _folders(named) if (found := _manifests(tree, named, f"{folder}/"))}
    if homes:
        return _in_subfolder(tree, homes)
    loose = [path for path in tree.modules if "/" not in path]
    if loose:
        return Home("python", ".", Evidence(fact="language", value="python", file=loose[0], rule="python-files"))
    if any(path.endswith(".go") for path in tree.paths):
        raise refusal(
            "there are Go files, but no go.mod names their module",
            "Make one in the repository and commit it: go mod init MODULE && go mod tidy",
        )
    for path in named:
        if path.endswith("pyproject.toml") and (broken := fault(tree.read(path))):
            raise refusal(f"{path} is no TOML: {broken}", f"Correct {path}, and commit it.")
    raise refusal(
        "no language was recognised: there is no requirements.txt, pyproject.toml, Pipfile or other package file",
        "Add a requirements.txt, or name the application's folder with --path.",
    )


def supported(home: Home) -> Language:
    """Return the home's language; raise AnalysisError when it is not one that can be deployed."""
    for language in SUPPORTED:
        if home.language == language:
            return language
    files = ", ".join((home.evidence.file, *home.evidence.alternatives))
    raise refusal(
        f"unsupported language: {home.language} (told by {files})",
        f"AutoDeploy deploys {', '.join(SUPPORTED)} today; where such an application lies in a folder of this "
        "repository, name it with --path.",
    )


def _manifests(tree: Tree, named: list[str], prefix: str) -> dict[str, list[str]]:
    names = [path[len(prefix) :] for path in named if path.startswith(prefix)]
    found: dict[str, list[str]] = {}
    for language, patterns in MANIFESTS.items():
        hits = [name for pattern in patterns for name in names if _matches(name, pattern)]
        if language == "python" and hits == ["pyproject.toml"] and not _declares_project(tree, prefix):
            hits = []
        if hits:
            found[language] = [prefix + hit for hit in hits]
    if len(found) > 1 and not any(path.endswith(".go") and path.startswith(prefix) for path in tree.paths):
        found.pop("go", None)  # a module without a file of Go is there for its tools
    return found


def _matches(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def _declares_project(tree: Tree, prefix: str) -> bool:
    """A pyproject.toml that only configures tools says nothing of the application."""
    text = tree.read(f"{prefix}pyproject.toml")
    return bool(table(text, "project") or table(text, "tool", "poetry"))


def _folders(named: list[str]) -> list[str]:
    parents = [path.split("/")[:-1] for path in named]
    folders = {"/".join(parts[:depth]) for parts in parents for depth in range(1, min(len(parts), _MAX_DEPTH) + 1)}
    kept = (folder for folder in folders if not _ASIDE.intersection(folder.split("/")))
    return sorted(kept, key=lambda folder: (folder.count("/"), folder))


def _in_subfolder(tree: Tree, homes: dict[str, dict[str, list[str]]]) -> Home:
    for language in dict.fromkeys((*SUPPORTED, *MANIFESTS)):
        speaking = [folder for folder, found in homes.items() if language in found]
        outermost = [folder for folder in speaking if not any(folder.startswith(f"{other}/") for other in speaking)]
        if len(outermost) > 1 and language == "nodejs":
            # A front end beside its server is the common case: pages alone are nothing that runs.
            servers = [folder for folder in outermost if declares_server(tree.read(f"{folder}/package.json"))]
            outermost = servers if len(servers) == 1 else outermost
        if len(outermost) > 1 and language in SUPPORTED:
            raise refusal(
                f"there are several {language} applications: {', '.join(outermost)}",
                f"Name the one to deploy, e.g. --path {outermost[0]}",
            )
        if outermost:
            others = [folder for folder in homes if folder != outermost[0]]
            return _home({language: homes[outermost[0]][language]}, outermost[0], *others)
    raise AssertionError("a folder without a language has no manifest")


def _home(told: dict[str, list[str]], root: str, *others: str) -> Home:
    language, files = next(iter(told.items()))
    beside = (*files[1:], *(name for tongue, names in told.items() if tongue != language for name in names), *others)
    evidence = Evidence(fact="language", value=language, file=files[0], rule="package-file", alternatives=beside)
    return Home(language, root, evidence)
