"""The names that tell: package files by language, suffixes of sources, folders that hold no application."""

from __future__ import annotations

MANIFESTS: dict[str, tuple[str, ...]] = {
    "go": ("go.mod", "go.work"),
    "python": (
        "requirements.txt", "pyproject.toml", "Pipfile", "requirements/*.txt", "setup.py", "manage.py",
        "requirements*.txt", "environment.yml",
    ),
    "nodejs": ("package.json",),
    "ruby": ("Gemfile", "config.ru"),
    "rust": ("Cargo.toml",),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "scala": ("build.sbt",),
    "php": ("composer.json", "wp-config.php", "wp-config-sample.php"),
    "elixir": ("mix.exs",),
    "dotnet": ("*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx"),
    "swift": ("Package.swift",),
    "deno": ("deno.json", "deno.jsonc"),
    "dart": ("pubspec.yaml",),
    "clojure": ("project.clj", "deps.edn"),
    "erlang": ("rebar.config",),
    "haskell": ("stack.yaml", "*.cabal"),
    "crystal": ("shard.yml",),
    "gleam": ("gleam.toml",),
    "perl": ("cpanfile", "Makefile.PL"),
    "ocaml": ("dune-project",),
    "nim": ("*.nimble",),
    "zig": ("build.zig",),
    "julia": ("Project.toml",),
    "lua": ("*.rockspec",),
    "c++": ("CMakeLists.txt", "meson.build", "configure.ac", "*.vcxproj"),
}  # fmt: skip
"""Package files by language. Of languages that speak equally loud in one folder, the first is taken."""

SUFFIXES: dict[str, tuple[str, ...]] = {
    "python": ("py",),
    "go": ("go",),
    "nodejs": ("js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"),
    "ruby": ("rb", "erb"),
    "rust": ("rs",),
    "java": ("java", "kt"),
    "scala": ("scala",),
    "php": ("php",),
    "elixir": ("ex", "exs"),
    "dotnet": ("cs", "fs", "vb"),
    "swift": ("swift",),
    "dart": ("dart",),
    "clojure": ("clj", "cljs"),
    "erlang": ("erl",),
    "haskell": ("hs",),
    "crystal": ("cr",),
    "gleam": ("gleam",),
    "perl": ("pl", "pm"),
    "ocaml": ("ml",),
    "nim": ("nim",),
    "zig": ("zig",),
    "julia": ("jl",),
    "lua": ("lua",),
    "r": ("R", "Rmd"),
    "c++": ("c", "cc", "cpp", "cxx"),
    "shell": ("sh", "bash", "ps1"),
}
"""Suffixes of source files by language."""

LANGUAGE_OF_SUFFIX = {suffix: language for language, suffixes in SUFFIXES.items() for suffix in suffixes}

ASIDE = frozenset(
    {
        *("docs", "doc", "documentation", "test", "tests", "testing", "testdata", "e2e", "cypress", "playwright"),
        *("spec", "__tests__", "fixtures", "examples", "example", "samples", "benchmarks", "benchmark"),
        *("scripts", "script", "tools", "tooling", "hack", "ci", "infra", "infrastructure", "terraform", "ansible"),
        *("deployment", "k8s", "kubernetes", "helm", "charts", "vendor", "third_party", "thirdparty"),
        *("bower_components", "templates", "storybook", "android", "ios", "requirements", "notebooks"),
    }
)
"""Folders of documents, tests, tools, other people's code: what lies in them is not the application."""

SERVER_FOLDERS = frozenset(
    {"server", "backend", "back-end", "back", "be", "api", "app", "service", "rest", "rest-api", "webserver"}
)
CLIENT_FOLDERS = frozenset(
    {
        *("client", "clients", "frontend", "front-end", "front", "fe", "ui", "web-client", "webclient", "webapp"),
        *("mobile", "admin", "dashboard", "landing", "website", "www", "site", "extension", "desktop", "assets"),
    }
)
HELPER_FOLDERS = frozenset(
    {"worker", "workers", "jobs", "cron", "bot", "proxy", "nginx", "loadgenerator", "mock", "static", "theme", "lambda"}
)
"""What projects are called that answer the others, those that ask them, and those that nobody asks."""


def is_aside(folder: str) -> bool:
    """Tell whether a folder holds documents, tests or tools, or is hidden."""
    parts = folder.split("/") if folder else []
    return any(part in ASIDE or part.startswith(".") or "{{" in part for part in parts)


def role(folder: str, language: str) -> int:
    """Return 1 for a folder called like a server, -1 for one called like a client or a helper, else 0.

    What a front end in Python or Go shows is made on a server.
    """
    words = {word for part in folder.lower().split("/") for word in (part, *part.replace("_", "-").split("-"))}
    if words & HELPER_FOLDERS or (language == "nodejs" and words & CLIENT_FOLDERS):
        return -1
    return 1 if words & SERVER_FOLDERS else 0
