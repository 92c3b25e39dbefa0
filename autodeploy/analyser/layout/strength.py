"""How sure it is that a project runs as a service: by its package files, and where they say little, by its code."""

from __future__ import annotations

import re
from enum import IntEnum

from autodeploy.analyser.layout.projects import Layout, Project
from autodeploy.analyser.layout.workspaces import members
from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.frameworks import FRAMEWORKS, FRONT_ENDS
from autodeploy.analyser.toml import table
from autodeploy.analyser.tree import Tree


class Strength(IntEnum):
    """What a project is for, the more the likelier it is what a repository deploys."""

    TOOLS = 0
    PAGES = 1
    PROGRAM = 2
    RENDERS = 3
    SERVES = 4


MAX_GO_FILES = 150

PYTHON_WEB = re.compile(
    r"(?im)^[\s\"']*(django|flask|fastapi|starlette|litestar|tornado|sanic|bottle|pyramid|streamlit|quart|falcon"
    r"|cherrypy|gradio|dash|chainlit|wagtail|robyn|blacksheep|nicegui|connexion|djangorestframework|flask-\w+"
    r"|gunicorn|uvicorn|hypercorn|waitress|daphne|uwsgi)\b(?![-.]?(stubs|types))"
)
PYTHON_CODE = re.compile(
    r"(?m)^\s*(?:from|import)\s+(django|flask|fastapi|starlette|litestar|tornado|sanic|bottle|pyramid|streamlit|quart"
    r"|falcon|cherrypy|gradio|dash|http\.server|wsgiref|aiohttp import web)\b"
)
GO_WEB = re.compile(
    r"(?m)^[^/\n]*\b(gin-gonic/gin|labstack/echo|gofiber/fiber|go-chi/chi|gorilla/mux|julienschmidt/httprouter"
    r"|beego/beego|astaxie/beego|gobuffalo/buffalo|kataras/iris|valyala/fasthttp|go-martini/martini|urfave/negroni"
    r"|revel/revel|cloudwego/hertz|zeromicro/go-zero|uptrace/bunrouter|danielgtaylor/huma)\b(?!.*// indirect)"
)
_FOREIGN = {
    "ruby": re.compile(r"(?m)^[^#\n]*['\"](rails|sinatra|hanami|roda|puma|unicorn|thin|rack|grape|padrino)['\"]|^run "),
    "php": re.compile(r"\"(laravel|symfony|slim|cakephp|codeigniter4?|yiisoft|laminas|drupal|craftcms|roots|magento)/"),
    "java": re.compile(
        r"(?i)spring-?boot|springframework|micronaut|quarkus|servlet|ktor|vertx|dropwizard|helidon|javalin|jetty"
        r"|com\.typesafe\.play|tomcat|<packaging>war"
    ),
    "scala": re.compile(r"(?i)play|http4s|akka-http|pekko-http|zio-http|finatra"),
    "dotnet": re.compile(r"Microsoft\.NET\.Sdk\.Web|Microsoft\.AspNetCore"),
    "rust": re.compile(r"(?m)^\s*(actix-web|axum|rocket|warp|hyper|tide|poem|salvo|loco-rs)\b"),
    "elixir": re.compile(r":(phoenix|plug|plug_cowboy|bandit|cowboy)\b"),
    "clojure": re.compile(r"ring|pedestal|compojure|http-kit|luminus"),
    "haskell": re.compile(r"\b(yesod|servant|scotty|warp|snap)\b"),
    "crystal": re.compile(r"\b(kemal|amber|lucky)\b"),
    "swift": re.compile(r"(?i)vapor|hummingbird|kitura"),
    "perl": re.compile(r"Mojolicious|Dancer|Catalyst|Plack"),
    "deno": re.compile(r"fresh|oak|hono|serve"),
}
_PAGES = {"ruby": re.compile(r"jekyll|middleman|github-pages|nanoc"), "php": re.compile(r"jigsaw|sculpin")}
_MARKS = {"php": ("artisan", "index.php", "public/index.php"), "ruby": ("config.ru", "bin/rails")}
_ONLY_BESIDE = frozenset({"ruby", "php", "c++", "perl", "lua", "julia"})
"""Languages whose package files often serve other projects: without sources, they are tools."""

_RENDERING = frozenset({"next", "nuxt", "remix", "react-router", "sveltekit", "astro", "gatsby"})
_NODE_START = re.compile(r"^(?!.*\b(vite|react-scripts|webpack|ng|parcel|gatsby|expo|electron|storybook)\b).*\S")


def judge(layout: Layout, project: Project) -> Strength:
    """Return what the project is for."""
    if project.language == "nodejs":
        return _node(layout, project)
    if project.language == "python":
        return _python(layout, project)
    if project.language == "go":
        return _go(layout, project)
    return _foreign(layout, project)


