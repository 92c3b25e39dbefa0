"""Routes that are files: of Next.js, Nuxt, SvelteKit, Astro, Remix and React Router. Names in, paths out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodeploy.analyser.health import Route
from autodeploy.analyser.nodejs.code import Code
from autodeploy.analyser.nodejs.prefixes import joined

_SCRIPT = r"\.[cm]?[jt]sx?$"
FILE_ROUTES: dict[str, tuple[re.Pattern[str], ...]] = {
    "next": (
        re.compile(r"^(?:src/)?pages/(?P<path>api/[\w/-]+|index)\.[jt]sx?$"),
        re.compile(r"^(?:src/)?app/(?P<path>(?:[\w()@./-]+/)?(?:route|page))\.[jt]sx?$"),
    ),
    "nuxt": (
        re.compile(rf"^(?:src/)?server/(?P<path>api/[\w/-]+(?:\.get)?){_SCRIPT}"),
        re.compile(rf"^(?:src/)?server/routes/(?P<path>[\w/-]+(?:\.get)?){_SCRIPT}"),
        re.compile(r"^(?:src/|app/)?(?:pages/(?P<path>index)|app)\.vue$"),
    ),
    "sveltekit": (re.compile(r"^src/routes/(?P<path>(?:[\w()./-]+/)?\+(?:server|page))\.(?:svelte|[jt]s)$"),),
    "astro": (re.compile(r"^src/pages/(?P<path>[\w./-]+?)\.(?:astro|mdx?|[jt]s)$"),),
    "remix": (re.compile(rf"^app/routes/(?P<flat>[\w.+/-]+?){_SCRIPT}"),),
    "react-router": (re.compile(rf"^app/routes/(?P<flat>[\w.+/-]+?){_SCRIPT}"),),
}
"""What the paths of files say of routes, by framework; what is named by a parameter matches nothing here."""

_DECLARED = re.compile(r"\b(?:route\(\s*['\"](?P<path>[^'\"]+)['\"]|(?P<front>index)\()")
_ENDS = re.compile(r"(?:^|/)(?:index|route|page|\+server|\+page)$|\.get$")
_GROUPS = re.compile(r"(?:^|(?<=/))(?:\([^/)]*\)|@[\w-]+)/")


def file_routes(code: Code, framework: str) -> list[Route]:
    """Return the routes that files make, and those that React Router's own list names."""
    declared = list(_declared(code)) if framework == "react-router" else []
    return declared or list(_named(code, framework))


def _named(code: Code, framework: str) -> Iterator[Route]:
    for path in code.tree.paths:
        match = next((match for item in FILE_ROUTES[framework] if (match := item.match(path))), None)
        if match is None:
            continue
        flat = match.groupdict().get("flat")
        inner = _flat(flat) if flat else _ENDS.sub("", _GROUPS.sub("", match.groupdict().get("path") or ""))
        if inner is not None:
            yield Route(joined(inner), True, code.tree.where(path), 0)


def _flat(name: str) -> str | None:
    """Return the path of a file of flat routes: dots part it, `_index` is its front, `_layout.` adds nothing to it."""
    parts = re.split(r"[./]", re.sub(r"/(route|index)$", "", name.replace("+/", "/")))
    if any(part.startswith("$") for part in parts):
        return None
    return "/".join(part.rstrip("_") for part in parts if not part.startswith("_") and part != "index")


def _declared(code: Code) -> Iterator[Route]:
    for file in ("app/routes.ts", "app/routes.js", "app/routes.tsx", "app/routes.mjs"):
        said = code.tree.read(file)
        for match in _DECLARED.finditer(said):
            path = "/" if match["front"] else joined(match["path"])
            if not re.search(r"[:*?]", path):
                yield Route(path, True, code.tree.where(file), said.count("\n", 0, match.start()) + 1)
