"""Which project of a repository is taken, and what is said of the others."""

from __future__ import annotations

import pytest
from fixtures.sources import memory
from unit.analyser.layout.repositories import EXPRESS, FLASK, GO, GO_TOOL, LAYOUTS, NEXT, SPRING, VITE, within

from autodeploy.analyser import analyse, detect_language
from autodeploy.analyser.language import supported
from autodeploy.errors import AnalysisError


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_application_is_found(name: str) -> None:
    files, language, root = LAYOUTS[name]
    home = detect_language(memory(files))
    assert (home.language, home.root, home.unknowns) == (language, root, ())
    assert home.evidence.file in files
    assert [(item.fact, item.value) for item in home.told] in ([("app_root", root)], [])


def test_what_is_left_out_is_named() -> None:
    stack = analyse(memory(within("backend", FLASK) | within("frontend", VITE)))
    assert stack.warnings[-1] == "only backend is deployed; the repository also holds frontend (nodejs)"
    (place,) = [item for item in stack.evidence if item.fact == "app_root"]
    assert (place.value, place.rule, place.alternatives) == ("backend", "most-of-a-service", ("frontend",))


def test_equals_are_offered_with_all_that_serve() -> None:
    home = detect_language(memory(within("b", FLASK) | within("a", EXPRESS) | within("worker", FLASK)))
    assert home.unknowns[0].choices == ("a", "b", "worker")
    assert home.unknowns[0].message == "several folders hold an application: a (nodejs), b (python), worker (python)"


def test_a_refused_language_names_what_could_be_deployed_instead() -> None:
    with pytest.raises(AnalysisError, match="unsupported language: java") as caught:
        supported(detect_language(memory(within("backend", SPRING) | within("frontend", NEXT))))
    assert "--path frontend" in caught.value.remediation


def test_a_module_is_not_judged_by_the_modules_within_it() -> None:
    modules = within("shop", GO) | within("blog", GO)
    home = detect_language(memory(GO_TOOL | modules))
    assert (home.root, home.unknowns[0].choices) == ("blog", ("blog", "shop"))


def test_a_repository_of_many_projects_is_judged_by_the_highest() -> None:
    many = {path: text for number in range(300) for path, text in within(f"z/p{number}", FLASK).items()}
    assert detect_language(memory(many | within("api", EXPRESS))).root == "api"
