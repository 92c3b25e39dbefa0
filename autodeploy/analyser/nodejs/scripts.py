"""Reads package.json's scripts: what a command line runs, and whether that is fit for production. Runs none of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autodeploy.analyser.nodejs.manifest import Manifest

_RUN = re.compile(
    r"^(?:(?:npm|pnpm|yarn|bun)\s+(?:run|run-script)\s+(?:--?silent\s+|-s\s+)?|(?:yarn|pnpm|npm|bun)\s+(?=start\b))"
    r"(?P<script>[\w:.-]+)$"
)
_WRAPPER = re.compile(
    r"^(?:(?:\./)?node_modules/\.bin/|cross-env(?:-shell)?\s+|npx\s+(?:--no-install\s+)?|exec\s+|env\s+)"
)
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\S*)\s+")
_WATCHES = re.compile(
    r"^(nodemon|ts-node-dev|tsnd|node-dev|supervisor|vite(?! preview\b.*\$\{?PORT)(?! build)|next dev|next$|nuxt$"
    r"|(nuxt|nuxi) (dev|preview)|react-scripts start|vue-cli-service serve|ng (serve|s$)|ng$|webpack-dev-server"
    r"|webpack serve|parcel(?! build)|astro (dev|preview)|(remix|react-router) (vite:)?dev|gatsby (develop|serve)"
    r"|docusaurus (start|serve)|vitepress (dev|preview|serve)|eleventy.*--serve|(rsbuild|rspack) (dev|preview|serve)"
    r"|turbo (run )?dev|nx (serve|run \S+:serve)|ionic serve|expo start|storybook dev|strapi develop|nest start"
    r"|node ace(\.js)? serve|concurrently|npm-run-all|run-p|live-server|browser-sync|gulp|grunt|docker(-compose)?"
    r"|adonis serve|wrangler dev|bun (run )?--(hot|watch)|sls offline|serverless offline|firebase|heroku local"
    r"|foreman)(?!\S)|(^|\s)--watch(-path)?\b"
)
_BUILDS = re.compile(
    r"^(tsc|tsup|swc|babel|webpack|rollup|esbuild|(nest|next|nuxt|nuxi|vite|parcel|nx|ng|vue-cli-service|react-scripts"
    r"|react-router|gatsby|docusaurus|bun|ncc|node ace) build|remix (vite:)?build|astro (build|check)|svelte-kit"
    r"|unbuild|tsdown|turbo|gulp|grunt|rimraf|rm|mkdirp?|cp|cpx|copyfiles|ncp|del|shx|tsc-alias|prisma generate|sass"
    r"|node-sass|postcss|tailwindcss|(npm|pnpm|bun) (ci|install|i)|yarn install|yarn$)(?!\S)"
)
_TOOLS = {
    "ts-node": "ts-node",
    "tsx": "tsx",
    "babel-node": "@babel/node",
    "sequelize": "sequelize-cli",
    "sequelize-cli": "sequelize-cli",
    "knex": "knex",
    "prisma": "prisma",
    "tsc": "typescript",
    "nest": "@nestjs/cli",
    "nx": "nx",
    "vite": "vite",
    "next": "next",
    "pm2": "pm2",
    "pm2-runtime": "pm2",
    "cross-env": "cross-env",
    "dotenv": "dotenv-cli",
    "env-cmd": "env-cmd",
    "esr": "esbuild-runner",
    "esno": "esno",
    "swc-node": "@swc-node/cli",
    "sucrase-node": "sucrase",
    "serve": "serve",
    "typeorm": "typeorm",
    "typeorm-ts-node-commonjs": "typeorm",
    "typeorm-ts-node-esm": "typeorm",
    "remix-serve": "@remix-run/serve",
    "react-router-serve": "@react-router/serve",
    "react-router": "@react-router/dev",
    "remix": "@remix-run/dev",
    "nuxt": "nuxt",
    "astro": "astro",
    "mikro-orm": "@mikro-orm/cli",
    "mikro-orm-esm": "@mikro-orm/cli",
    "drizzle-kit": "drizzle-kit",
    "tsconfig-paths": "tsconfig-paths",
    "rimraf": "rimraf",
}
"""The packages of programs that scripts call, where their names may differ."""


@dataclass(frozen=True)
class Part:
    """One command of a line that is a chain: as written, and without what only wraps it."""

    command: str
    bare: str

    @property
    def watches(self) -> bool:
        """Tell whether it is a server for development."""
        return bool(_WATCHES.search(self.bare))

    @property
    def builds(self) -> bool:
        """Tell whether it makes files, and serves nothing."""
        return bool(_BUILDS.match(self.bare)) and not self.watches

    @property
    def by_bun(self) -> bool:
        """Tell whether bun runs a file, and not node."""
        return self.bare.startswith("bun ") and bool(self.node_file)

    @property
    def compiler(self) -> str:
        """Return what a watching program runs the file by, where that compiles it as it runs; "" for node itself."""
        match = re.search(
            r"(?:^|\s)(?:--exec|-x)[\s=]+[\"']?(?:npx\s+)?(?P<by>babel-node|ts-node|tsx)(?!\S*/)", self.bare
        )
        return match["by"] if match and self.watches else ""

    @property
    def node_file(self) -> str:
        """Return the file that node, or one of its kin, is told to run; "" when there is none."""
        match = re.match(
            r"^(?:node|bun(?:\s+run)?|nodemon|ts-node|ts-node-dev|tsnd|tsx(?:\s+watch)?|babel-node|node-dev|supervisor"
            r"|pm2-runtime|(?:pm2|forever) start)\b(?P<rest>.*)$",
            self.bare,
        )
        if not match:
            return ""
        valued = "-r|--require|--import|--loader|--experimental-loader|-P|--project|--exec|-x|--ext|-e"
        valued += "" if self.bare.startswith("node ") else "|--watch|-w"
        rest = re.sub(rf"(?<!\S)(?:{valued})(?:\s+|=)(\"[^\"]*\"|'[^']*'|\S+)", " ", match["rest"])
        words = [word for word in rest.split() if not word.startswith("-")]
        return words[0].strip("'\"") if words else ""


def parts(manifest: Manifest, line: str, depth: int = 0) -> list[Part]:
    """Return the chain of commands behind a script's line, `npm run X` replaced by what X says."""
    found: list[Part] = []
    for command in re.split(r"\s*(?:&&|;)\s*", line.strip()):
        part = Part(command, _bare(command))
        called = _RUN.match(part.bare) or re.match(r"^(?:yarn|pnpm)\s+(?P<script>[\w:.-]+)$", part.bare)
        inner = manifest.scripts.get(called["script"]) if called else None
        listed = re.match(r"^(?:run-s|npm-run-all(?:\s+(?:-s|--serial|--sequential))?)((?:\s+[\w:.-]+)+)$", part.bare)
        if listed and depth < 5:
            lines = (manifest.scripts.get(name, "") for name in listed[1].split())
            found += [inner for line in lines for inner in parts(manifest, line, depth + 1)]
        elif inner:
            found += parts(manifest, inner, depth + 1) if depth < 5 else []
        elif command:
            found.append(part)
    return found


def run_script(manifest: Manifest, name: str) -> str:
    """Return how the application's package manager runs a script."""
    manager = manifest.package_manager
    return f"{manager} start" if name == "start" and manager != "bun" else f"{manager} run {name}"


def is_for_development(manifest: Manifest, line: str) -> bool:
    """Tell whether a line ends in a server that watches files, or is no server at all."""
    chain = parts(manifest, line)
    return not chain or any(part.watches for part in chain) or all(part.builds for part in chain)


def development_packages(manifest: Manifest, line: str) -> tuple[str, ...]:
    """Return the development packages whose programs a line calls: they must travel with the release."""
    words = {word for part in parts(manifest, line) for word in re.findall(r"[@\w./-]+", part.command)}
    tools = {_TOOLS.get(word.split("/")[0], word) for word in words} | {word.split("/register")[0] for word in words}
    return tuple(sorted(tool for tool in tools if tool in manifest.development and tool not in manifest.dependencies))


def _bare(command: str) -> str:
    before = None
    while command != before:
        before = command
        command = _ASSIGNMENT.sub("", _WRAPPER.sub("", command.strip()))
    return command
