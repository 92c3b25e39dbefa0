"""What a repository leaves open is asked once, kept at once, and refused where nobody answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.line import URL, Line
from fakes.person import FakeUI
from fakes.world import World

from autodeploy.agents import reading
from autodeploy.agents.questions import ask, open_questions
from autodeploy.errors import AnalysisError, BuildError
from autodeploy.model import Request, TechStack, Unknown

DATABASE = Unknown(
    fact="database_type",
    message="the code speaks to two databases",
    choices=("postgresql", "mysql"),
    flag="--database-type",
)
FOLDER = Unknown(fact="app_root", message="several folders", choices=("api", "web"), flag="--path")
TAKEN = Unknown(fact="port", message="no port was found", choices=("8000",), flag="--port")
STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip", unknowns=(DATABASE, FOLDER, TAKEN))


def person(choice: int, answer: bool = True) -> FakeUI:
    ui = FakeUI(answer)
    ui.choice = choice
    return ui


def test_only_what_has_several_answers_is_a_question() -> None:
    assert open_questions(STACK, Request()) == (DATABASE, FOLDER)


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        (Request(overrides={"database_type": "mysql"}), (FOLDER,)),
        (Request(subdirectory="web"), (DATABASE,)),
        (Request(overrides={"port": "1"}), (DATABASE, FOLDER)),
    ],
)
def test_what_a_flag_said_is_none(request_: Request, left: tuple[Unknown, ...]) -> None:
    assert open_questions(STACK, request_) == left


def test_answers_are_kept_as_flags_would_be_one_by_one() -> None:
    kept: list[Request] = []
    found = ask((DATABASE, FOLDER), Request(), person(1), True, kept.append)
    assert found == Request(overrides={"database_type": "mysql"}, subdirectory="web")
    assert kept == [Request(overrides={"database_type": "mysql"}), found]
    assert open_questions(STACK, found) == ()


@pytest.mark.parametrize("ui", [person(0), person(0, answer=False)])
def test_without_an_answer_all_flags_are_named(ui: FakeUI) -> None:
    with pytest.raises(AnalysisError) as caught:
        ask((DATABASE, FOLDER), Request(), ui, ui.answer is False, lambda _: None)
    assert "--database-type postgresql | mysql" in caught.value.remediation
    assert "--path api | web" in caught.value.remediation
    assert caught.value.exit_code == 30


class TestTheLine:
    """A deployment of what speaks to two databases."""

    @pytest.fixture
    def line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
        real = reading.analyse

        def open_(source, overrides, description):
            stack = real(source, overrides, description)
            return stack if "database_type" in overrides else stack.but(unknowns=(DATABASE, TAKEN))

        monkeypatch.setattr(reading, "analyse", open_)
        return Line(tmp_path / "home", World("flask-postgres"))

    def asked(self, line: Line) -> int:
        return sum(text.startswith(DATABASE.message) for text in line.ui.lines)

    def test_asks_and_goes_on_with_the_answer(self, line: Line) -> None:
        line.ui.choice = 1
        state = line.ledger(line.deploy(yes=False))
        assert state.status == "complete"
        assert state.tech_stack is not None and state.tech_stack.database_type == "mysql"
        assert state.request.overrides == {"database_type": "mysql"}
        assert "no port was found (--port settles it)" in line.ui.lines

    def test_never_asks_again(self, line: Line) -> None:
        line.deploy(yes=False)
        line.deploy(yes=False)
        line.deploy()
        assert self.asked(line) == 1

    def test_never_asks_again_where_the_run_failed(self, line: Line) -> None:
        line.break_at("build", BuildError("pip failed", "Correct it."))
        line.world.texts = {"settings.py": "import os\nKEY = os.environ['STRIPE_API_KEY']\n", "app.py": _needy()}
        first = line.ledger(line.deploy(yes=False))
        assert first.failed_stage == "analyze" and first.tech_stack is None
        assert first.request.overrides == {"database_type": "postgresql"}
        assert line.ledger(line.deploy(environment={"STRIPE_API_KEY": "x"})).failed_stage == "build"
        assert self.asked(line) == 1

    def test_with_yes_is_refused_before_anything_is_built(self, line: Line) -> None:
        result = line.deploy()
        assert (result.status, line.world.builds) == ("failed", 0)
        assert "--database-type postgresql | mysql" in result.errors[-1].remediation

    def test_a_flag_is_an_answer(self, line: Line) -> None:
        assert line.deploy(URL, overrides={"database_type": "postgresql"}).status == "complete"
        assert self.asked(line) == 0


def _needy() -> str:
    return "import settings\nfrom flask import Flask\nimport psycopg2\napp = Flask(__name__)\n"
