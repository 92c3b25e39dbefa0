"""The design document's properties of analysis and sizing; and that no tree of files, however broken, crashes it."""

from __future__ import annotations

import re

import pytest
from fixtures.planned import FACTS, planned
from fixtures.sources import memory
from generators import (
    DRIVER_PACKAGES,
    OTHER_PACKAGES,
    PACKAGE_FILES,
    broken_trees,
    dependency_names,
    identifiers,
    package_files,
    tech_stacks,
    web_repositories,
)
from go_generators import GO_DRIVERS, GO_WEB, go_repositories
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from autodeploy.analyser import analyse, detect_language
from autodeploy.analyser.language import SUPPORTED
from autodeploy.analyser.python.frameworks import FRAMEWORKS
from autodeploy.errors import AnalysisError
from autodeploy.model import PYTHON_OF_IMAGE, PYTHON_RELEASES, TechStack

EXAMPLES = settings(max_examples=150, deadline=None)
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
BUILD_TOOLS = {"python": "pip", "nodejs": "npm", "go": "go"}


# Feature: autodeploy-agent, Property 8: Language Detection from Package Files
@EXAMPLES
@given(st.sampled_from(sorted(PACKAGE_FILES)), st.dictionaries(identifiers.map("{}.md".format), st.text(), max_size=3))
def test_the_package_file_tells_the_language(file: str, others: dict[str, str]) -> None:
    texts = {"package.json": "{}", "pyproject.toml": '[project]\nname = "x"\n'}
    source = memory({**others, file: texts.get(file, "")})
    assert detect_language(source).language == PACKAGE_FILES[file]
    if PACKAGE_FILES[file] not in SUPPORTED:
        with pytest.raises(AnalysisError, match=f"unsupported language: {PACKAGE_FILES[file]}"):
            analyse(source)


# Feature: autodeploy-agent, Property 9: Framework Detection Consistency
@EXAMPLES
@given(web_repositories())
def test_the_framework_is_the_declared_one_of_the_language(
    repository: tuple[dict[str, str], str, list[str], str],
) -> None:
    files, framework, _, target = repository
    stack = analyse(memory(files))
    assert (stack.language, stack.framework) == ("python", framework)
    assert stack.framework in {known.name for known in FRAMEWORKS}
    assert target in stack.start_command.split()


# Feature: autodeploy-agent, Property 10: Runtime Version Extraction
@EXAMPLES
@given(
    st.sampled_from(("3.11", "3.13")),
    st.sampled_from((".python-version", "runtime.txt", "requires-python", "Pipfile")),
    st.none() | st.integers(0, 20),
)
def test_the_runtime_version_is_the_specified_one(minor: str, where: str, patch: int | None) -> None:
    version = minor if patch is None else f"{minor}.{patch}"
    files = {
        ".python-version": {".python-version": version},
        "runtime.txt": {"runtime.txt": f"python-{version}"},
        "requires-python": {"pyproject.toml": f'[project]\nname = "x"\nrequires-python = "=={version}"\n'},
        "Pipfile": {"Pipfile": f'[requires]\npython_version = "{version}"\n'},
    }[where]
    stack = analyse(memory({"requirements.txt": "flask", "app.py": FLASK, **files}))
    assert stack.runtime_version == minor
    assert stack.version_constraint.lstrip("=") == version


# Feature: autodeploy-agent, Property 10: Runtime Version Extraction
@EXAMPLES
@given(st.integers(8, 16), st.integers(8, 16))
def test_a_range_gets_a_released_version_inside_it(low: int, high: int) -> None:
    constraint = f">=3.{low},<3.{high}"
    project = f'[project]\nname = "x"\nrequires-python = "{constraint}"\n'
    source = memory({"requirements.txt": "flask", "app.py": FLASK, "pyproject.toml": project})
    fitting = [version for version in PYTHON_RELEASES if f"{version}.5" in SpecifierSet(constraint)]
    stack = analyse(source)
    assert stack.version_constraint == constraint
    if fitting:
        brought = [version for version in PYTHON_OF_IMAGE.values() if version in fitting]
        assert stack.runtime_version == (brought or fitting[::-1])[0]
    else:
        # What is said to be wanted is still the repository's wish; the builder refuses what it cannot bring.
        assert stack.runtime_version == f"3.{low}"


