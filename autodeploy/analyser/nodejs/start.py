"""Chooses what starts the application: a script, the Procfile, or the file that package.json or custom names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.hints.dockerfile import FILES, instructions
from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.nxprojects import list_made
from autodeploy.analyser.nodejs.scripts import Part, is_for_development, parts, run_script
from autodeploy.analyser.nodejs.serving import STANDALONE, Serving, own_serving
from autodeploy.analyser.nodejs.sites import SERVER, Site, detect_site
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_PRODUCTION_SCRIPTS = ("start:prod", "start:production", "start-prod", "start:server", "serve:prod", "prod", "serve")
_CUSTOM = ("server", "app", "index", "main", "src/server", "src/app", "src/index", "src/main", "bin/www")
_FOLDER = re.compile(r"dist|build|lib|out|output|compiled")
_COMPILED = re.compile(r"^(dist|build|lib|out|output|bin|\.output)/")


@dataclass(frozen=True)
class Start:
    """How the application starts. `line` is what is run in the end; `builds` must have run while building.

    `default_build` is what builds where no script does, `server` a package that the builder has to bring.
    """

    command: str
    line: str
    evidence: Evidence
    builds: tuple[str, ...] = ()
    default_build: str = ""
    server: str | None = None
    warning: str = ""

    def file(self, manifest: Manifest) -> str:
        """Return the file that node is told to run, without "./"; "" when no file is named."""
        named = [part.node_file for part in parts(manifest, self.line) if part.node_file]
        if not named:
            return ""
        file = posixpath.normpath(named[-1])
        if _FOLDER.fullmatch(file):
            file = posixpath.join(file, "index.js")
        main = manifest.fields.get("main")
        return posixpath.normpath(main if isinstance(main, str) and main else "index.js") if file == "." else file


def detect_start(
    tree: Tree,
    manifest: Manifest,
    processes: Mapping[str, Process],
    overrides: Mapping[str, str],
    framework: str | None = None,
) -> Start:
    """Return the start command and why; raise AnalysisError when nothing says how to start."""
    if "start_command" in overrides:
        command = overrides["start_command"]
        return Start(command, command, Evidence(fact="start_command", value=command, rule="--start-command"))
    found = list(_candidates(tree, manifest, processes, framework))
    if found:
        others = tuple(dict.fromkeys(item.command for item in found[1:] if item.command != found[0].command))
        return replace(found[0], evidence=found[0].evidence.but(alternatives=others))
    if framework is None and not _has_server(tree):
        raise refusal(
            f"nothing says how to start: {manifest.file} has no start script for production and no main file",
            "Add a start script to package.json, or name the command: --start-command 'node FILE' (on $PORT).",
        )
    # What else is told of such an application is of use, though it cannot be deployed as it is.
    return Start("", "", Evidence(fact="start_command", value="none", rule="nothing-starts", confidence="default"))


def _candidates(
    tree: Tree, manifest: Manifest, processes: Mapping[str, Process], framework: str | None
) -> Iterator[Start]:
    site = detect_site(tree, manifest, framework)
    if site and framework:
        yield _site(manifest, site)
    own = own_serving(tree, manifest, framework)
    for name in ("start", *_PRODUCTION_SCRIPTS):
        line = manifest.scripts.get(name)
        yield from _sent_away(tree, manifest, name, line or "")
        if not line or is_for_development(manifest, line) or _is_made_by_none(tree, manifest, line):
            continue
        if not _is_built_elsewhere(tree, manifest, line, own):
            yield _script(tree, manifest, name, line)
    for name in ("web", "worker"):
        process = processes.get(name)
        if process and not is_for_development(manifest, process.command):
            because = Evidence(
                fact="start_command", value=process.command, file=process.file, line=process.line, rule="procfile"
            )
            yield Start(with_programs(process.command), process.command, because)
    yield from _imaged(tree, manifest, own)
    if own:
        because = Evidence(
            fact="start_command", value=own.command, file=own.file or manifest.file, rule=f"{framework}-serves",
            confidence="likely",
        )  # fmt: skip
        after = (own.after,) if own.after else ()
        yield Start(with_programs(own.command), own.command, because, after, own.build, warning=own.warning)
    yield from _nx(tree, manifest)
    if site and not framework and not _has_server(tree):
        yield _site(manifest, site)
    yield from _files(tree, manifest)


def _site(manifest: Manifest, site: Site) -> Start:
    because = Evidence(
        fact="start_command", value=site.command, file=site.file, rule="static-site", confidence="likely",
        line=manifest.line_of(site.tool) if site.file == manifest.file else 0,
    )  # fmt: skip
    return Start(site.command, site.command, because, (), site.build, SERVER)


def _is_built_elsewhere(tree: Tree, manifest: Manifest, line: str, own: Serving | None) -> bool:
    """Tell whether a script speaks of what is built in a folder of its own: Adonis's `node bin/server.js`."""
    file = next((part.node_file for part in parts(manifest, line) if part.node_file), "")
    return bool(
        own and file and file not in tree.index and own.command.endswith(f"node build/{posixpath.normpath(file)}")
    )


