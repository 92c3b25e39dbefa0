"""Variables that ardanlabs/conf makes of the names of fields."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import program, serving, stack_of

LISTEN = '\nhttp.ListenAndServe(":8080", nil)'
ARDAN = """
type Auth struct { Key string `conf:"required"`; Mode string `conf:"env:MODE,default:soft"`; Plain string }
type Options struct { Retries int `conf:"default:3"` }
type Config struct {
 Web struct { APIHost string `conf:"default:0.0.0.0:3456"`; MaxSize int `conf:"default:10,help:most"` }
 Auth Auth `yaml:"auth"`
 First Options
 Second Options
}
"""


@pytest.mark.parametrize(("prefix", "before"), [('"SHOP"', "SHOP_"), ("prefix", "OWN_"), ('""', "")])
def test_ardanlabs_conf_names_variables_by_the_fields_that_lead_to_them(prefix: str, before: str) -> None:
    body = f"conf.Parse({prefix}, &cfg)\nhttp.ListenAndServe(cfg.Web.APIHost, nil)"
    stack = serving(body, "net/http github.com/ardanlabs/conf/v3", f'const prefix = "OWN"{ARDAN}')
    found = {item.name: (item.required, item.default) for item in stack.environment}
    assert found == {
        f"{before}AUTH_KEY": (True, None),
        f"{before}MODE": (False, "soft"),
        f"{before}WEB_MAX_SIZE": (False, "10"),
    }
    assert (stack.port, stack.start_command) == (3456, f"{before}WEB_API_HOST=127.0.0.1:$PORT /app/app")


def test_structs_of_other_files_are_followed_where_a_tagged_field_holds_them() -> None:
    config = (
        'package config\n\nimport "github.com/ardanlabs/conf/v3"\n\ntype Config struct {\n Mail Mail `yaml:"mail"`\n}\n'
    )
    config += 'func New() { prefix := "SHOP"; conf.Parse(prefix, &Config{}) }\n'
    mail = 'package config\n\ntype Mail struct {\n Host string `conf:"required"`\n}\n'
    main = program(
        f"config.New(){LISTEN}", "net/http example.org/shop/config", "type app struct { used *config.Config }"
    )
    stack = stack_of({"main.go": main, "config/config.go": config, "config/mail.go": mail})
    assert [(item.name, item.required) for item in stack.environment] == [("SHOP_MAIL_HOST", True)]


def test_tags_of_another_library_name_nothing() -> None:
    assert not serving(f"parse(&cfg){LISTEN}", "net/http", ARDAN).environment
