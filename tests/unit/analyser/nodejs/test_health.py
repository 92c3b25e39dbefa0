"""The health path among the routes of Node.js applications."""

from __future__ import annotations

import pytest
from unit.analyser.nodejs.applications import HEAD, stack_of

HEALTH: dict[str, tuple[str, dict[str, str], str]] = {
    "health before the front": ("app.get('/', f);\napp.get('/healthz', f);", {}, "/healthz"),
    "a setting is no route": ("app.get('/health');\napp.get('/', f);", {}, "/"),
    "a client is no server": ("axios.get('/health', f);\napp.get('/', f);", {}, "/"),
    "POST is no health route": ("app.post('/health', f);\napp.get('/', f);", {}, "/"),
    "a login is no health route": ("app.get('/health', requireAuth, f);\napp.get('/', f);", {}, "/"),
    "passport": ("app.get('/status', passport.authenticate('jwt'), f);\napp.get('/', f);", {}, "/"),
    "behind a guard": ("app.get('/', f);\napp.use(checkToken);\napp.get('/health', f);", {}, "/"),
    "passport.initialize is no guard": ("app.use(passport.initialize());\napp.get('/health', f);", {}, "/health"),
    "parameters are not static": ("app.get('/:id', f);\napp.get('/list/all', f);", {}, "/list/all"),
    "somebody's own page": ("app.get('/me', f);\napp.get('/books/list', f);", {}, "/books/list"),
    "chained": ("app.route('/health').get(f).post(g);", {}, "/health"),
    "chained without GET": ("app.route('/health').post(g);\napp.get('/', f);", {}, "/"),
    "route object": ("app.route({ method: 'GET', url: '/ping', handler });", {}, "/ping"),
    "hapi": ("app.route({ method: 'GET', path: '/up', handler });", {}, "/up"),
    "route object without GET": ("app.route({ method: 'PUT', path: '/up', handler });\napp.get('/', f);", {}, "/"),
    "required router": ("app.use('/api', require('./routes'));", {"routes/index.js": "r.get('/health', f)"}, "/api/health"),
    "named router": ("const r = require('./r');\napp.use('/v1', r);", {"r.js": "router.get('/up', f)"}, "/v1/up"),
    "called router": ("const r = require('./r');\napp.use('/v1', r(app));", {"r.js": "router.get('/up', f)"}, "/v1/up"),
    "router in a router": (
        "app.use('/api', require('./a'));",
        {"a.js": "import { b } from './b.js';\nrouter.use('/b', b);", "b.ts": "export const b = Router();\nb.get('/ping', f);"},
        "/api/b/ping",
    ),
    "router without a prefix": ("app.use(require('./a'));", {"a.js": "router.get('/up', f)"}, "/up"),
    "routers in circles": ("app.use('/a', require('./a'));", {"a.js": "r.use('/b', require('./server'));\nr.get('/up', f)"}, "/b/a/up"),
    "fastify's plugin": ("app.register(require('./p'), { prefix: '/p' });", {"p.js": "f.get('/live', f)"}, "/p/live"),
    "koa's router": ("const r = new Router({ prefix: '/k' });\nr.get('/status', f);", {}, "/k/status"),
    "a router through an index": (
        "const { statusRouter } = require('./web');\napp.use('/monitor', statusRouter);",
        {"web/index.js": "module.exports = { statusRouter: require('./statusRouter') }",
         "web/statusRouter.js": "const r = module.exports = Router();\nr.get('/status', f)"},
        "/monitor/status",
    ),
    "a router of an index's exports": (
        "import * as routers from './web/index.js';\napp.use('/monitor', routers.statusRouter);",
        {"web/index.js": "export { default as statusRouter } from './statusRouter.js'",
         "web/statusRouter.js": "const r = Router();\nr.get('/status', f);\nexport default r"},
        "/monitor/status",
    ),
    "a part's health": ("app.get('/webhooks/health', f);\napp.get('/healthz', f);", {}, "/healthz"),
    "a table of routes": (
        "const routes = {\n    'get /api/v1/ping': { authenticated: false },\n    'post /api/v1/health': {},\n};", {}, "/api/v1/ping",
    ),
    "a table's routes behind a login": ("x = {\n 'GET /status': { authenticated: true },\n 'GET /live': 'c.live' };", {}, "/live"),
    "plain server": ("http.createServer((req) => { if (req.url === '/health') ok(); });", {}, "/health"),
    "static folder": ("app.use(express.static(path.join(__dirname, 'public')));", {"public/index.html": ""}, "/"),
    "static folder elsewhere": ("app.use('/x', express.static('public'));\napp.get('/a/b', f);", {"public/index.html": ""}, "/a/b"),
    "OpenAPI of Hono": ("createRoute({ method: 'get', path: '/healthz' })", {}, "/healthz"),
    "OpenAPI of Hono, posted": ("createRoute({ path: '/up', method: 'post' });\napp.get('/x', f);", {}, "/x"),
    "under-pressure": ("app.register(pressure, { exposeStatusRoute: true });", {}, "/status"),
    "under-pressure by name": ("app.register(pressure, { exposeStatusRoute: '/alive/ping' });", {}, "/alive/ping"),
    "terminus": ("createTerminus(server, { healthChecks: { '/healthz': check } });", {}, "/healthz"),
    "actuator": ("const actuator = require('express-actuator');\napp.get('/x', f);\napp.use(actuator());", {}, "/health"),
    "actuator below a path": (
        "import actuator from 'express-actuator';\napp.use(actuator({ basePath: '/ops', infoGitMode: 'simple' }));", {}, "/ops/health",
    ),
    "every path": (
        "app.get('/api/books', f);\nif (on) {\n app.get('*', (req, res) => res.sendFile('index.html'));\n}", {}, "/",
    ),
    "every path, since Express 5": ("app.get('/api/books', f);\napp.get('/{*any}', (q, s) => s.render('page'));", {}, "/"),
    "every path, as a pattern": ("app.get('/api/books', f);\napp.get(/.*/, (q, s) => s.sendFile(page));", {}, "/"),
    "every path, and none is there": (
        "app.get('/api/books', f);\napp.get('*', (req, res) => res.status(404).render('none'));", {}, "/api/books",
    ),
    "every path, for others to answer": ("app.get('/api/books', f);\napp.get('*', log);", {}, "/api/books"),
    "every path of a part": (
        "app.use('/admin', require('./a'));\napp.get('/api/books', f);",
        {"a.js": "const r = Router();\nr.get('*', (q, s) => s.sendFile('index.html'));\nmodule.exports = r"}, "/api/books",
    ),
    "nothing known": ("", {}, "/"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTH)
def test_the_health_path_is_an_open_get_route(name: str) -> None:
    code, files, path = HEALTH[name]
    assert stack_of(HEAD + code, **files).health_check_path == path


@pytest.mark.parametrize(
    ("call", "controller", "path"),
    [
        ("app.enableVersioning({ defaultVersion: '1', type: VersioningType.URI })", "'health'", "/api/v1/health"),
        ("app.enableVersioning({ defaultVersion: '1' })", "{ path: 'health', version: '2' }", "/api/v2/health"),
        ("app.enableVersioning({ prefix: false, defaultVersion: '1' })", "'health'", "/api/1/health"),
        ("app.enableVersioning()", "'health'", "/api/health"),
        (
            "app.enableVersioning({ defaultVersion: '1' })",
            "{ path: 'health', version: VERSION_NEUTRAL }",
            "/api/health",
        ),
        ("app.enableVersioning({ type: VersioningType.HEADER, defaultVersion: '1' })", "'health'", "/api/health"),
    ],
)
def test_nests_versions_stand_in_the_path(call: str, controller: str, path: str) -> None:
    module = f"@Controller({controller})\nclass Health {{\n  @Get()\n  one() {{}}\n}}\n"
    files = {"a.ts": module, "main.ts": f"app.setGlobalPrefix('api');\n{call};"}
    assert stack_of("", {"dependencies": {"@nestjs/core": "11"}}, **files).health_check_path == path


def test_nests_decorators() -> None:
    module = (
        "@Controller()\nexport class A {\n  @Get()\n  front() {}\n  @UseGuards(G)\n  @Get('status')\n  s() {}\n}\n"
        "@UseGuards(AuthGuard)\n@Controller('admin')\nexport class B {\n  @Get('health')\n  h() {}\n}\n"
        "@Controller(name)\nclass C {\n  @Get('up')\n  u() {}\n}\n"
    )
    package = {"dependencies": {"@nestjs/core": "11"}}
    assert stack_of("", package, **{"a.ts": module}).health_check_path == "/"
    told = stack_of("", package, **{"a.ts": module, "main.ts": "app.setGlobalPrefix('api');"})
    assert told.health_check_path == "/api"


@pytest.mark.parametrize(
    ("package", "files", "path"),
    [
        ("nuxt", ("server/api/health.get.ts", "app.vue"), "/api/health"),
        ("nuxt", ("server/routes/ping.ts",), "/ping"),
        ("nuxt", ("pages/index.vue",), "/"),
        ("@sveltejs/kit", ("src/routes/healthz/+server.ts",), "/healthz"),
        ("@sveltejs/kit", ("src/routes/(app)/+page.svelte", "src/routes/[id]/+page.svelte"), "/"),
        ("@remix-run/node", ("app/routes/resources.healthcheck.tsx",), "/resources/healthcheck"),
        ("@remix-run/node", ("app/routes/_auth.up.tsx", "app/routes/$id.tsx"), "/up"),
        ("@react-router/node", ("app/routes/resources+/health.ts",), "/resources/health"),
        ("@react-router/node", ("app/routes/_index.tsx", "app/routes/about/route.tsx"), "/"),
        ("next", ("app/(site)/health/page.tsx",), "/health"),
    ],
)
def test_routes_that_are_files(package: str, files: tuple[str, ...], path: str) -> None:
    assert stack_of("", {"dependencies": {package: "*"}}, **dict.fromkeys(files, "")).health_check_path == path


def test_react_routers_own_list_of_routes() -> None:
    routes = "export default [index('home.tsx'), route('users/:id', 'user.tsx'), route('health', 'health.ts')]"
    files = {"app/routes.ts": routes, "app/routes/ping.ts": ""}
    stack = stack_of("", {"dependencies": {"@react-router/node": "7"}}, **files)
    assert stack.health_check_path == "/health"


def test_what_fastify_loads_by_itself_is_served_below_its_folders() -> None:
    code = "const autoload = require('@fastify/autoload');\napp.register(autoload, { dir: path.join(__dirname, 'routes') });"
    files = {"routes/api/health/index.js": "f.get('/', h);", "routes/api/ping.js": "f.get('/ping', h);"}
    assert stack_of(code, {"dependencies": {"fastify": "5"}}, **files).health_check_path == "/api/health"


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("pages/api/health.ts", "/api/health"),
        ("src/app/api/up/route.ts", "/api/up"),
        ("app/page.tsx", "/"),
        ("app/[id]/page.tsx", "/"),
    ],
)
def test_the_files_of_next(file: str, path: str) -> None:
    package = {"dependencies": {"next": "15"}, "scripts": {"start": "next start", "build": "next build"}}
    stack = stack_of("", package, **{file: "export default f\n"})
    assert (stack.health_check_path, stack.port, stack.port_env) == (path, 3000, "PORT")


