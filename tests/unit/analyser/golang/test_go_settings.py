"""Where Go programs take their settings from: struct tags, viper, files, subcommands, and which database is preset."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import evidence, program, serving, stack_of

from autodeploy.model import TechStack

LISTEN = '\nhttp.ListenAndServe(":8080", nil)'
VIPER = "net/http github.com/spf13/viper"
BOTH = "net/http github.com/lib/pq github.com/go-sql-driver/mysql"
LITE = f"{BOTH} github.com/mattn/go-sqlite3"


def names(stack: TechStack) -> dict[str, str | None]:
    return {item.name: item.default for item in stack.environment}


def test_prefixes_of_structs_stand_before_their_variables() -> None:
    rest = """type database struct {
	Name string `env:"NAME" envDefault:"shop"`
}
type config struct {
	DB database `envPrefix:"STORE_"`
	Inner struct {
		Mode string `env:"MODE"`
	} `env-prefix:"IN_"`
	SSL struct {
		Port int `env:"PORT" default:"8443"`
	} `env-namespace:"SSL"`
	Kong struct {
		Kind string `env:"KIND"`
	} `envprefix:"KONG_"`
}"""
    found = {"STORE_NAME": "shop", "IN_MODE": None, "SSL_PORT": "8443", "KONG_KIND": None}
    assert names(serving(LISTEN, rest=rest)) == found


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ('envconfig.Process("shop", &c)', {"SHOP_LOG_LEVEL": "info", "SHOP_MODE": None}),
        ('envconfig.MustProcess("", &c)', {"LOG_LEVEL": "info", "MODE": None}),
        ("envconfig.Process(prefix, &c)", {"OTHER_LOG_LEVEL": "info", "OTHER_MODE": None}),
    ],
)
def test_envconfig_names_variables_by_prefix_and_field(call: str, found: dict[str, str | None]) -> None:
    rest = """const prefix = "other"
