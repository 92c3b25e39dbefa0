"""The frameworks that are known, by the package that production depends on."""

from __future__ import annotations

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.manifest import Manifest

FRAMEWORKS: dict[str, str] = {
    "next": "next",
    "nuxt": "nuxt",
    "@remix-run/serve": "remix",
    "@react-router/serve": "react-router",
    "@sveltejs/adapter-node": "sveltekit",
    "@astrojs/node": "astro",
    "@adonisjs/core": "adonis",
    "@feathersjs/feathers": "feathers",
    "parse-server": "parse-server",
    "@nestjs/core": "nest",
    "fastify": "fastify",
    "@hapi/hapi": "hapi",
    "koa": "koa",
    "hono": "hono",
    "restify": "restify",
    "polka": "polka",
    "micro": "micro",
    "express": "express",
}
"""Name of the framework by its package. Those that stand upon another come first: Nest is served by Express."""

FRONT_ENDS = ("vite", "react-scripts", "@vue/cli-service", "@angular/cli", "parcel", "gatsby", "webpack-dev-server")
"""Tools that make pages for a browser; what they serve by themselves is for development."""


def detect_framework(manifest: Manifest) -> tuple[str, str] | None:
    """Return framework and package; None for plain Node.js. SvelteKit's and Nuxt's are development packages."""
    for package, framework in FRAMEWORKS.items():
        if manifest.has(package) or (framework in {"nuxt", "sveltekit"} and package in manifest.development):
            return framework, package
    return None


def declares_server(package: str) -> bool:
    """Tell whether the text of a package.json depends on a framework that serves; Next.js is one, Vite is none."""
    declared = jsonc.table(package).get("dependencies")
    return isinstance(declared, dict) and not FRAMEWORKS.keys().isdisjoint(declared)
