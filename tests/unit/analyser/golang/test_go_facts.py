"""Go's versions, variables, databases, and how the program is built."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import MOD, evidence, program, serving, stack_of

from autodeploy.errors import AnalysisError
from autodeploy.model import TechStack
from autodeploy.model.build import GO_TOOLCHAIN

LISTEN = '\nhttp.ListenAndServe(":8080", nil)'


def module(text: str, **overrides: str) -> TechStack:
    return stack_of({"main.go": program()}, overrides, f"module example.org/x\n{text}\n")


@pytest.mark.parametrize(
    ("text", "version", "constraint", "toolchain"),
    [
        ("go 1.21", "1.21", "1.21", GO_TOOLCHAIN),
        ("go 1.22.5 // comment", "1.22", "1.22.5", GO_TOOLCHAIN),
        ("go 1.23rc2", "1.23", "1.23rc2", GO_TOOLCHAIN),
        ("", "1.16", "", GO_TOOLCHAIN),
        ("go latest", "1.16", "", GO_TOOLCHAIN),
        ("go 1.21\ntoolchain go1.22.3", "1.21", "1.21", GO_TOOLCHAIN),
        ("go 1.99.1", "1.99", "1.99.1", "1.99.1"),
        ("go 1.99", "1.99", "1.99", "1.99.0"),
        ("go 1.21\ntoolchain go1.98.2", "1.21", "1.21", "1.98.2"),
        (f"go {GO_TOOLCHAIN}", GO_TOOLCHAIN[:4], GO_TOOLCHAIN, GO_TOOLCHAIN),
    ],
)
def test_the_version_is_stated_and_the_newest_demanded_toolchain_builds(
    text: str, version: str, constraint: str, toolchain: str
) -> None:
    stack = module(text)
    assert (stack.runtime_version, stack.version_constraint) == (version, constraint)
    assert stack.facts("toolchain") == (toolchain,)


def test_the_operator_s_version_wins() -> None:
    stack = module("go 1.21", runtime_version="go1.24.1")
    assert (stack.runtime_version, evidence(stack, "runtime_version").alternatives) == ("1.24", ("1.21",))
    with pytest.raises(AnalysisError, match="no Go version"):
        module("go 1.21", runtime_version="newest")


def test_direct_requirements_are_the_dependencies() -> None:
    text = "require github.com/a/a v1.0.0\nrequire (\n\tb.org/b v2.0.0 // indirect\n\tc.org/c v1.1.0 // used\n)\n"
    stack = module(text)
    assert stack.dependencies == ("c.org/c", "github.com/a/a")
    assert (stack.package_manager, stack.build_tool) == ("go", "go")


@pytest.mark.parametrize(
    ("path", "kind", "scheme"),
    [
        ("github.com/lib/pq", "postgresql", "postgres"),
        ("github.com/jackc/pgx/v5/stdlib", "postgresql", "postgres"),
        ("gorm.io/driver/postgres", "postgresql", "postgres"),
        ("github.com/go-sql-driver/mysql", "mysql", "go-sql-driver"),
        ("gorm.io/driver/mysql", "mysql", "go-sql-driver"),
        ("go.mongodb.org/mongo-driver/v2/mongo", "mongodb", None),
        ("modernc.org/sqlite", None, None),
        ("github.com/lib/pqueue", None, None),
    ],
)
def test_an_imported_driver_tells_the_database(path: str, kind: str | None, scheme: str | None) -> None:
    stack = serving(LISTEN, f"net/http {path}")
    assert (stack.database_type, stack.requires_database) == (kind, kind is not None)
    assert stack.facts("database_url_scheme") == ((scheme,) if scheme else ())


@pytest.mark.parametrize(
    ("comment", "files", "kind"),
    [
        ("", {}, "postgresql"),
        (" // indirect", {}, None),
        ("", {"db_test.go": 'package main\n\nimport _ "github.com/lib/pq"\n'}, None),
        ("", {"tools/seed/main.go": program("", "github.com/lib/pq")}, None),
    ],
)
def test_a_required_driver_counts_unless_only_others_use_it(
    comment: str, files: dict[str, str], kind: str | None
) -> None:
    mod = f"{MOD}\nrequire github.com/lib/pq v1.10.9{comment}\n"
    assert stack_of({"main.go": program(), **files}, mod=mod).database_type == kind


def test_of_several_drivers_the_one_that_examples_speak_of() -> None:
    both = "net/http github.com/lib/pq github.com/go-sql-driver/mysql"
    assert serving(LISTEN, both).database_type == "postgresql"
    stack = serving(LISTEN, both, **{".env.example": "DATABASE_URL=mysql://x"})
    assert (stack.database_type, evidence(stack, "database_type").alternatives) == ("mysql", ("postgresql",))
    assert serving(LISTEN, both, **{"compose.yaml": "services: {db: {image: 'mariadb:11'}}"}).database_type == "mariadb"
    assert stack_of({"main.go": program()}, {"database_type": "mysql"}).facts("database_url_scheme") == (
        "go-sql-driver",
    )


@pytest.mark.parametrize(
    "call",
    [
        'sql.Open("postgres", {})', "sqlx.MustConnect(driver, {})", "pgx.Connect(ctx, {})", "pgxpool.New(ctx, {})",
        "gorm.Open(postgres.Open({}), &gorm.Config{{}})",
    ],
)  # fmt: skip
def test_the_variable_a_database_is_opened_with_is_its_address(call: str) -> None:
    paths = "database/sql github.com/jmoiron/sqlx github.com/jackc/pgx/v5 github.com/jackc/pgx/v5/pgxpool"
    imports = f"net/http os gorm.io/gorm gorm.io/driver/postgres {paths}"
    stack = serving('where := os.Getenv("SHOP_STORE")\n' + call.format("where") + LISTEN, imports)
    assert stack.facts("database_variable") == ("SHOP_STORE=url",)


def test_the_parts_of_the_address_are_known_by_name_and_asked_of_nobody() -> None:
    names = ("DB_HOST", "DB_USER", "DB_PASSWORD", "DB_SSLMODE", "DATABASE_URL")
    body = "".join(f'if os.Getenv("{name}") == "" {{ log.Fatal("x") }}\n' for name in names)
    stack = serving(body + LISTEN, "net/http os log github.com/lib/pq")
    assert set(stack.facts("database_variable")) == {
        "DB_HOST=host", "DB_USER=user", "DB_PASSWORD=password", "DB_SSLMODE=sslmode"
    }  # fmt: skip
    assert [item.name for item in stack.environment if item.required] == ["DATABASE_URL"]


def test_a_connection_without_tls_is_warned_of() -> None:
    stack = serving('sql.Open("postgres", "host=x sslmode=disable")' + LISTEN, "net/http github.com/lib/pq")
    assert "main.go:11 asks for sslmode=disable" in stack.warnings[0]


def test_other_servers_are_noticed() -> None:
    stack = serving(LISTEN, "net/http github.com/redis/go-redis/v9 github.com/nats-io/nats.go")
    assert stack.services == ("nats", "redis")
    assert "--env" in stack.warnings[0]


@pytest.mark.parametrize(
    ("code", "required", "default"),
    [
        ('x := os.Getenv("GREETING")', False, None),
        ('x := os.Getenv("GREETING")\nif x == "" {\n log.Fatal("no")\n}', True, None),
        ('if x := os.Getenv("GREETING"); x == "" { panic("no") }', True, None),
        ('x, ok := os.LookupEnv("GREETING")\nif !ok { os.Exit(1) }', True, None),
        ('if os.Getenv("GREETING") == "" { logger.Fatalf("no") }', True, None),
        ('x := os.Getenv("GREETING")\nif x == "" { log.Print("none") }', False, None),
        ('x := os.Getenv("GREETING")\nif x == "" { x = "hello" }', False, "hello"),
        ('x := os.Getenv("GREETING")\nif y == "" { log.Fatal("no") }', False, None),
        ('x := getEnv("GREETING", "hello")', False, "hello"),
        ("x := envInt(greeting, 5)", False, "5"),
        ('x := mustGetenv("GREETING")', True, None),
        ('x := os.Getenv("GREETING")\nif x == "" { return nil, errors.New("no greeting") }', False, None),
        ('os.Setenv("OTHER", "x")\nviper.BindEnv("GREETING")\nx := os.Getenv("GREETING")', False, None),
    ],
)
def test_a_variable_is_required_only_where_the_program_ends_without_it(
    code: str, required: bool, default: str | None
) -> None:
    stack = serving(code + LISTEN, "net/http os log", 'const greeting = "GREETING"')
    (variable,) = stack.environment
    assert (variable.name, variable.required, variable.default) == ("GREETING", required, default)
    assert variable.file == "main.go"


@pytest.mark.parametrize(("name", "required"), [("Load", True), ("run", True), ("NewStore", False)])
def test_an_error_for_a_missing_variable_ends_the_program_where_all_depends_on_it(name: str, required: bool) -> None:
    rest = f'func {name}() error {{\n x := os.Getenv("GREETING")\n if x == "" {{\n  return fmt.Errorf("no greeting")\n }}\n}}'
    (variable,) = serving(f"{name}(){LISTEN}", "net/http os fmt", rest).environment
    assert (variable.name, variable.required, variable.default) == ("GREETING", required, None)


def test_struct_tags_name_variables() -> None:
    rest = """type config struct {
	A string `env:"A_A,required"`
	B string `envconfig:"B_B" default:"b"`
	C string `env:"C_C, default=c"`
	D string `env:"D_D" env-required:"true"`
	E string `json:"e" env:"lower"`
	F string `env:"F_F,required" envDefault:"f"`
}"""
    found = {item.name: (item.required, item.default) for item in serving(LISTEN, rest=rest).environment}
    assert found == {
        "A_A": (True, None), "B_B": (False, "b"), "C_C": (False, "c"), "D_D": (True, None), "F_F": (False, "f")
    }  # fmt: skip


def test_the_port_s_variable_is_not_asked_for() -> None:
    stack = serving('http.ListenAndServe(":"+os.Getenv("SHOP_PORT"), nil)\n_ = os.Getenv("JWT_SECRET")')
    assert [(item.name, item.generated) for item in stack.environment] == [("JWT_SECRET", True)]


@pytest.mark.parametrize(
    ("imports", "mod", "files", "command"),
    [
        ("net/http", MOD, {}, "go mod download && CGO_ENABLED=0 go build -o /app/app ."),
        ("net/http", MOD, {"vendor/modules.txt": ""}, "CGO_ENABLED=0 go build -o /app/app ."),
        ("net/http C", MOD, {}, "go mod download && CGO_ENABLED=1 go build -o /app/app ."),
        ("net/http gorm.io/driver/sqlite", MOD, {}, "go mod download && CGO_ENABLED=1 go build -o /app/app ."),
        (
            "net/http example.org/sqlitestore",
            f"{MOD}require github.com/mattn/go-sqlite3 v1.14.0 // indirect\n",
            {},
            "go mod download && CGO_ENABLED=1 go build -o /app/app .",
        ),
    ],
)
def test_cgo_is_on_only_where_something_needs_it(imports: str, mod: str, files: dict[str, str], command: str) -> None:
    assert stack_of({"main.go": program(imports=imports), **files}, mod=mod).build_command == command


@pytest.mark.parametrize(
    ("body", "imports", "files", "touched"),
    [
        ("godotenv.Load()", "github.com/joho/godotenv", {}, " && touch .env"),
        ("godotenv.Load()", "github.com/joho/godotenv", {".env": "A=1"}, ""),
        ('godotenv.Load("app.env", "../.env")', "github.com/joho/godotenv", {}, " && touch app.env"),
        ("", "github.com/joho/godotenv/autoload", {}, " && touch .env"),
    ],
)
def test_a_file_of_variables_that_the_program_may_not_miss_is_made_empty(
    body: str, imports: str, files: dict[str, str], touched: str
) -> None:
    assert serving(body + LISTEN, f"net/http {imports}", **files).build_command.partition(" .")[2] == touched


def test_images_need_their_library() -> None:
    stack = serving(LISTEN, "net/http github.com/h2non/bimg")
    assert (stack.build_packages, stack.run_packages) == (("libvips-dev",), ("libvips42",))


def test_files_that_are_broken_or_enormous_are_passed_over() -> None:
    huge = program(LISTEN, "net/http github.com/lib/pq") + "// x\n" * 100_000
    texts = {
        "main.go": program(),
        "huge.go": huge.replace("func main()", "func other()"),
        "broken.go": "package main\nfunc (((",
    }
    assert stack_of(texts).database_type is None


@pytest.mark.parametrize(("automatic", "names"), [("viper.AutomaticEnv()", {"LOG_LEVEL", "DB_USER"}), ("", set())])
def test_viper_looks_into_the_environment_where_it_is_told_to(automatic: str, names: set[str]) -> None:
    body = (
        f'{automatic}\nviper.SetDefault("port", "4321")\nviper.SetDefault("log.level", "warn")\n'
        'use(viper.GetString("log.level"), viper.GetString("db-user"), viper.GetInt(key()))\n'
        'http.ListenAndServe(":" + viper.GetString("port"), nil)'
    )
    stack = serving(body, "net/http github.com/spf13/viper")
    assert {item.name for item in stack.environment} == names
    assert (stack.port, stack.port_env) == ((4321, "PORT") if automatic else (8080, None))
    assert {item.default for item in stack.environment} == ({"warn", None} if automatic else set())
