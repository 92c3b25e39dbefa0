"""Templates: a missing value is an error, the shell filter quotes."""

from __future__ import annotations

import shlex

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from autodeploy import templating


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="packages"):
        templating.render("host/cloud-config.yaml.j2", ssh_public_key="x")


def test_a_template_that_is_missing_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        templating.render("host/nothing.j2")


def test_the_shell_filter_quotes_whatever_it_is_given() -> None:
    quoted = templating._environment().from_string("{{ value | sh }}").render(value="a b; 'c' $d")
    assert shlex.split(quoted) == ["a b; 'c' $d"]


def test_the_wheel_carries_the_templates() -> None:
    pyproject = (templating.Path(templating.__file__).parents[1] / "pyproject.toml").read_text()
    assert 'templates = "autodeploy/_templates"' in pyproject
