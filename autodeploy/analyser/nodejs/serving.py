"""How each framework starts what it has built, where no script says so; its own documentation's words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.sites import config
from autodeploy.analyser.tree import Tree


@dataclass(frozen=True)
class Serving:
    """A command, the build that must have run, and the file that told."""

    command: str
    build: str
    file: str = ""
    after: str = ""
    warning: str = ""


def own_serving(tree: Tree, manifest: Manifest, framework: str | None) -> Serving | None:
    """Return how a framework that is built serves; None for one whose application is a file of its own."""
    if framework == "next":
        return _next(tree)
    if framework == "nuxt":
        return Serving("node .output/server/index.mjs", "nuxt build")
    if framework == "remix":
        has_vite = bool(config(tree, "vite.config")[0])
        return _served(manifest, "remix-serve", "./build/server/index.js" if has_vite else "./build/index.js",
                       "remix vite:build" if has_vite else "remix build")  # fmt: skip
    if framework == "react-router":
        return _served(manifest, "react-router-serve", "./build/server/index.js", "react-router build")
    if framework == "sveltekit":
        return _sveltekit(tree, manifest)
    if framework == "astro":
        return _astro(tree)
    if framework == "adonis":
        return _adonis(tree)
    return None


def is_standalone(tree: Tree) -> bool:
    """Tell whether Next.js is asked for a server with all that it needs."""
    return bool(re.search(r"output['\"]?\s*:[^,\n]*['\"]standalone['\"]", config(tree, "next.config")[1]))


STANDALONE = "cp -R .next/static .next/standalone/.next/ && if [ -d public ]; then cp -R public .next/standalone/; fi"
"""What Next.js leaves to whoever deploys; https://nextjs.org/docs/app/api-reference/config/next-config-js/output."""


def _next(tree: Tree) -> Serving:
    if is_standalone(tree):
        file = tree.where(config(tree, "next.config")[0])
        return Serving("node .next/standalone/server.js", "next build", file, STANDALONE)
    return Serving("next start -p $PORT", "next build")


def _served(manifest: Manifest, program: str, file: str, build: str) -> Serving | None:
    package = "@remix-run/serve" if program == "remix-serve" else "@react-router/serve"
    return Serving(f"{program} {file}", build) if manifest.has(package) else None


def _sveltekit(tree: Tree, manifest: Manifest) -> Serving:
    file, said = config(tree, "svelte.config")
    adapters = sorted(
        name for name in {*manifest.development, *manifest.dependencies} if name.startswith("@sveltejs/adapter-")
    )
    other = next((name for name in adapters if name in said), adapters[0] if adapters else "")
    warning = ""
    if other != "@sveltejs/adapter-node":
        warning = (
            f"{other or 'no adapter of SvelteKit'} makes no server for Node.js: "
            "take @sveltejs/adapter-node in svelte.config.js"
        )
    out = re.search(r"adapter\(\{[^}]*\bout\s*:\s*['\"]([\w./-]+)", said)
    folder = out[1].rstrip("/") if out else "build"
    return Serving(f"node {folder}/index.js", "vite build", tree.where(file) if file else "", warning=warning)


def _astro(tree: Tree) -> Serving:
    file, said = config(tree, "astro.config")
    is_node = "@astrojs/node" in said
    adapter = re.search(r"from\s+['\"](@astrojs/(?:vercel|netlify|cloudflare|deno)[\w/-]*)['\"]", said)
    warning = f"{adapter[1]} makes no server for Node.js: take @astrojs/node" if adapter and not is_node else ""
    if re.search(r"mode\s*:\s*['\"]middleware['\"]", said):
        warning = "@astrojs/node in the mode `middleware` opens no port by itself: take the mode `standalone`"
    return Serving("node dist/server/entry.mjs", "astro build", tree.where(file) if file else "", warning=warning)


def _adonis(tree: Tree) -> Serving | None:
    """Adonis 6 is served from bin/, 5 from its folder, both by what `node ace build` leaves in build/."""
    for name in ("bin/server", "server"):
        if f"{name}.ts" in tree.index:
            return Serving(f"{adonis_host(tree)}node build/{name}.js", "node ace build", tree.where(f"{name}.ts"))
    return None


def adonis_host(tree: Tree) -> str:
    """Return what Adonis's own programs are told where to bind, with a space; "" where they do not demand it."""
    demands = any(re.search(r"\bHOST\s*:", tree.read(file)) for file in ("start/env.ts", "env.ts"))
    return "HOST=127.0.0.1 " if demands else ""
