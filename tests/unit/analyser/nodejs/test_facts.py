"""Database, port, health path."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.sources import memory
from unit.analyser.nodejs.applications import HEAD, evidence, stack_of

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError


@pytest.mark.parametrize(
    ("packages", "database"),
    [
        (("pg",), "postgresql"), (("pg-promise", "redis"), "postgresql"), (("postgres",), "postgresql"), (("mysql2",), "mysql"),
        (("mysql", "sequelize"), "mysql"), (("mariadb",), "mariadb"), (("mongodb",), "mongodb"), (("mongoose",), "mongodb"),
        (("sequelize", "knex", "typeorm"), None), (("better-sqlite3",), None), (("my-pg", "pgpass"), None), (("typeorm", "pg"), "postgresql"),
    ],
)  # fmt: skip
def test_a_driver_tells_the_database(packages: tuple[str, ...], database: str | None) -> None:
    stack = stack_of(package={"dependencies": dict.fromkeys(packages, "*"), "devDependencies": {"pg": "8"}})
    assert (stack.database_type, stack.requires_database) == (database, database is not None)


def test_drivers_of_two_databases_are_told() -> None:
    stack = stack_of(package={"dependencies": {"mysql2": "3", "pg": "8"}})
    assert (stack.database_type, evidence(stack, "database_type").alternatives) == ("postgresql", ("mysql",))


@pytest.mark.parametrize(
    ("provider", "database"),
    [
        ('"postgresql"', "postgresql"),
        ('"mysql"', "mysql"),
        ('"mongodb"', "mongodb"),
        ('"sqlite"', None),
        ("env('X')", "mysql"),
    ],
)
def test_prismas_schema_outweighs_the_drivers(provider: str, database: str | None) -> None:
    schema = (
        f'generator client {{\n  provider = "prisma-client-js"\n}}\ndatasource db {{\n  provider = {provider}\n}}\n'
    )
    stack = stack_of(
        package={"dependencies": {"@prisma/client": "5", "mysql2": "3"}}, **{"prisma/schema.prisma": schema}
    )
    assert stack.database_type == database


CONFIGURED: dict[str, tuple[dict[str, str], dict[str, str], str | None]] = {
    "knex, production": (
        {"knex": "3", "pg": "8", "mysql2": "3"},
        {"knexfile.js": "module.exports = { development: { client: 'pg' }, production: { client: 'mysql2' } }"}, "mysql",
    ),
    "sequelize": ({"sequelize": "6", "pg": "8", "mysql2": "3"}, {"config/config.json": '{"production": {"dialect": "mysql"}}'}, "mysql"),
    "sequelize, an address": ({"sequelize": "6", "mysql2": "3"}, {"db.js": "new Sequelize('mariadb://x')"}, "mariadb"),
    "typeorm": ({"typeorm": "0.3", "mysql2": "3", "pg": "8"}, {"src/data-source.ts": "new DataSource({ type: 'mysql' })"}, "mysql"),
    "nest": ({"@nestjs/typeorm": "11", "pg": "8", "mysql2": "3"}, {"src/app.module.ts": "TypeOrmModule.forRoot({ type: 'mysql' })"}, "mysql"),
    "drizzle": ({"drizzle-orm": "1", "pg": "8", "@libsql/client": "1"}, {"drizzle.config.ts": "defineConfig({ dialect: 'sqlite' })"}, None),
    "a default beside a variable": ({"typeorm": "0.3", "pg": "8", "mysql2": "3"}, {"ormconfig.js": "type: process.env.KIND || 'mysql'"}, "mysql"),
    "a word without a tool": ({"pg": "8"}, {"config/config.json": '{"dialect": "mysql"}'}, "postgresql"),
    "a test's": ({"knex": "3", "pg": "8"}, {"tests/knexfile.js": "client: 'mysql2'"}, "postgresql"),
    "nothing that is known": ({"knex": "3", "pg": "8"}, {"knexfile.js": "client: 'oracledb'"}, "postgresql"),
    "the example of an address": ({"pg": "8", "mysql2": "3"}, {".env.example": "URL=mysql://root@localhost/x\n"}, "mysql"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURED)
def test_what_configures_the_database_outweighs_the_drivers(name: str) -> None:
    dependencies, files, database = CONFIGURED[name]
    assert stack_of(package={"dependencies": dependencies}, **files).database_type == database


@pytest.mark.parametrize(
    "files",
    [
        {"prisma/schema/main.prisma": 'datasource db {\n  provider = "mysql"\n}\n', "prisma.config.ts": "schema: path.join('prisma/schema'),"},
        {"db/x.prisma": 'datasource db {\n  provider = "mysql"\n}\n', "package.json": ""},
    ],
)  # fmt: skip
def test_prismas_schema_may_be_split_and_lie_anywhere(files: dict[str, str]) -> None:
    package: dict[str, Any] = {"dependencies": {"@prisma/client": "7", "pg": "8"}}
    if "package.json" in files:
        package |= {"prisma": {"schema": "./db/"}}
    stack = stack_of(package=package, **{path: said for path, said in files.items() if said})
    assert (stack.database_type, evidence(stack, "database_type").rule) == ("mysql", "prisma-provider")


def test_the_operator_may_name_the_database() -> None:
    source = memory({"package.json": '{"main": "x.js", "dependencies": {"pg": "8"}}', "x.js": ""})
    assert analyse(source, {"database_type": "none"}).requires_database is False
    with pytest.raises(AnalysisError, match="oracle"):
        analyse(source, {"database_type": "oracle"})


PORTS: dict[str, tuple[str, dict[str, str], int, str | None]] = {
    "or": ("app.listen(process.env.PORT || 3100);", {}, 3100, "PORT"),
    "the last of several": ("app.listen(process.env.PORT || process.env.OTHER_PORT || 3109);", {}, 3109, "PORT"),
    "nullish": ("app.listen(process.env.PORT ?? '3101');", {}, 3101, "PORT"),
    "converted": ("const port = parseInt(process.env.PORT, 10) || 3102;\napp.listen(port);", {}, 3102, "PORT"),
    "the default converted": ("const port = Number(process.env.PORT || '3103');", {}, 3103, "PORT"),
    "normalized": ("const port = normalizePort(process.env.PORT || '3104');", {}, 3104, "PORT"),
    "destructured": ("const { PORT = 3105 } = process.env;", {}, 3105, "PORT"),
    "renamed": ("const { APP_PORT: port = 3106 } = process.env;", {}, 3106, "APP_PORT"),
    "by name": ("app.listen(process.env['SERVER_PORT'] || 3107);", {}, 3107, "SERVER_PORT"),
    "the usual one first": ("x = process.env.API_PORT || 1;\napp.listen(process.env.PORT || 3108);", {}, 3108, "PORT"),
    "of something else": ("const db = process.env.DB_PORT || 5432;\napp.listen(process.env.PORT);", {}, 3000, "PORT"),
    "chosen": ("const port = process.env.A_PORT ? 1 : process.env.PORT ? Number(process.env.PORT) : 3116;", {}, 3116, "PORT"),
    "the first of several": ("const port = [args.port, process.env.KUMA_PORT, process.env.PORT, 3120].find(Boolean);", {}, 3120, "PORT"),
    "a name of its own": ("app.listen(process.env.FEED_PORT ?? 3117);", {}, 3117, "FEED_PORT"),
    "of a service beside": ("x(process.env.REDIS_PORT || 6379, process.env.METRICS_PORT || 9100);", {}, 3000, "PORT"),
    "configuration": ("app.listen(config.get('port'));", {"config/default.json": '{"port": 3118}'}, 3118, "PORT"),
    "fixed": ("app.listen(3109, () => {});", {}, 3109, None),
    "a constant": ("const port = 3110;\napp.listen(port);", {}, 3110, None),
    "fastify, fixed": ("app.listen({ port: 3111, host: '::' });", {}, 3111, None),
    "a pipe": ("app.listen(path);", {}, 3000, "PORT"),
    "below those of a plain user": ("app.listen(80);", {}, 3000, "PORT"),
    "a configuration of Nest's": ("require('./src/app.config');", {"src/app.config.ts": "export default () => ({ port: process.env.PORT || 3119 });"}, 3119, "PORT"),
    "another file": ("require('./config');", {"config.js": "module.exports = { port: process.env.PORT || 3112 };"}, 3112, "PORT"),
    "a file that is not imported": ("app.listen(3113);", {"tool.js": "process.env.PORT || 1"}, 3113, None),
    "Dockerfile": ("app.listen(process.env.PORT);", {"Dockerfile": "EXPOSE 3114\n"}, 3114, "PORT"),
    "Procfile": ("", {"Procfile": "web: node server.js --port 3115\n"}, 3115, "PORT"),
}  # fmt: skip


@pytest.mark.parametrize("name", PORTS)
def test_the_port_and_its_variable(name: str) -> None:
    code, files, port, variable = PORTS[name]
    stack = stack_of(HEAD + code, **files)
    assert (stack.port, stack.port_env) == (port, variable)


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
    "plain server": ("http.createServer((req) => { if (req.url === '/health') ok(); });", {}, "/health"),
    "static folder": ("app.use(express.static(path.join(__dirname, 'public')));", {"public/index.html": ""}, "/"),
    "static folder elsewhere": ("app.use('/x', express.static('public'));\napp.get('/a/b', f);", {"public/index.html": ""}, "/a/b"),
    "OpenAPI of Hono": ("createRoute({ method: 'get', path: '/healthz' })", {}, "/healthz"),
    "OpenAPI of Hono, posted": ("createRoute({ path: '/up', method: 'post' });\napp.get('/x', f);", {}, "/x"),
    "under-pressure": ("app.register(pressure, { exposeStatusRoute: true });", {}, "/status"),
    "under-pressure by name": ("app.register(pressure, { exposeStatusRoute: '/alive/ping' });", {}, "/alive/ping"),
    "terminus": ("createTerminus(server, { healthChecks: { '/healthz': check } });", {}, "/healthz"),
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


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"config.sample.yml": ""}, "the program reads config.yml, of which only config.sample.yml is committed"),
        ({"config.yml.example": ""}, "the program reads config.yml, of which only config.yml.example is committed"),
        ({"config.sample.yml": "", "config.yml": ""}, ""),
        ({"config.sample.json": "", "docs/config.sample.yml": ""}, ""),
    ],
)
def test_settings_of_which_only_an_example_is_committed_are_told(files: dict[str, str], message: str) -> None:
    code = "const text = fs.readFileSync(path.join(ROOT, 'config.yml'), 'utf8');\n"
    told = [item.message for item in stack_of(HEAD + code, **files).unknowns if item.fact == "configuration"]
    assert told == ([message] if message else [])


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


def test_the_environment_under_another_name_tells_the_port() -> None:
    env = "export const load = (env = process.env) => ({ port: env.API_PORT || 9000, url: env.API_URL });\n"
    code = "import { load } from './env.js';\nconst app = express();\napp.listen({ port: load().port });\n"
    stack = stack_of(code, {"dependencies": {"express": "4"}, "type": "module"}, **{"env.js": env})
    assert (stack.port, stack.port_env) == (9000, "API_PORT")
    assert "API_URL" in {item.name for item in stack.environment}


def test_a_server_of_an_optional_package_is_not_needed() -> None:
    package = {"dependencies": {"express": "4"}, "optionalDependencies": {"redis": "4"}}
    assert stack_of("express().listen(3000)", package).services == ()


@pytest.mark.parametrize(
    ("example", "schema", "kind"),
    [
        ("", 'DB_CLIENT: str({ choices: kinds, default: "better-sqlite3" })', None),
        ("", 'DB_CLIENT: z.string().default("pg")', "postgresql"),
        ("DB_CLIENT=mysql2\n", "DB_CLIENT: str()", "mysql"),
    ],
)
def test_a_dialect_by_default_decides_between_the_drivers(example: str, schema: str, kind: str | None) -> None:
    package = {"dependencies": {"express": "4", "knex": "3", "pg": "8", "mysql2": "3", "better-sqlite3": "11"}}
    files = {"knexfile.js": "module.exports = { client: env.DB_CLIENT }", "env.js": f"const spec = {{ {schema} }}"}
    stack = stack_of("express().listen(3000)", package, **files, **{".example.env": example})
    assert stack.database_type == kind


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