def _is_made_by_none(tree: Tree, manifest: Manifest, line: str) -> bool:
    """Tell whether a script runs a file that the compiler, which keeps names, has no source of."""
    file = next((posixpath.normpath(part.node_file) for part in parts(manifest, line) if part.node_file), "")
    builds = [part.bare for part in parts(manifest, manifest.scripts.get("build", ""))]
    is_plain = bool(builds) and all(
        re.match(r"(?:tsc|tsc-alias|rimraf|rm|cp|copyfiles|eslint)\b", part) for part in builds
    )
    if not is_plain or file in tree.index or not re.match(r"(?:dist|build|lib|out)/.*\.js$", file):
        return False
    options = jsonc.table(tree.read("tsconfig.json")).get("compilerOptions")
    root = _folder(options.get("rootDir")) if isinstance(options, dict) else ""
    inner = file.partition("/")[2].removesuffix(".js")
    places = [posixpath.join(folder, inner) for folder in ("", "src", root)]
    return not any(f"{place}.{end}" in tree.index for place in places for end in ("ts", "tsx", "mts", "cts", "js"))


def _has_server(tree: Tree) -> bool:
    """Tell whether a file that is called like a server's opens a port."""
    names = (f"{stem}{end}" for stem in _CUSTOM for end in (".js", ".mjs", ".cjs", ".ts"))
    return any(
        re.search(r"\.listen\(|createServer\(|\bserve\(", tree.read(name)) for name in names if name in tree.index
    )


def _script(tree: Tree, manifest: Manifest, name: str, line: str) -> Start:
    """Run the script by its package manager; what it builds is built beforehand: a release's folder is read-only."""
    own = parts(manifest, manifest.scripts.get("build", ""))
    chain = parts(manifest, line)
    builds = [part for part in chain[:-1] if part.builds or part.command in {item.command for item in own}]
    before = parts(manifest, manifest.scripts.get(f"pre{name}", ""))
    builds_before = bool(before) and all(part.builds for part in before)
    command = run_script(manifest, name)
    if builds:
        command = with_programs(" && ".join(part.command for part in chain if part not in builds))
    elif builds_before:
        command = f"npm {'start' if name == 'start' else f'run {name}'} --ignore-scripts"
    made = [*(before if builds_before else []), *builds]
    because = manifest.evidence("start_command", command, name, "script")
    made_first = [part.command for part in made if part not in own]
    if ".next/standalone" in line and ".next/static" not in manifest.scripts.get("build", ""):
        made_first.append(STANDALONE)
    return Start(command, line, because, tuple(made_first))


def _sent_away(tree: Tree, manifest: Manifest, name: str, line: str) -> Iterator[Start]:
    """Yield the file of a program that `pm2 start` or `forever start` leaves in the background, where nobody sees it.

    See https://pm2.keymetrics.io/docs/usage/docker-pm2-nodejs/.
    """
    for part in parts(manifest, line):
        if not re.match(r"(?:pm2|forever) start\b", part.bare) or "--no-daemon" in part.bare:
            continue
        file = posixpath.normpath(part.node_file)
        if re.search(r"\.(?:json|ya?ml|config\.c?js)$", file):
            told = re.search(r"[\"']?\bscript\b[\"']?\s*:\s*[\"']?([\w./-]+)", tree.read(file))
            file = posixpath.normpath(told[1]) if told else ""
        yield from _file(tree, manifest, file, name, "script")


