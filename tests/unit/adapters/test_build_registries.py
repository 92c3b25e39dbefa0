"""What a build may know of the operator: package registries and authorities, nothing else."""

from pathlib import Path

from autodeploy.adapters.build import operator_registries


def test_only_registries_are_passed(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("PEM")
    environ = {
        "PIP_INDEX_URL": "https://index.example/simple", "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/root",
        "PIP_FIND_LINKS": "/wheels", "https_proxy": "http://proxy.example:3128", "PIP_CERT": str(bundle),
        "SSH_AUTH_SOCK": "/agent",
    }  # fmt: skip
    found = operator_registries(environ, tmp_path, tmp_path)
    assert found.environment == {
        "PIP_INDEX_URL": "https://index.example/simple", "HTTPS_PROXY": "http://proxy.example:3128",
    }  # fmt: skip
    assert found.authorities == "PEM"


def test_configuration_files_are_read_below_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://system.example\ntimeout = 9\ncert = /x\n")
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text("[install]\nindex-url = https://user.example\n")
    (tmp_path / "named.conf").write_text("[global]\ntrusted-host = host.example\n")
    (tmp_path / ".npmrc").write_text("//registry.example/:_authToken=secret\nregistry=https://npm.example\n")
    environ = {"PIP_CONFIG_FILE": str(tmp_path / "named.conf"), "PIP_DEFAULT_TIMEOUT": "5"}
    assert operator_registries(environ, tmp_path, tmp_path).environment == {
        "PIP_INDEX_URL": "https://user.example",
        "PIP_DEFAULT_TIMEOUT": "5",
        "PIP_TRUSTED_HOST": "host.example",
        "NPM_CONFIG_REGISTRY": "https://npm.example",
    }


def test_broken_files_count_as_missing(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("no section\n")
    (tmp_path / ".npmrc").write_text("fund=false\n")
    found = operator_registries({"PIP_CERT": str(tmp_path / "missing")}, tmp_path, tmp_path)
    assert (found.environment, found.authorities) == ({}, "")


def test_what_go_keeps_in_its_own_file_is_passed_below_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".config" / "go").mkdir(parents=True)
    kept = "GOPROXY=https://kept.example\nGOPRIVATE=*.corp.example\nGOFLAGS=-x\nGOSUMDB=\nPIP_INDEX_URL=x\n"
    (tmp_path / ".config" / "go" / "env").write_text(kept)
    found = operator_registries({"GOPROXY": "https://said.example"}, tmp_path, tmp_path).environment
    assert found == {"GOPROXY": "https://said.example", "GOPRIVATE": "*.corp.example"}
    other = tmp_path / "other"
    other.write_text("GONOSUMDB=x.example\n")
    assert operator_registries({"GOENV": str(other)}, tmp_path, tmp_path).environment == {"GONOSUMDB": "x.example"}
