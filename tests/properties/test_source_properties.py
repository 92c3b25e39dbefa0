"""Properties of the way from an address to an artifact: 1, 7, 13 and 14 of the design document."""

from __future__ import annotations

import json
import string
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.adapters.fake_container_engine import FakeEngine

from autodeploy.adapters.build import ContainerBuilder, artifacts, failures
from autodeploy.adapters.git import GitRepo
from autodeploy.errors import BuildError, SourceError
from autodeploy.model import BuildArtifact, BuildStep, Recipe, Source, TechStack
from autodeploy.model.repository import RepositoryUrl

LETTERS = string.ascii_letters + string.digits
WORD = st.text(LETTERS, min_size=1, max_size=12)
NAME = st.tuples(WORD, st.text(LETTERS + "._-", max_size=8)).map("".join)
HOST = st.lists(WORD, min_size=1, max_size=3).map(".".join)
PLACE = st.lists(NAME, min_size=1, max_size=3).map("/".join)
VALID = st.one_of(
    st.tuples(st.sampled_from(["https://", "ssh://git@", "git://"]), HOST, st.just("/"), PLACE).map("".join),
    st.tuples(st.just("git@"), HOST, st.just(":"), PLACE).map("".join),
    st.tuples(st.just("file:///"), PLACE).map("".join),
    st.tuples(st.sampled_from(["/", "./", "../"]), PLACE).map("".join),
)
CONTROL = st.characters(categories=["Cc"])
INVALID = st.one_of(
    PLACE,
    st.tuples(st.sampled_from(["http://", "ftp://", "ext::", "javascript:", "s3://"]), HOST, st.just("/"), PLACE).map(
        "".join
    ),
    st.tuples(st.sampled_from(["-", "--upload-pack=", "-u"]), PLACE).map("".join),
    st.tuples(VALID, CONTROL, PLACE).map("".join),
    st.sampled_from(["https://", "ssh://", "git://", "git@"]),
    st.tuples(st.sampled_from(["https://-", "ssh://-o", "git@-"]), HOST, st.just("/:"), PLACE).map("".join),
)


# Feature: autodeploy-agent, Property 1: URL Validation Correctness
@settings(max_examples=300)
@given(VALID)
def test_valid_addresses_are_accepted(text: str) -> None:
    assert RepositoryUrl.parse(text).text == text


# Feature: autodeploy-agent, Property 1: URL Validation Correctness
@settings(max_examples=300)
@given(INVALID)
def test_invalid_addresses_are_refused(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        RepositoryUrl.parse(text)
    assert len(str(caught.value).splitlines()) == 4


# Feature: autodeploy-agent, Property 1: URL Validation Correctness
@settings(max_examples=500)
@given(st.text(max_size=60))
def test_any_text_is_accepted_by_its_beginning_or_refused(text: str) -> None:
    begins = ("https://", "ssh://", "git://", "file://", "/", "./", "../")
    try:
        RepositoryUrl.parse(text)
    except SourceError:
        return
    assert text.startswith(begins) or "@" in text or text in {".", ".."}


# Feature: autodeploy-agent, Property 1: URL Validation Correctness
@settings(max_examples=200)
@given(HOST, PLACE, st.text(LETTERS + "%:._-~!", min_size=1, max_size=20))
def test_credentials_are_never_shown(host: str, place: str, secret: str) -> None:
    secret = f"s3cr3t{secret}"
    try:
        url = RepositoryUrl.parse(f"https://user:{secret}@{host}/{place}")
        shown = url.text + repr(url) + url.to_json()
        assert url.has_credentials
    except SourceError as err:
        shown = f"{err}{err.output}"
    assert "s3cr3t" not in shown


FILES = st.dictionaries(
    st.lists(NAME.filter(lambda name: name.lower() != ".git"), min_size=1, max_size=3).map("/".join),
    st.binary(max_size=60),
    min_size=1,
    max_size=6,
)


def import_commit(folder: Path, files: dict[str, bytes]) -> None:
    """Make a repository with one commit, in two processes."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    stream = b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n"
    for path, content in files.items():
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=stream, check=True)


# Feature: autodeploy-agent, Property 7: Repository Cloning Creates Directory
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES)
def test_cloning_brings_the_repository_s_contents(files: dict[str, bytes]) -> None:
    folders = {parent for path in files for parent in map(str, Path(path).parents)}
    files = {path: content for path, content in files.items() if path not in folders}
    with tempfile.TemporaryDirectory() as place:
        import_commit(Path(place) / "origin", files)
        source = GitRepo(Path(place) / "cache").checkout(f"file://{place}/origin", None, ".", Path(place) / "into")
        assert source.root.is_dir()
        assert {path: (source.root / path).read_bytes() for path in source.paths} == files
        assert list(source.paths) == sorted(files)


STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip", start_command="run")
LINE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"]), max_size=40)


def a_recipe(commands: list[str]) -> Recipe:
    steps = tuple(BuildStep(what="Building the application", command=command) for command in commands)
    return Recipe(base_image="debian-12", steps=steps, keep=("src",))


def run(place: str, commands: list[str], plan: dict[str, object]) -> BuildArtifact:
    """Build a one-file source on an engine that plays `plan`."""
    root = Path(place)
    engine = FakeEngine(root / "engine")
    engine.play(**plan)
    builder = ContainerBuilder(engine.command, lambda *_: "image", root / "cache")
    (root / "app.py").write_text("")
    source = Source("u", "c", root, ("app.py",))
    return builder.build(source, STACK, a_recipe(commands), root / "out", lambda _: None)


COMMANDS = st.lists(WORD, min_size=1, max_size=3)


# Feature: autodeploy-agent, Property 13: Build Artifact Completeness
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(COMMANDS, st.text(max_size=200))
def test_an_artifact_is_complete(commands: list[str], content: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        artifact = run(place, commands, {"archive": content})
        file = Path(artifact.path)
        assert file.is_file()
        assert artifact.type == "archive"
        assert artifact.size_bytes == file.stat().st_size
        assert artifact.checksum == artifacts.checksum(file)
        assert artifact.build_command == " && ".join(commands)
        assert artifact.build_duration_seconds >= 0
        assert BuildArtifact.model_validate_json(artifact.to_json()) == artifact


# Feature: autodeploy-agent, Property 14: Build Error Capture
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(COMMANDS, st.lists(LINE, max_size=60), st.integers(1, 255), st.data())
def test_a_failing_build_s_output_is_captured(
    commands: list[str], lines: list[str], code: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(1, len(commands)))
    with tempfile.TemporaryDirectory() as place:
        plan = {"lines": [f"MARK step {number}", *lines, f"MARK failed {number} {code}"], "code": 1}
        with pytest.raises(BuildError) as caught:
            run(place, commands, json.loads(json.dumps(plan)))
    heard = [line for line in lines if line.strip()]
    assert caught.value.output == "\n".join(heard[-failures.LAST_LINES :])
    assert str(code) in caught.value.message
    assert caught.value.remediation


# Feature: autodeploy-agent, Property 14: Build Error Capture
@settings(max_examples=300)
@given(st.text(min_size=1, max_size=30), st.lists(st.text(max_size=40), max_size=100), st.integers(1, 255))
def test_every_failure_says_what_failed_and_why(command: str, lines: list[str], code: int) -> None:
    step = BuildStep(what="Installing dependencies", command=command)
    error = failures.step_failed(step, code, "python", lines, Path("build.log"))
    assert error.output == "\n".join(lines[-failures.LAST_LINES :])
    assert error.message.endswith(f"failed with exit code {code}")
    assert "build.log" in error.remediation
