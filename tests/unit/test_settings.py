"""Settings: flags over environment over autodeploy.toml over defaults; what cannot be used is told with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodeploy.errors import SettingsError
from autodeploy.settings import FILE_NAME, load

HOME = {"HOME": "/home/me"}


def written(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text)
    return folder


def test_defaults(tmp_path: Path) -> None:
    found = load({}, HOME, tmp_path)
    assert found.home == Path("/home/me/.autodeploy")
    assert found.cache == Path("~/.cache/autodeploy").expanduser()
    assert (found.target, found.region, found.path, found.yes, found.environment) == (None, None, ".", False, {})


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    folder = written(tmp_path, 'region = "eu-west-1"\ntarget = "aws"\nname = "of-file"\n')
    environ = {**HOME, "AUTODEPLOY_REGION": "eu-central-1", "AUTODEPLOY_TARGET": "local"}
    assert load({}, HOME, folder).region == "eu-west-1"
    assert load({}, environ, folder).region == "eu-central-1"
    assert load({"region": "us-west-2"}, environ, folder).region == "us-west-2"
    assert load({"region": None, "name": None}, environ, folder).name == "of-file"
    assert load({}, environ, folder).target == "local"
    assert load({}, {**environ, "AUTODEPLOY_HOME": "/of/environment"}, folder).home == Path("/of/environment")


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_DEFAULT_REGION": "a"}, "a"),
        ({"AWS_DEFAULT_REGION": "a", "AWS_REGION": "b"}, "b"),
        ({"AWS_REGION": "b", "AUTODEPLOY_REGION": "c"}, "c"),
        ({"AUTODEPLOY_REGION": "", "AWS_REGION": "b"}, "b"),
    ],
)
def test_our_own_variable_wins_over_those_of_aws(tmp_path: Path, environ: dict[str, str], region: str) -> None:
    assert load({}, environ, tmp_path).region == region


def test_places_are_absolute(tmp_path: Path) -> None:
    found = load({"home": "~/there", "cache": "here"}, HOME, tmp_path)
    assert found.home == Path("~/there").expanduser()
    assert found.cache == Path.cwd() / "here"
    assert load({}, {**HOME, "XDG_CACHE_HOME": "/var/x"}, tmp_path).cache == Path("/var/x/autodeploy")


def test_a_flag_of_a_table_takes_the_place_of_its_own_entry_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, '[overrides]\nport = "1"\napp = "a:b"\n')
    assert load({"overrides": {"port": "2", "start_command": "c"}}, HOME, folder).overrides == {
        "port": "2",
        "app": "a:b",
        "start_command": "c",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("yes", "yes = true"),
        ("new", "new = true"),
        ("home", 'home = "/elsewhere"'),
        ("cache", 'cache = "/elsewhere"'),
        ("debug", "debug = true"),
        ("profile", 'profile = "admin"'),
        ("environment", '[environment]\nA = "1"'),
        ("allow_data_loss", 'allow_data_loss = ["database"]'),
    ],
)
def test_a_repository_cannot_choose_for_the_person(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, HOME, written(tmp_path, f'region = "eu-west-1"\n{text}\n'))
    assert f"{name!r} may not be set in {tmp_path / FILE_NAME}" in caught.value.message
    assert (
        "target, name, region, path, ref, instance_type, instances, overrides, admin_cidr" in caught.value.remediation
    )


def test_a_repository_may_say_what_it_needs(tmp_path: Path) -> None:
    text = 'path = "web"\nref = "main"\ninstance_type = "t3.large"\ninstances = 2\nadmin_cidr = "10.0.0.0/8"\n'
    found = load({}, HOME, written(tmp_path, text))
    assert (found.path, found.ref, found.instance_type, found.admin_cidr) == ("web", "main", "t3.large", "10.0.0.0/8")
    assert found.instances == 2


@pytest.mark.parametrize("number", [0, 11, -1])
def test_machines_are_one_to_ten(number: int) -> None:
    with pytest.raises(SettingsError, match="the setting 'instances' cannot be used") as caught:
        load({"instances": number}, HOME)
    assert "'instances'" in caught.value.remediation


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('colour = "red"\n', "colour"),
        ('target = "azure"\n', "target"),
        ("region = 5\n", "region"),
        ("[overrides]\nport = 1\n", "overrides.port"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, HOME, written(tmp_path, text))
    assert repr(named) in caught.value.message
    assert FILE_NAME in caught.value.remediation


@pytest.mark.parametrize("content", [b"target = local\n", b"[", b"\xff\xfe"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(SettingsError, match="is not valid TOML"):
        load({}, HOME, tmp_path)


def test_variables_of_the_application_are_not_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(load({"environment": {"PASSWORD": "hunter2"}}, HOME, tmp_path))


def test_without_arguments_the_process_itself_is_read() -> None:
    assert load({"name": "a"}).name == "a"


@pytest.mark.parametrize("name", ["AUTODEPLOY_HOME", "AUTODEPLOY_CACHE"])
def test_a_home_that_leads_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="leads nowhere") as caught:
        load({}, {"HOME": str(tmp_path), name: "~nobody-of-this-name/x"}, tmp_path)
    assert "AUTODEPLOY_HOME and AUTODEPLOY_CACHE" in caught.value.remediation


def test_a_setting_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such setting") as caught:
        load({}, HOME, written(tmp_path, 'colour = "red"\n'))
    assert "flag" not in caught.value.remediation


ROLE = "arn:aws:iam::123456789012:role/deployer"


@pytest.mark.parametrize(
    "role_arn",
    [
        ROLE,
        "arn:aws-us-gov:iam::123456789012:role/teams/ops/Deployer+1=,.@-_",
        "arn:aws-cn:iam::1" + "2" * 11 + ":role/a",
    ],
)
def test_a_role_is_of_a_flag_or_of_the_environment(tmp_path: Path, role_arn: str) -> None:
    assert load({"role_arn": role_arn}, HOME, tmp_path).role_arn == role_arn
    environ = {**HOME, "AUTODEPLOY_ROLE_ARN": role_arn}
    assert load({}, environ, tmp_path).role_arn == role_arn
    assert load({"role_arn": ""}, environ, tmp_path).role_arn == ""


@pytest.mark.parametrize(
    "role_arn",
    [
        "deployer",
        "arn:aws:iam::123456789012:user/me",
        "arn:aws:iam::12345678901:role/short",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/" + "a" * 65,
        "arn:aws:iam::123456789012:instance-profile/deployer",
        "arn:aws:sts::123456789012:assumed-role/deployer/me",
        f"{ROLE}\n",
        f"{ROLE} ",
    ],
)
def test_what_is_no_role(tmp_path: Path, role_arn: str) -> None:
    with pytest.raises(SettingsError, match="the setting 'role_arn' cannot be used") as caught:
        load({"role_arn": role_arn}, HOME, tmp_path)
    assert "is no role's ARN, such as arn:aws:iam::123456789012:role/deployer" in caught.value.message


def test_a_repository_does_not_choose_the_role(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'role_arn' may not be set"):
        load({}, HOME, written(tmp_path, f'role_arn = "{ROLE}"\n'))
