"""Where a Go program listens, and what sets it."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import evidence, program, serving, stack_of

from autodeploy.errors import AnalysisError

GETENV = 'func getEnv(k, d string) string {\n if v := os.Getenv(k); v != "" { return v }\n return d\n}\n'
RUN = "/app/app"


@pytest.mark.parametrize(
    ("body", "port", "variable", "command"),
    [
        ('http.ListenAndServe(":8081", nil)', 8081, None, RUN),
        ('http.ListenAndServe("localhost:8082", nil)', 8082, None, RUN),
        ('const a = ":8083"\nhttp.ListenAndServe(a, nil)', 8083, None, RUN),
        ('s := &http.Server{Handler: nil, Addr: ":8084"}\ns.ListenAndServe()', 8084, None, RUN),
        ('s := http.Server{Addr: fmt.Sprintf(":%d", 8085)}\ns.ListenAndServe()', 8085, None, RUN),
        ('l, _ := net.Listen("tcp", ":8086")\nhttp.Serve(l, nil)', 8086, None, RUN),
        ('http.ListenAndServe(":"+os.Getenv("PORT"), nil)', 8080, "PORT", RUN),
        ('p := os.Getenv("PORT")\nif p == "" {\n p = "3000"\n}\nhttp.ListenAndServe(":"+p, nil)', 3000, "PORT", RUN),
        ('p, ok := os.LookupEnv("PORT")\nif !ok { p = "3001" }\nhttp.ListenAndServe(":"+p, nil)', 3001, "PORT", RUN),
        ('http.ListenAndServe(":"+getEnv("PORT", "3002"), nil)', 3002, "PORT", RUN),
        ('http.ListenAndServe(":"+cmp.Or(os.Getenv("PORT"), "3003"), nil)', 3003, "PORT", RUN),
        ('http.ListenAndServe(":"+getEnv("APP_PORT", "3004"), nil)', 3004, "APP_PORT", RUN),
        ('p := os.Getenv("port")\nif p == "" {\n p = "3012"\n}\nhttp.ListenAndServe(":"+c.Port, nil)', 3012, "port", RUN),
        ('http.ListenAndServe(":"+getEnv("SHOP_PORT", "3005"), nil)', 3005, "SHOP_PORT", RUN),
        ('http.ListenAndServe(getEnv("SHOP_AT", ":3006"), nil)', 3006, "PORT", f"SHOP_AT=127.0.0.1:$PORT {RUN}"),
        ('p := getEnv("PORT", ":3007")\nuse(p)\nhttp.ListenAndServe(cfg.p, nil)', 3007, "PORT",
         f"PORT=127.0.0.1:$PORT {RUN}"),
        ('p := flag.Int("port", 3008, "x")\nhttp.ListenAndServe(fmt.Sprintf(":%d", *p), nil)', 3008, "PORT",
         f"{RUN} --port=$PORT"),
        ('a := flag.String("addr", ":3009", "x")\nhttp.ListenAndServe(*a, nil)', 3009, "PORT",
         f"{RUN} --addr=127.0.0.1:$PORT"),
        ('var a string\nflag.StringVar(&a, "listen", "0.0.0.0:3010", "x")\nhttp.ListenAndServe(a, nil)', 3010, "PORT",
         f"{RUN} --listen=127.0.0.1:$PORT"),
        ('flag.Int("workers", 3011, "x")\nhttp.ListenAndServe(":4000", nil)', 4000, None, RUN),
        ('x := getEnv("DB_PORT", "5432")\nhttp.ListenAndServe(":4001", x)', 4001, None, RUN),
        ('http.ListenAndServe(":80", nil)', 8080, None, RUN),
    ],
)  # fmt: skip
def test_the_port_and_what_sets_it(body: str, port: int, variable: str | None, command: str) -> None:
    stack = serving(body, "net net/http os fmt flag cmp", GETENV)
    assert (stack.port, stack.port_env, stack.start_command) == (port, variable, command)
    assert stack.is_web_service


@pytest.mark.parametrize(
    ("body", "imports", "port", "variable"),
    [
        ("r := gin.Default()\nr.Run()", "github.com/gin-gonic/gin", 8080, "PORT"),
        ('r := gin.Default()\nr.Run(":5001")', "github.com/gin-gonic/gin", 5001, None),
        ('e := echo.New()\ne.Logger.Fatal(e.Start(":5002"))', "github.com/labstack/echo/v4", 5002, None),
        ('app := fiber.New()\nlog.Fatal(app.Listen(":5003"))', "github.com/gofiber/fiber/v2", 5003, None),
        ("app := fiber.New()\napp.Listen(5004)", "github.com/gofiber/fiber", 5004, None),
    ],
)
def test_frameworks_listen_in_their_own_words(body: str, imports: str, port: int, variable: str | None) -> None:
    stack = serving(body, imports)
    assert (stack.is_web_service, stack.port, stack.port_env) == (True, port, variable)


@pytest.mark.parametrize(
    ("made", "port"),
    [
        ("server.Config{Port: 3456}", 3456),
        ('HTTPConfig{Addr: ":3456"}', 3456),
        ("postgres.Config{Port: 5432}", 8000),
        ("mail.Message{Port: 3456}", 8000),
        ("server.Config{Port: 99999}", 8000),
    ],
)
def test_settings_that_the_program_is_made_with_go_before_what_files_hint(made: str, port: int) -> None:
    stack = serving(f"x := {made}\nhttp.ListenAndServe(addr, nil)", Dockerfile="FROM x\nEXPOSE 8000\n")
    assert (stack.port, stack.port_env) == (port, None)


def test_struct_tags_set_it_too() -> None:
    config = 'type config struct {\n Port int `env:"HTTP_PORT" envDefault:"6001"`\n}\n'
    stack = serving("http.ListenAndServe(addr(c), nil)", rest=config)
    assert (stack.port, stack.port_env, evidence(stack, "port").line) == (6001, "HTTP_PORT", 9)


def test_arguments_that_name_the_variable_need_no_more() -> None:
    body = 'a := flag.String("addr", ":3009", "x")\nhttp.ListenAndServe(*a, nil)'
    stack = serving(body, "net/http flag", **{"Procfile": "web: shop -addr=:$PORT"})
    assert (stack.start_command, stack.port_env) == ('/app/app "-addr=:$PORT"', "PORT")


def test_files_hint_where_the_code_says_nothing() -> None:
    files = {"main.go": program("http.ListenAndServe(config.Addr, nil)"), "Dockerfile": "EXPOSE 7001"}
    assert (stack_of(files).port, stack_of(files).port_env) == (7001, None)
    assert stack_of(files, {"port": "7002"}).port == 7002
    with pytest.raises(AnalysisError, match="cannot be used"):
        stack_of(files, {"port": "80"})


@pytest.mark.parametrize(
    ("files", "overrides", "is_web"),
    [
        ({"main.go": program("for { work() }", "time")}, {}, False),
        ({"main.go": program(), "Procfile": "worker: shop"}, {}, False),
        ({"main.go": program(), "Procfile": "web: shop\nworker: shop work"}, {}, True),
        ({"main.go": program("for { work() }", "time")}, {"port": "9000"}, True),
        ({"main.go": program()}, {"port": "none"}, False),
        ({"main.go": program("http.Get(url)\nexec.Command(x).Run()", "net/http os/exec")}, {}, False),
        ({"main.go": program("c := cron.New()\nc.Start()", "github.com/robfig/cron")}, {}, False),
        ({"main.go": program("s := grpc.NewServer()\ns.Serve(l)", "google.golang.org/grpc net")}, {}, False),
    ],
)
def test_what_answers_no_http_is_a_worker(files: dict[str, str], overrides: dict[str, str], is_web: bool) -> None:
    stack = stack_of(files, overrides)
    assert stack.is_web_service == is_web
    if not is_web:
        assert (stack.port, stack.port_env, stack.start_command) == (0, None, RUN)
        assert evidence(stack, "is_web_service").value == "false"


def test_the_operator_s_command_starts_a_worker_too() -> None:
    stack = stack_of({"main.go": program("for {}", "time")}, {"start_command": "/app/app work"})
    assert (stack.start_command, stack.is_web_service) == ("/app/app work", False)


VIPER_KEY = """
type Key string
const Interface Key = "service.interface"
func (k Key) GetString() string { return viper.GetString(string(k)) }
func (k Key) setDefault(value any) { viper.SetDefault(string(k), value) }
"""
KOANF = """
var ko = koanf.New(".")
func load() {
 ko.Load(env.Provider("SHOP_", ".", func(s string) string {
  return strings.Replace(strings.ToLower(strings.TrimPrefix(s, "SHOP_")), "__", ".", -1)
 }), nil)
}
"""
FILLED = """
type Server struct { Host string; Port int }
type Config struct { Server Server }
func parseInt(target *int, env string) error {
 raw, ok := os.LookupEnv(env)
 return fill(target, raw, ok)
}
"""
SETTERS = """
var defaults = map[string]any{"app.port": "8081"}
func load() {
 set := func(env, key string) { if v := os.Getenv(env); v != "" { defaults[key] = v } }
 set("APP_PORT", "app.port")
}
"""
OPTIONS = """
var options = map[string]*option{
 "BASE_URL": {raw: "http://localhost"}, "LISTEN_ADDR": {raw: "127.0.0.1:8085"}, "LOG_LEVEL": {raw: "info"},
 "PORT": {raw: ""}, "WORKERS": {raw: "16"},
}
func parse() { for _, line := range os.Environ() { take(line) } }
"""


@pytest.mark.parametrize(
    ("body", "imports", "rest", "port", "variable", "command"),
    [
        ('viper.SetEnvPrefix("shop")\nviper.AutomaticEnv()\nInterface.setDefault(":3456")\n'
         "http.ListenAndServe(Interface.GetString(), nil)",
         "github.com/spf13/viper net/http", VIPER_KEY, 3456, "PORT", f"SHOP_SERVICE_INTERFACE=127.0.0.1:$PORT {RUN}"),
        ('http.ListenAndServe(ko.MustString("app.address"), nil)',
         "github.com/knadh/koanf/v2 github.com/knadh/koanf/providers/env net/http strings", KOANF, 8080, "PORT",
         f"SHOP_APP__ADDRESS=127.0.0.1:$PORT {RUN}"),
        ('c := &Config{Server: Server{Port: 8090}}\nparseInt(&c.Server.Port, "SHOP_SERVER_PORT")\n'
         'parseInt(&c.A, "SHOP_A")\nparseInt(&c.B, "SHOP_B")\nparseInt(&c.C, "SHOP_C")\nserve(c)\nhttp.Serve(l, nil)',
         "net/http os", FILLED, 8090, "SHOP_SERVER_PORT", RUN),
        ("load()\nhttp.Serve(l, nil)", "net/http os", SETTERS, 8081, "APP_PORT", RUN),
        ("parse()\nhttp.Serve(l, nil)", "net/http os", OPTIONS, 8080, "PORT", RUN),
    ],
)  # fmt: skip
def test_settings_that_go_through_a_library_or_the_programs_own_functions(
    body: str, imports: str, rest: str, port: int, variable: str, command: str
) -> None:
    stack = serving(body, imports, rest)
    assert (stack.port, stack.port_env, stack.start_command) == (port, variable, command)


def test_a_table_that_leads_to_keys_of_the_settings_tells_no_values() -> None:
    table = OPTIONS.replace('{raw: "info"}', '"log.level"').replace(
        '"WORKERS": {raw: "16"}', '"SHOP_WORKERS": "workers"'
    )
    found = {item.name: item.default for item in serving("parse()\nhttp.Serve(l, nil)", rest=table).environment}
    assert (found["LOG_LEVEL"], found["SHOP_WORKERS"], found["BASE_URL"]) == (None, None, "http://localhost")


def test_the_default_of_a_key_is_found_where_it_is_set() -> None:
    config = 'package config\n\nimport "github.com/spf13/viper"\n\nfunc Load() {\n\tviper.AutomaticEnv()\n'
    config += '\tviper.SetDefault("port", 3999)\n}\n'
    body = 'config.Load()\nhttp.ListenAndServe(":"+viper.GetString("port"), nil)'
    main = program(body, "net/http github.com/spf13/viper example.org/shop/config")
    stack = stack_of({"main.go": main, "config/config.go": config})
    told = evidence(stack, "port")
    assert (told.value, told.file, told.line) == ("3999", "config/config.go", 7)


def test_what_speaks_no_http_is_not_where_people_are_served() -> None:
    config = 'type Config struct {\n ServerAddress string `default:":5050" split_words:"true"`\n'
    config += ' TurnAddress string `default:":3478" split_words:"true"`\n TurnPort string `default:"3479" split_words:"true"`\n'
    config += ' A string `split_words:"true"`\n B string `split_words:"true"`\n}\n'
    turn = 'package turn\n\nimport "net"\n\nfunc Start(c Config) { net.Listen("tcp", c.TurnAddress) }\n'
    body = 'c := Config{}\nenvconfig.Process("shop", &c)\nturn.Start(c)\nserve(c.ServerAddress)'
    serve = 'func serve(at string) { s := &http.Server{}\n l, _ := net.Listen("tcp", at)\n s.Serve(l) }\n'
    imports = "github.com/kelseyhightower/envconfig net net/http example.org/shop/turn"
    stack = stack_of({"main.go": program(body, imports, config + serve), "turn/turn.go": turn})
    assert (stack.port, stack.start_command) == (5050, f"SHOP_SERVER_ADDRESS=127.0.0.1:$PORT {RUN}")


def test_a_flag_s_default_may_be_a_constant_of_another_package() -> None:
    flags = 'var flags = []cli.Flag{&cli.StringFlag{Name: "listen-http", EnvVars: []string{"SHOP_LISTEN_HTTP"}, Value: server.Default},'
    flags += ' &cli.StringFlag{EnvVars: []string{"SHOP_A"}}, &cli.StringFlag{EnvVars: []string{"SHOP_B"}},'
    flags += ' &cli.StringFlag{EnvVars: []string{"SHOP_C"}}}\n'
    server = 'package server\n\nimport "net/http"\n\nconst Default = ":8091"\nfunc Run(h string) { http.ListenAndServe(h, nil) }\n'
    main = program("run(flags)", "github.com/urfave/cli/v2 example.org/shop/server", flags)
    stack = stack_of({"main.go": main, "server/server.go": server})
    assert (stack.port, stack.start_command) == (8091, f"SHOP_LISTEN_HTTP=127.0.0.1:$PORT {RUN}")
