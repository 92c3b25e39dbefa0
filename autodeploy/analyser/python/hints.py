"""What a repository says in passing about its start: Procfile, Dockerfile, compose, scripts, README. Weighs nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autodeploy.analyser.hints import dockerfile
from autodeploy.analyser.python import uwsgi
from autodeploy.analyser.toml import table
from autodeploy.analyser.tree import Tree

_FILES = re.compile(
    r"^(?:Procfile|(?:docker/|deploy/|\.docker/)?[\w.-]*Dockerfile[\w.-]*|(?:docker-)?compose[\w.-]*\.ya?ml|\.flaskenv|\.env\.example"
    r"|(?:render|railway|fly|app)\.(?:ya?ml|json|toml)|nixpacks\.toml|(?:scripts/|bin/|docker/|deploy/)?[\w-]+\.sh"
    r"|gunicorn[\w.]*\.py|Makefile|justfile|README(?:\.\w+)?)$",
    re.IGNORECASE,
)
_WEIGHT = ("procfile", ".flaskenv", "gunicorn", "dockerfile", "compose", ".sh", "makefile", "readme")
_SERVED = re.compile(
    r"(?:\b(?:gunicorn|uvicorn|hypercorn|daphne|granian|waitress-serve|sanic)\b[^\n]*?|wsgi_app\s*=\s*|--app[= ])"
    r"[\"'\s=](?P<module>[A-Za-z_][\w.]*):(?P<attribute>[A-Za-z_]\w*)"
)
_FLASK_APP = re.compile(
    r"FLASK_APP[=\s:]+[\"']?(?P<module>[A-Za-z_][\w./]*?)(?:\.py)?(?::(?P<attribute>\w+))?(?=[\s\"'(]|$)"
)
_SCRIPT = re.compile(
    r"\b(?:python[\d.]*|poetry run|uv run|pipenv run)[\"',\s]+(?:-u[\"',\s]+)?(?P<file>[\w/.-]+\.py)\b"
)
_MODULE = re.compile(r"\bpython[\d.]*[\"',\s]+(?:-u[\"',\s]+)?-m[\"',\s]+(?P<module>[A-Za-z_][\w.]*)")
_STREAMLIT = re.compile(r"\bstreamlit[\"',\s]+run[\"',\s]+(?P<file>[\w/.-]+\.py)\b")


@dataclass(frozen=True)
class Hint:
    """One mention of an application object; `attribute` is "" where the module alone is named."""

    module: str
    attribute: str
    file: str
    line: int

    def names(self, module: str, attribute: str) -> bool:
        """Tell whether the hint speaks of an object, its module seen from whatever folder."""
        same = module == self.module or self.module.endswith(f".{module}") or module.endswith(f".{self.module}")
        return same and self.attribute in {"", attribute}

    def spells(self, path: str, attribute: str) -> bool:
        """Tell whether the hint names an object by the whole path of its module, or by an end of that."""
        return f".{path}".endswith(f".{self.module}") and self.attribute in {"", attribute}


def served_targets(tree: Tree) -> list[Hint]:
    """Return the application objects that servers are told to serve, the most authoritative mention first."""
    found = []
    entry = table(tree.read("pyproject.toml"), "tool", "fastapi").get("entrypoint")
    if isinstance(entry, str) and ":" in entry:
        module, _, attribute = entry.partition(":")
        found.append(Hint(module, attribute, tree.where("pyproject.toml"), 0))
    told = [Hint(module, name, item.file, item.line) for module, name, item in uwsgi.served(uwsgi.configuration(tree))]
    for path in _files(tree):
        for number, line in tree.lines(path):
            for match in (*_SERVED.finditer(line), *_FLASK_APP.finditer(line)):
                module = match["module"].replace("/", ".").strip(".")
                found.append(Hint(module, match["attribute"] or "", tree.where(path), number))
    return [*found, *told]


def started_scripts(tree: Tree) -> list[str]:
    """Return the scripts that somebody is told to run, as files or as modules, the most authoritative mention first."""
    texts = (tree.read(path) for path in _files(tree))
    stems = [match["module"].replace(".", "/") for text in texts for match in _MODULE.finditer(text)]
    files = (f"{stem}{end}" for stem in stems for end in ("/__main__.py", ".py"))
    return list(dict.fromkeys((*_mentioned(tree, _SCRIPT), *(file for file in files if file in tree.index))))


def told_port(tree: Tree, script: str) -> tuple[str, int] | None:
    """Return the option, as it stands before its value, and the port that the image's command gives a script."""
    names = {script, script.removesuffix(".py").removesuffix("/__main__").replace("/", ".")}
    for path in dockerfile.FILES:
        for _, keyword, words in dockerfile.instructions(tree, path) if path in tree.index else ():
            said = re.sub(r"[\[\]\"',]+", " ", words).split() if keyword in {"CMD", "ENTRYPOINT"} else []
            if names.intersection(word.removeprefix("./") for word in said):
                match = re.search(
                    r"(?:^|\s)(?P<option>--?(?:\w+-)?(?:port|p)[= ])(?P<port>\d{2,5})(?=\s|$)", " ".join(said)
                )
                return (f" {match['option']}", int(match["port"])) if match else None
    return None


def streamlit_scripts(tree: Tree) -> list[str]:
    """Return the scripts that Streamlit is told to run."""
    return _mentioned(tree, _STREAMLIT)


def _mentioned(tree: Tree, pattern: re.Pattern[str]) -> list[str]:
    texts = (tree.read(path) for path in _files(tree))
    files = (match["file"].removeprefix("./") for text in texts for match in pattern.finditer(text))
    return list(dict.fromkeys(file for file in files if file in tree.index))


def _files(tree: Tree) -> list[str]:
    return tree.once(
        "start hints", lambda: sorted(filter(_may_speak, tree.paths), key=lambda path: (_weight(path), path))
    )


def _may_speak(path: str) -> bool:
    return path.count("/") <= 1 and bool(_FILES.match(path))


def _weight(path: str) -> int:
    name = path.lower()
    return next((index for index, word in enumerate(_WEIGHT) if word in name), len(_WEIGHT) - 2)
