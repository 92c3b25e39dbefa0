"""preview, and the picture of the infrastructure: what is shown, what is drawn, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Desk

URL = "https://example.org/guestbook.git"


class TestPreview:
    def test_of_what_stands_as_planned(self, desk: Desk) -> None:
        desk.deploy()
        shown = desk.type("preview").out
        assert "No changes: all 4 resources stand as planned.\n" in shown
        assert "as what stands" in shown

    def test_of_what_is_gone(self, desk: Desk) -> None:
        desk.deploy()
        desk.line.world.stacks.clear()
        lines = desk.type("preview").out.splitlines()
        begin = lines.index("4 to create") + 1
        assert [line.split()[0] for line in lines[begin : begin + 4]] == ["+"] * 4
        assert lines[begin].split() == ["+", "Vpc", "network"]

    def test_its_exit_code_says_whether_anything_would_change(self, desk: Desk) -> None:
        desk.deploy()
        assert desk.type("preview").code == 0
        desk.line.world.stacks.clear()
        assert (desk.type("preview").code, desk.type("preview", "--json").code) == (4, 4)
        assert "4 if something" in " ".join(desk.type("preview", "--help").out.split())

    def test_as_json(self, desk: Desk) -> None:
        desk.deploy()
        found = desk.type("preview", "--json").json
        assert (found["changes"], found["unchanged"]) == ([], 4)
        assert (found["usd_difference"], found["prices_as_of"]) == (0, "2026-08-06")
        assert found["usd_per_month"] == round(sum(line["usd_per_month"] for line in found["cost"]), 2) > 0

    def test_draws_the_infrastructure(self, desk: Desk, tmp_path: Path) -> None:
        desk.deploy()
        file = tmp_path / "picture.svg"
        assert desk.type("preview", "--svg", str(file)).code == 0
        assert "machine app" in file.read_text()

    def test_of_a_deployment_without_a_plan(self, desk: Desk, tmp_path: Path) -> None:
        refused = desk.type("preview", "--svg", str(tmp_path / "missing" / "picture.svg"))
        assert (refused.code, "--svg infrastructure.svg" in refused.err) == (10, True)


class TestPicture:
    def test_is_drawn_before_anybody_is_asked(self, desk: Desk, tmp_path: Path) -> None:
        file = tmp_path / "picture.svg"
        shown = desk.type("deploy", URL, "--svg", str(file))
        assert shown.code == 3  # nobody said yes
        assert file.read_text().startswith("<svg ")
        assert "┌─ machine app ─" in shown.err

    def test_of_what_stands_already_is_drawn_too(self, desk: Desk, tmp_path: Path) -> None:
        desk.deploy()
        file = tmp_path / "picture.svg"
        assert desk.type("deploy", URL, "--yes", "--svg", str(file)).code == 0
        assert "balancer public" in file.read_text()

    @pytest.mark.parametrize("place", ["", "missing/picture.svg"])
    def test_that_cannot_be_written_is_refused_before_any_work(self, desk: Desk, tmp_path: Path, place: str) -> None:
        shown = desk.type("deploy", URL, "--yes", "--svg", str(tmp_path / place))
        assert (shown.code, desk.states()) == (10, [])
        assert "--svg infrastructure.svg" in shown.err

    def test_that_fails_to_be_written_says_why(self, desk: Desk) -> None:
        shown = desk.type("deploy", URL, "--yes", "--svg", "/proc/version")
        assert shown.code == 10
        assert "the picture cannot be written to /proc/version" in shown.err