def test_a_nest_module_hangs_its_controllers_under_its_route() -> None:
    routes = (
        "const API = '/api/v2';\nconst routes = [{ path: API, children: [{ path: 'open', module: PublicModule }] }];\n"
    )
    files = {
        "app.module.ts": routes + "@Module({ imports: [RouterModule.register(routes)] })\nexport class AppModule {}\n",
        "public.module.ts": "@Module({ controllers: [HealthController] })\nexport class PublicModule {}\n",
        "src/public/health.controller.ts": "@Controller('monitor')\nexport class HealthController {\n  @Get('health')\n  h() {}\n}\n",
    }
    stack = stack_of("", {"dependencies": {"@nestjs/core": "11"}}, **files)
    assert stack.health_check_path == "/api/v2/open/monitor/health"


def test_a_module_s_routers_have_paths_of_their_own() -> None:
    routes = "const a = Router(), b = Router();\na.use('/health', require('./health'));\n"
    files = {
        "routes/index.js": "module.exports = require('./all');",
        "routes/all.js": routes + "module.exports = { api: a, pages: b };",
        "routes/health.js": "const r = Router();\nr.get('/', f);\nmodule.exports = r;",
    }
    code = "const routes = require('./routes');\napp.use('/', routes.pages);\napp.use('/api', routes.api);\n"
    assert stack_of(HEAD + code, **files).health_check_path == "/api/health"


def test_a_router_that_a_required_function_returns_has_its_path() -> None:
    files = {
        "api/index.js": "module.exports = (env) => { app.all('/status*', require('./status')(app, env)); return app; };",
        "api/status.js": "module.exports = (app) => { api.get('/status', f); return api; };",
    }
    code = "const api = require('./api')(env);\napp.use('/api/v1', api);\n"
    assert stack_of(HEAD + code, **files).health_check_path == "/api/v1/status"


def test_a_router_that_is_awaited() -> None:
    code = f"{HEAD}import router from './router.js';\napp.use('/v1', await router());\n"
    router = "export default async function () {\n  const app = express();\n  app.get('/ping', h);\n  return app;\n}\n"
    assert stack_of(code, **{"router.js": router}).health_check_path == "/v1/ping"