def _imaged(tree: Tree, manifest: Manifest, own: Serving | None) -> Iterator[Start]:
    """Yield what the image's command runs by node, where the file is there or the build makes it."""
    for name in FILES:
        said = [words for _, keyword, words in instructions(tree, name) if keyword in {"ENTRYPOINT", "CMD"}]
        for words in said[-1:] if name in tree.index else ():
            part = Part(line := " ".join(re.sub(r"[\[\]\"',]+", " ", words).split()), line)
            if part.bare.startswith("node ") and not _is_built_elsewhere(tree, manifest, line, own):
                yield from _file(tree, manifest, part.node_file, "", "dockerfile")


def _files(tree: Tree, manifest: Manifest) -> Iterator[Start]:
    """Yield the files that might be run: what development runs, `main`, what is called so by custom."""
    for name in ("start", "dev", "start:dev", "develop"):
        for part in parts(manifest, manifest.scripts.get(name, "")):
            if part.compiler and part.node_file and (part.compiler == "babel-node" or not compiles(tree, manifest)):
                line = f"{part.compiler} {part.node_file}"
                because = manifest.evidence("start_command", with_programs(line), name, "development-script")
                yield Start(with_programs(line), line, because)
            yield from _file(tree, manifest, part.node_file, name, "development-script")
    main = manifest.fields.get("main")
    if isinstance(main, str):
        yield from _file(tree, manifest, main, "main", "main")
    for stem in _CUSTOM:
        for end in (".js", ".mjs", ".cjs", ".ts", ""):
            if f"{stem}{end}" in tree.index:
                yield from _file(tree, manifest, f"{stem}{end}", "", "custom")


def _nx(tree: Tree, manifest: Manifest) -> Iterator[Start]:
    """Yield what Nx makes of its projects: programs, and pages that are served."""
    for made in list_made(tree):
        command = f"node {made.file}" if made.file else Site("nx", made.folder, True, "", made.where).command
        because = Evidence(fact="start_command", value=command, file=made.where, rule="nx-project")
        builds = (made.build,) if made.build and made.build not in manifest.scripts.get("build", "") else ()
        yield Start(command, command, because, builds, server=None if made.file else SERVER)


def _file(tree: Tree, manifest: Manifest, file: str, key: str, rule: str) -> Iterator[Start]:
    path = posixpath.normpath(file) if file else ""
    path = next((name for name in (path, f"{path}.js", posixpath.join(path, "index.js")) if name in tree.index), path)
    if not path:
        return
    if re.search(r"\.[cm]?tsx?$", path):
        path = compiled(tree, path) if compiles(tree, manifest) else ""
    elif path not in tree.index and not (_COMPILED.match(path) and compiles(tree, manifest)):
        return
    if path:
        command = f"node {path}"
        because = manifest.evidence("start_command", command, key, rule) if key else _custom(tree, path, rule)
        yield Start(command, command, because)


def _custom(tree: Tree, path: str, rule: str) -> Evidence:
    file = tree.where(path) if path in tree.index else ""
    return Evidence(fact="start_command", value=f"node {path}", file=file, rule=rule, confidence="likely")


def compiles(tree: Tree, manifest: Manifest) -> bool:
    """Tell whether building the application makes JavaScript of its TypeScript."""
    has_compiler = "typescript" in manifest.development or manifest.has("typescript")
    return "build" in manifest.scripts or ("tsconfig.json" in tree.index and has_compiler)


def compiled(tree: Tree, path: str) -> str:
    """Return where the compiler leaves what it makes of a TypeScript file."""
    options = jsonc.table(tree.read("tsconfig.json")).get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    out, root = (_folder(options.get(key)) for key in ("outDir", "rootDir"))
    root = root or ("src" if out and path.startswith("src/") else "")
    inner = path.removeprefix(f"{root}/") if root else path
    return re.sub(r"\.([cm]?)tsx?$", r".\1js", posixpath.join(out, inner))


def with_programs(command: str) -> str:
    """Return a command that finds the programs of the dependencies, as npm's scripts do."""
    bare = re.split(r"\s*(?:&&|;|\|\|)\s*", command)
    if all(re.match(r"^(node|npm|npx|yarn|pnpm|bun|bunx|cd|serve)\b", Part(part, part).bare) for part in bare):
        return command
    return f"PATH=/app/src/node_modules/.bin:$PATH; {command}"


def _folder(value: object) -> str:
    folder = posixpath.normpath(value) if isinstance(value, str) and value else "."
    return "" if folder == "." else folder.strip("/")