type config struct {
	LogLevel string `default:"info" split_words:"true"`
	Mode string `required:"false"`
	Hidden string `ignored:"true"`
}"""
    assert (
        names(serving(f"var c config\n{call}{LISTEN}", "net/http github.com/kelseyhightower/envconfig", rest)) == found
    )


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        (
            'viper.AutomaticEnv()\nviper.SetDefault("log.level", "warn")\nviper.GetString("log.level")',
            {"LOG_LEVEL": "warn"},
        ),
        ('viper.AutomaticEnv()\nviper.SetEnvPrefix("shop")\nviper.GetString("mode")', {"SHOP_MODE": None}),
        ('viper.BindEnv("mode", "THE_MODE")\nviper.GetString("mode")\nviper.GetString("x")', {"THE_MODE": None}),
        ('v := viper.New()\nv.AutomaticEnv()\nv.GetBool("debug")', {"DEBUG": None}),
        ('viper.GetString("mode")', {}),
    ],
)
def test_viper_s_keys_are_variables_where_it_looks_for_them(calls: str, found: dict[str, str | None]) -> None:
    assert names(serving(calls + LISTEN, VIPER)) == found


def test_viper_fills_tagged_fields_whose_values_an_example_gives() -> None:
    rest = (
        'type config struct {\n\tAddress string `mapstructure:"HTTP_ADDRESS"`\n\tKey string `mapstructure:"SOME_ID"`\n}'
    )
    body = "viper.AutomaticEnv()\nvar c config\nviper.Unmarshal(&c)\nhttp.ListenAndServe(c.Address, nil)"
    stack = serving(body, VIPER, rest, **{"app.env": "HTTP_ADDRESS=0.0.0.0:9191\n"})
    assert (stack.port, stack.port_env, stack.start_command) == (
        9191,
        "PORT",
        "HTTP_ADDRESS=127.0.0.1:$PORT /app/app",
    )
    assert names(stack) == {"SOME_ID": None}


def test_flags_of_urfave_name_variables() -> None:
    rest = (
        'var f = &cli.IntFlag{Name: "port", Value: 7007, EnvVars: []string{"SHOP_PORT"}}\n'
        'var g = &cli.StringFlag{Name: "mode", Required: true, Sources: cli.EnvVars("SHOP_MODE")}'
    )
    stack = serving("http.ListenAndServe(addr, nil)", "net/http github.com/urfave/cli/v2", rest)
    assert (stack.port, stack.port_env) == (7007, "SHOP_PORT")
    assert [(item.name, item.required) for item in stack.environment] == [("SHOP_MODE", True)]


@pytest.mark.parametrize(
    ("call", "file", "text", "line"),
    [
        ('viper.AddConfigPath("conf")\nviper.SetConfigName("app")', "conf/app.yaml", "server:\n  port: 9191\n", 2),
        ('viper.SetConfigFile("./app.toml")', "app.toml", '[db]\nport = 1\n[http]\naddr = ":9191"\n', 4),
        ('viper.SetConfigFile("./app.yml")', "app.yml", 'servers:\n  adminaddress: ":1"\n  BindAddress: ":9191"\n', 3),
        ('ini.Load("app.ini")', "app.ini", "[server]\nHttpPort = 9191\n[database]\nPort = 5432\n", 2),
        ('cleanenv.ReadConfig("config.json", &c)', "config.json", '{"listen":\n "localhost:9191"}', 2),
    ],
)
def test_a_committed_file_of_settings_tells_the_port(call: str, file: str, text: str, line: int) -> None:
    stack = serving(f"{call}\nhttp.ListenAndServe(addr, nil)", VIPER, **{file: text})
    told = evidence(stack, "port")
    assert (stack.port, stack.port_env, told.file, told.line, told.rule) == (9191, None, file, line, "configuration")
    assert not stack.unknowns


@pytest.mark.parametrize("example", ["config.example.yml", "config.yml.example", "config-sample.yml", "example.yml"])
def test_a_file_of_settings_of_which_only_an_example_is_committed_is_left_open(example: str) -> None:
    stack = serving(f'os.ReadFile("config.yml"){LISTEN}', "net/http os", **{example: "port: 1234\n"})
    (unknown,) = stack.unknowns
    assert unknown.fact == "configuration"
    assert example in unknown.message


@pytest.mark.parametrize(
    ("body", "imports", "files", "kind"),
    [
        ('getEnv("DB_TYPE", "sqlite3")', LITE, {}, None),
        ('getEnv("DB_TYPE", "postgres")', LITE, {}, "postgresql"),
        ('_ = c{Dialect: "sqlite3"}', LITE, {}, None),
        ('DatabaseType.setDefault("sqlite")', LITE, {}, None),
        ('viper.SetDefault("database.type", "mysql")', f"{LITE} github.com/spf13/viper", {}, "mysql"),
        ('if c.DatabaseURL == "" {\nc.DatabaseURL = fmt.Sprintf("sqlite:///%s", d)\n}', LITE, {}, None),
        ('if c.StorageType == "" {\nc.StorageType = memory\n}\nconst memory = "memory"', LITE, {}, None),
        ('if fast {\nc.DatabaseURL = "sqlite://x"\n}\nos.Getenv("DB_HOST")', f"{LITE} os", {}, "postgresql"),
        ("start()", LITE, {}, "postgresql"),
        ('switch kind {\ncase "sqlite":\n}', LITE, {}, None),
        (
            'switch kind {\ncase "sqlite":\n}',
            LITE,
            {"docker-compose.yml": "services:\n  db:\n    image: mysql:8\n"},
            "mysql",
        ),
        ('sql.Open("mysql", dsn)', BOTH, {}, "mysql"),
        (
            'viper.SetConfigFile("c.yml")',
            f"{BOTH} github.com/spf13/viper",
            {"c.yml": "db:\n  driver: mysql\n"},
            "mysql",
        ),
        ("", BOTH, {"docker-compose.yml": "services: {db: {image: mysql}}"}, "mysql"),
    ],
)
def test_what_the_program_is_preset_to_decides_among_drivers(
    body: str, imports: str, files: dict[str, str], kind: str | None
) -> None:
    assert serving(body + LISTEN, f"{imports} database/sql", **files).database_type == kind


def test_sqlite_by_default_leaves_the_choice_open_and_drivers_that_nothing_chooses_too() -> None:
    preset = serving(f'getEnv("DB_TYPE", "sqlite3"){LISTEN}', LITE).unknowns[0]
    assert (preset.choices, preset.flag) == (("none", "postgresql", "mysql"), "--database-type")
    assert serving(LISTEN, BOTH).unknowns[0].choices == ("postgresql", "mysql")


COBRA = """var root = &cobra.Command{Use: "shop"%s}
var serve = &cobra.Command{Use: "serve [flags]", Run: func() { http.ListenAndServe(":8080", nil) }}
var other = &cobra.Command{Use: "migrate", RunE: up}
func init() { root.AddCommand(serve, other) }"""
CLI = """var app = &cli.App{Name: "web", %sCommands: []*cli.Command{
	{Name: "server", Action: run}, {Name: "version", Action: run}}}
