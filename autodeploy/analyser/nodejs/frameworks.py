"""The frameworks that are known, by the package that production depends on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autodeploy.analyser.nodejs.manifest import Manifest

FRAMEWORKS: dict[str, str] = {
    "next": "next",
    "nuxt": "nuxt",
    "nuxt3": "nuxt",
    "@react-router/serve": "react-router",
    "@react-router/node": "react-router",
    "@react-router/express": "react-router",
    "@remix-run/serve": "remix",
    "@remix-run/node": "remix",
    "@remix-run/express": "remix",
    "@sveltejs/kit": "sveltekit",
    "@sveltejs/adapter-node": "sveltekit",
    "astro": "astro",
    "@adonisjs/core": "adonis",
    "@feathersjs/feathers": "feathers",
    "parse-server": "parse-server",
    "@nestjs/core": "nest",
    "fastify": "fastify",
    "@hapi/hapi": "hapi",
    "hapi": "hapi",
    "koa": "koa",
    "hono": "hono",
    "sails": "sails",
    "restify": "restify",
    "polka": "polka",
    "micro": "micro",
    "express": "express",
}
"""Name of the framework by its package. Those that stand upon another come first: Nest is served by Express."""

BUILT_WITH = frozenset({"nuxt", "nuxt3", "@sveltejs/kit", "@sveltejs/adapter-node", "astro"})
"""Packages that development depends on by custom: what they build needs none of them."""

_BUILT = re.compile(r"\bnode\b.*\b(?:dist|build|lib|out|output)/")
FRONT_ENDS = (
    "vite", "react-scripts", "@vue/cli-service", "@angular/cli", "parcel", "gatsby", "@docusaurus/core", "vitepress",
    "@11ty/eleventy", "webpack-dev-server",
)  # fmt: skip
"""Tools that make pages for a browser; what they serve by themselves is for development."""


def detect_framework(manifest: Manifest) -> tuple[str, str] | None:
    """Return framework and package; None for plain Node.js."""
    for package, framework in FRAMEWORKS.items():
        if manifest.has(package) or (package in BUILT_WITH and package in manifest.development):
            return framework, package
    # Where what is started needs no package at all, the build has taken in what development depends on.
    is_bundled = not manifest.dependencies and bool(_BUILT.search(manifest.scripts.get("start", "")))
    bundled = manifest.development if is_bundled else ()
    return next(((name, package) for package, name in FRAMEWORKS.items() if package in bundled), None)


def serves(package: Mapping[str, Any]) -> bool:
    """Tell whether a package.json depends on a framework that serves."""
    declared, development = (package.get(key) for key in ("dependencies", "devDependencies"))
    names = set(declared) if isinstance(declared, dict) else set()
    names |= BUILT_WITH.intersection(development) if isinstance(development, dict) else set()
    return not names.isdisjoint(FRAMEWORKS)