# Feature: autodeploy-agent, Property 11: Database Requirement Detection
@EXAMPLES
@given(st.data())
def test_a_database_is_required_exactly_when_a_driver_is_declared(data: st.DataObject) -> None:
    packages = data.draw(dependency_names)
    files = data.draw(package_files(["flask", *packages]))
    stack = analyse(memory({**files, "app.py": FLASK}))
    drivers = [package for package in packages if package in DRIVER_PACKAGES]
    assert stack.requires_database == bool(drivers)
    assert stack.database_type in ({DRIVER_PACKAGES[driver] for driver in drivers} or {None})
    assert {"flask", *packages} == set(stack.dependencies)
    assert not set(OTHER_PACKAGES) & set(DRIVER_PACKAGES)


# Feature: autodeploy-agent, Property 12: Build Tool Selection
@EXAMPLES
@given(web_repositories())
def test_the_build_tool_is_the_languages(repository: tuple[dict[str, str], str, list[str], str]) -> None:
    stack = analyse(memory(repository[0]))
    assert stack.build_tool == BUILD_TOOLS[stack.language]
    assert "-m pip install" in stack.build_command


# Feature: autodeploy-agent, Property 8: Language Detection from Package Files
# Feature: autodeploy-agent, Property 9: Framework Detection Consistency
# Feature: autodeploy-agent, Property 10: Runtime Version Extraction
# Feature: autodeploy-agent, Property 11: Database Requirement Detection
# Feature: autodeploy-agent, Property 12: Build Tool Selection
@EXAMPLES
@given(go_repositories())
def test_a_module_of_go_is_what_it_requires_and_imports(
    repository: tuple[dict[str, str], str | None, list[str], str],
) -> None:
    files, framework, direct, target = repository
    stack = analyse(memory(files))
    assert (stack.language, stack.build_tool, stack.framework) == ("go", "go", framework)
    assert framework in GO_WEB
    assert re.fullmatch(r"1\.\d+", stack.runtime_version)
    assert f"go {stack.version_constraint}\n" in files["go.mod"]
    assert stack.version_constraint.startswith(stack.runtime_version)
    drivers = {GO_DRIVERS[path] for path in direct if path in GO_DRIVERS}
    assert stack.requires_database == bool(drivers)
    assert stack.database_type in (drivers or {None})
    assert set(stack.dependencies) == set(direct)
    assert stack.build_command.endswith(f"go build -o /app/app {target}")
    assert stack.is_web_service


# Feature: autodeploy-agent, Property 18: Instance Sizing Based on Language
@EXAMPLES
@given(tech_stacks())
def test_the_instance_is_sized_by_language(stack: TechStack) -> None:
    expected = {"nodejs": "t3.small", "python": "t3.small", "go": "t3.micro"}[stack.language]
    plan = planned(stack, FACTS)
    assert plan.infra.instance_type == expected
    assert plan.cost[0].what == f"EC2 instance {expected}"
    assert (plan.infra.database is not None) == stack.requires_database
    assert (plan.infra.web is not None) == stack.is_web_service


@settings(max_examples=400, deadline=None)
@given(broken_trees)
def test_no_tree_crashes_the_analysis_and_every_answer_is_the_same_again(files: dict[str, str]) -> None:
    def answer() -> str:
        try:
            return analyse(memory(files)).to_json()
        except AnalysisError as error:
            assert error.message
            assert error.remediation
            return str(error)

    assert answer() == answer()


@EXAMPLES
@given(web_repositories(), broken_trees)
def test_broken_files_beside_an_application_do_not_crash_it(
    repository: tuple[dict[str, str], str, list[str], str], broken: dict[str, str]
) -> None:
    try:
        stack = analyse(memory({**broken, **repository[0]}))
    except AnalysisError as error:
        assert "--" in error.remediation
    else:
        assert stack.language == "python"