def _texts(tree: Tree, project: Project) -> str:
    return "\n".join(tree.read(path) for path in project.files)


def _python(layout: Layout, project: Project) -> Strength:
    tree = layout.tree
    if f"{project.prefix}manage.py" in tree.index:
        return Strength.SERVES
    declared = [tree.read(path) for path in project.files if not path.endswith((".toml", ".py", ".cfg"))]
    text = tree.read(f"{project.prefix}pyproject.toml")
    listed = table(text, "project").get("dependencies")
    declared += [str(item) for item in listed] if isinstance(listed, list) else []
    declared += table(text, "tool", "poetry", "dependencies")
    if any(PYTHON_WEB.search(part) for part in declared):
        return Strength.SERVES
    is_for_tools = all(re.search(r"(^|[/_.-])(dev|test|tests|docs?|lint|ci)([/_.-]|$)", path) for path in project.files)
    if is_for_tools or not layout.count(project.folder, "python"):
        return Strength.TOOLS
    near = (path for path in tree.paths_below(project.folder) if path.endswith(".py"))
    own = [path for path in near if path.count("/") <= project.depth + 1][:40]
    return Strength.SERVES if any(PYTHON_CODE.search(tree.read(path)) for path in own) else Strength.PROGRAM


def _go(layout: Layout, project: Project) -> Strength:
    tree = layout.tree
    if not layout.count(project.folder, "go"):
        return Strength.TOOLS
    files = [path for path in tree.paths_below(project.folder) if path.endswith(".go") and "_test." not in path]
    # What lies in a module within the module is none of its packages: https://go.dev/ref/mod#modules-overview.
    modules = (f"{folder}/" for folder, names in layout.named.items() if "go.mod" in names and folder)
    inner = tuple(folder for folder in modules if folder != project.prefix and folder.startswith(project.prefix))
    files = [path for path in files if not path.startswith(inner)] if inner else files
    # Programs lie near the module's root; of a large module that is enough, however many packages sort before them.
    files.sort(key=lambda path: ("/cmd/" not in f"/{path}", path.count("/")))
    texts = [tree.read(path) for path in files[:MAX_GO_FILES]]
    if not any(re.search(r"(?m)^package main\b", text) for text in texts):
        return Strength.TOOLS
    serves = GO_WEB.search(_texts(tree, project)) or any(".ListenAndServe" in text for text in texts)
    return Strength.SERVES if serves else Strength.PROGRAM


def _node(layout: Layout, project: Project) -> Strength:
    inner = [other for other in layout.projects if other.language == "nodejs" and other != project]
    below = members(layout.tree, project, [other.folder for other in inner])
    return max([_package(layout.tree, project), *(_package(layout.tree, it) for it in inner if it.folder in below)])


def is_spread(layout: Layout, project: Project, strength: Strength) -> bool:
    """Tell whether a project is that strong by the packages of its workspace alone."""
    return project.language == "nodejs" and _package(layout.tree, project) < strength


def _package(tree: Tree, project: Project) -> Strength:
    package = jsonc.table(tree.read(f"{project.prefix}package.json"))
    names = {key: set(value) if isinstance(value, dict) else set() for key, value in package.items()}
    needed, wanted = names.get("dependencies", set()), names.get("devDependencies", set())
    known = {FRAMEWORKS[name] for name in needed & FRAMEWORKS.keys()}
    if known - _RENDERING:
        return Strength.SERVES
    if known or (needed | wanted) & {"nuxt", "@sveltejs/kit", "next", "astro"}:
        return Strength.RENDERS
    pages = (needed | wanted).intersection(FRONT_ENDS)
    scripts = package.get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    main = package.get("main")
    entry = tree.read(f"{project.prefix}{main if isinstance(main, str) else 'index.js'}".replace("/./", "/"))
    if re.search(r"\.listen\(|createServer\(|\bBun\.serve\(", entry):
        return Strength.SERVES
    if isinstance(start, str) and _NODE_START.match(start):
        return Strength.PROGRAM
    return Strength.PAGES if pages else Strength.TOOLS


def _foreign(layout: Layout, project: Project) -> Strength:
    tree, language = layout.tree, project.language
    text = _texts(tree, project)
    if language == "dotnet":
        text += "".join(tree.read(path) for path in tree.paths_below(project.folder) if path.endswith(".csproj"))
    pattern = _FOREIGN.get(language)
    if pattern and pattern.search(text):
        return Strength.SERVES
    if any(project.prefix + mark in tree.index for mark in _MARKS.get(language, ())):
        return Strength.SERVES
    if language in _PAGES and _PAGES[language].search(text):
        return Strength.PAGES
    if language in _ONLY_BESIDE and not layout.count(project.folder, language):
        return Strength.TOOLS
    return Strength.TOOLS if "com.android" in text else Strength.PROGRAM