func run() { http.ListenAndServe(":8080", nil) }"""


@pytest.mark.parametrize(
    ("imports", "rest", "command"),
    [
        ("github.com/spf13/cobra", COBRA % "", "/app/app serve"),
        ("github.com/spf13/cobra", COBRA % ", Run: f", "/app/app"),
        ("github.com/urfave/cli/v2", CLI % "", "/app/app server"),
        ("github.com/urfave/cli/v2", CLI % "Action: run, ", "/app/app"),
    ],
)
def test_a_subcommand_serves_where_the_program_alone_does_not(imports: str, rest: str, command: str) -> None:
    assert serving("root.Execute()", f"net/http {imports}", rest).start_command == command


def test_a_subcommand_or_a_program_of_its_own_migrates() -> None:
    imports = "net/http github.com/spf13/cobra github.com/lib/pq"
    assert serving("root.Execute()", imports, COBRA % "").migration_command == "/app/app migrate"
    own = {"main.go": program(imports="net/http github.com/lib/pq"), "cmd/migrate/main.go": program("up()", "fmt")}
    stack = stack_of(own)
    assert stack.migration_command == "./bin/migrate"
    assert stack.build_command.endswith("CGO_ENABLED=0 go build -o bin/migrate ./cmd/migrate")
    asks = {**own, "cmd/migrate/main.go": program("up(os.Args[1])", "os")}
    assert stack_of(asks).migration_command is None
    assert stack_of(own, {"migration_command": "none"}).migration_command is None
    assert stack_of({**own, "main.go": program()}).migration_command is None


def test_a_procfile_s_release_line_migrates() -> None:
    files = {
        "cmd/web/main.go": program(imports="net/http github.com/lib/pq"),
        "cmd/tool/main.go": program("run(os.Args)", "os"),
    }
    assert stack_of({**files, "Procfile": "web: bin/web\nrelease: bin/tool up\n"}).migration_command == "./bin/tool up"
    assert stack_of({**files, "Procfile": "web: bin/web\nrelease: bin/web up\n"}).migration_command == "/app/app up"
    assert stack_of({**files, "Procfile": "web: bin/web\nrelease: ./x.sh\n"}).migration_command is None


def test_a_subcommand_below_a_group_does_not_migrate_and_names_of_other_functions_are_no_root() -> None:
    rest = """var root = &cobra.Command{Use: "shop"}
func newServer() *cobra.Command {
	cmd := &cobra.Command{Use: "server", Run: func() { http.ListenAndServe(":8080", nil) }}
	return cmd
}
func newMigrate() *cobra.Command { return &cobra.Command{Use: "migrate", Run: up} }
func group(parts ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: "db"}
	cmd.AddCommand(parts...)
	return cmd
}
func init() { root.AddCommand(newServer(), group(newMigrate())) }"""
    stack = serving("root.Execute()", "net/http github.com/spf13/cobra github.com/lib/pq", rest)
    assert (stack.start_command, stack.migration_command) == ("/app/app server", None)


def test_of_files_whose_name_is_told_to_the_program_the_usual_one_is_read() -> None:
    body = 'viper.AddConfigPath("conf")\nviper.SetConfigName(name)\nhttp.ListenAndServe(addr, nil)'
    files = {"conf/production.yaml": "port: 9292\n", "conf/test.yaml": "port: 9393\n"}
    assert serving(body, VIPER, **files).port == 9292


def test_a_file_of_variables_that_is_the_only_source_is_left_open() -> None:
    body = f'viper.SetConfigFile(".env")\nviper.ReadInConfig(){LISTEN}'
    assert serving(body, VIPER, **{".env.example": "A=1\n"}).unknowns[0].fact == "configuration"
    assert not serving(
        f'viper.AutomaticEnv()\nviper.GetString(key)\nviper.GetString("a")\n{body}', VIPER, **{".env.example": "A=1\n"}
    ).unknowns


def test_settings_that_the_binary_carries_hold_where_nobody_says_otherwise() -> None:
    carried = {
        "conf/embed.go": 'package conf\n\nimport "embed"\n\n//go:embed app.ini\nvar Files embed.FS\n',
        "conf/app.ini": "; defaults\n[server]\nHTTP_PORT = 3000\n\n[database]\nTYPE = postgres\n",
    }
    stack = serving("http.ListenAndServe(conf.Addr(), nil)", f"{LITE} example.org/shop/conf", **carried)
    assert (stack.port, stack.database_type) == (3000, "postgresql")
    assert (evidence(stack, "port").file, evidence(stack, "port").rule) == ("conf/app.ini", "configuration")


def test_an_example_tells_what_the_missing_file_will_say() -> None:
    body = 'f.StringSlice("config", []string{"config.toml"}, "files")\nhttp.ListenAndServe(address, nil)'
    stack = serving(body, **{"config.toml.sample": '[app]\naddress = "localhost:9000"\n'})
    assert stack.port == 9000
    assert [item.fact for item in stack.unknowns] == ["configuration"]


def test_envconfig_s_structs_of_other_packages_have_the_names_of_what_holds_them() -> None:
    config = 'package conf\n\ntype Database struct {\n Driver string `required:"true"`\n}\n'
    config += 'type Provider struct {\n Key string `split_words:"true" required:"true"`\n}\n'
    config += 'type Config struct {\n DB Database\n SiteURL string `split_words:"true" required:"true"`\n'
    config += ' Secret string `envconfig:"SECRET_WORD" required:"true"`\n A Provider\n B Provider\n}\n'
    load = 'import (\n "github.com/kelseyhightower/envconfig"\n "example.org/shop/conf"\n)\n'
    load = f'package load\n\n{load}\nfunc Load(c *conf.Config) {{ envconfig.Process("shop", c) }}\n'
    files = {"conf/conf.go": config.replace("`required", '`split_words:"true" required'), "load/load.go": load}
    main = program('load.Load(nil)\nhttp.ListenAndServe(":8080", nil)', "net/http example.org/shop/load")
    stack = stack_of({"main.go": main, **files})
    asked = {item.name for item in stack.environment if item.required}
    assert {"SHOP_DB_DRIVER", "SHOP_SITE_URL", "SECRET_WORD"} <= asked
    assert not any("KEY" in name for name in asked)
