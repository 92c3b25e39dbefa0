"""What holds where nobody says otherwise: handed on by callers, told to viper, the largest of several programs."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import evidence, program, serving, stack_of

SERVE = 'http.ListenAndServe(":8080", nil)'
VIPER = "net/http fmt github.com/spf13/viper"
AUTOMATIC = 'viper.SetEnvPrefix("shop")\nviper.AutomaticEnv()\n'
REPLACES = 'viper.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))\n'
READ = 'viper.SetConfigFile("./config.json")\nhttp.ListenAndServe(fmt.Sprintf(":%d", config.Port), nil)'


def test_a_default_that_callers_hand_on() -> None:
    tools = 'package tools\n\nimport "os"\n\nfunc PortOr(p string) string {\n if e := os.Getenv("PORT"); e != "" { return ":" + e }\n'
    tools += ' return ":" + p\n}\n'
    body = 'at := tools.PortOr("3000")\nserver.Start(at)'
    server = 'package server\n\nimport "net/http"\n\nfunc Start(address string) error { return http.ListenAndServe(address, nil) }\n'
    files = {"tools/tools.go": tools, "server/server.go": server}
    stack = serving(body, "example.org/shop/tools example.org/shop/server", **files)
    assert (stack.port, stack.port_env) == (3000, "PORT")


@pytest.mark.parametrize(
    ("told", "config", "port", "variable", "command"),
    [
        (AUTOMATIC + 'viper.SetDefault("Port", 4001)\n', "{}", 4001, "SHOP_PORT", "/app/app"),
        (AUTOMATIC, '{"port": 4002}', 4002, "SHOP_PORT", "/app/app"),
        (AUTOMATIC, '{"http": {"port": 4003}}', 4003, None, "/app/app"),
        (AUTOMATIC + REPLACES, '{"http": {"port": 4004}}', 4004, "SHOP_HTTP_PORT", "/app/app"),
        (AUTOMATIC, '{"listen": ":4005"}', 4005, "PORT", "SHOP_LISTEN=127.0.0.1:$PORT /app/app"),
        ("", '{"port": 4006}', 4006, None, "/app/app"),
    ],
)
def test_the_variable_that_goes_before_what_viper_is_told(
    told: str, config: str, port: int, variable: str | None, command: str
) -> None:
    stack = serving(told + READ, VIPER, **{"config.json": config})
    assert (stack.port, stack.port_env, stack.start_command) == (port, variable, command)


def test_of_several_programs_the_one_with_an_image_and_then_the_largest() -> None:
    files = {
        "cmd/alpha/main.go": program(SERVE),
        "cmd/beta/main.go": program(SERVE, "net/http example.org/shop/deep"),
        "deep/deep.go": "package deep\n",
    }
    larger = stack_of(files)
    assert evidence(larger, "app").value == "./cmd/beta"
    assert [item.choices for item in larger.unknowns] == [("./cmd/beta", "./cmd/alpha")]
    pictured = stack_of({**files, "cmd/alpha/Dockerfile.release": "FROM scratch\n"})
    assert (evidence(pictured, "app").value, pictured.unknowns) == ("./cmd/alpha", ())


def test_a_build_that_goes_on_over_lines_of_a_dockerfile() -> None:
    files = {"cmd/alpha/main.go": program(SERVE), "cmd/beta/main.go": program(SERVE)}
    image = 'from golang\nrun go build -trimpath \\\n  -tags=x \\\n  ./cmd/beta && go version ./cmd/alpha\ncmd ["beta", "serve"]\n'
    stack = stack_of({**files, "Dockerfile": image})
    assert (evidence(stack, "app").value, stack.start_command) == ("./cmd/beta", "/app/app serve")


def test_a_prefix_that_a_flag_points_to_is_the_root() -> None:
    body = 'prefix := flag.String("web.prefix", "", "x")\nr := route.New()\nr.Get(*prefix+"/-/healthy", h)\n' + SERVE
    assert serving(body, "net/http flag github.com/prometheus/common/route").health_check_path == "/-/healthy"


@pytest.mark.parametrize(
    ("file", "database"), [({}, None), ({"compose.yaml": "services:\n  db:\n    image: postgres\n"}, "postgresql")]
)
def test_a_program_that_is_told_where_sqlites_file_is_keeps_to_it(file: dict[str, str], database: str | None) -> None:
    body = f'open("sqlite", os.Getenv("SQLITE_PATH"))\nopen("postgres", os.Getenv("DATABASE_URL"))\n{SERVE}'
    stack = serving(body, "net/http os github.com/jackc/pgx/v5 modernc.org/sqlite", **file)
    assert stack.database_type == database


def test_variables_in_small_letters() -> None:
    config = 'type Config struct {\n HttpPort int `env:"http_port"`\n URI string `env:"database_uri"`\n}\n'
    body = 'cfg := Config{}\nenv.Parse(&cfg)\nsql.Open("postgres", cfg.URI)\nhttp.ListenAndServe(fmt.Sprintf(":%d", cfg.HttpPort), nil)'
    stack = serving(body, "net/http fmt database/sql github.com/caarlos0/env github.com/lib/pq", config)
    assert stack.port_env == "http_port"
    assert {item.value for item in stack.evidence if item.fact == "database_variable"} == {"database_uri=url"}


def test_flags_of_a_set_that_is_called_as_a_package_is() -> None:
    body = 'fs := flag.NewFlagSet("x", flag.ExitOnError)\nfs.StringVar(&addr, "addr", ":3011", "x")\nhttp.ListenAndServe(addr, nil)'
    stack = serving(body, "net/http flag io/fs", "var addr string\n")
    assert (stack.port, stack.start_command) == (3011, "/app/app --addr=127.0.0.1:$PORT")
