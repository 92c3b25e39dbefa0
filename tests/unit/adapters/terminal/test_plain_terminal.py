"""The terminal as plain lines: what a log or a pipe gets to see."""

from __future__ import annotations

import contextlib
import io
import os

import pytest

from autodeploy.adapters.terminal import PlainTerminal, open_terminal, printable
from autodeploy.errors import ApprovalError, BuildError
from autodeploy.model import CostLine, DeploymentResult, InfraPlan, Plan, Preview, ResourceChange, Target


class Typed(io.StringIO):
    """A terminal somebody types on."""

    def isatty(self) -> bool:
        return True


def a_plan(target: Target = "aws", **fields: object) -> Plan:
    infra = InfraPlan(
        deployment_id="guestbook-20261122-7f3a9c",
        name="guestbook",
        target=target,
        account_id="123456789012",
        region="eu-central-1",
        zones=("eu-central-1a", "eu-central-1b"),
        image_id="ami-1",
        instance_type="t3.micro",
        ssh_public_key="key",
        admin_cidr="203.0.113.7/32",
        user_data="",
    )
    known = CostLine(what="Server t3.micro", usd_per_month=1007.594, basis="0.0104 USD/h")
    return Plan.model_validate({"infra": infra, "cost": (known,), "prices_as_of": "2026-10-01", **fields})


def change(operation: str, name: str = "network", reasons: tuple[str, ...] = ()) -> ResourceChange:
    return ResourceChange.model_validate(
        {"urn": "urn:x", "type": "aws:ec2/vpc:Vpc", "name": name, "operation": operation, "reasons": reasons}
    )


def shown(plan: Plan, preview: Preview, width: int = 80) -> str:
    stream = io.StringIO()
    PlainTerminal(stream, io.StringIO(), width).show_plan(plan, preview)
    return stream.getvalue()


class TestLines:
    def test_of_a_stage(self) -> None:
        stream = io.StringIO()
        terminal = PlainTerminal(stream)
        terminal.stage("HiveMind SysEng", "Creating the infrastructure")
        terminal.say("creating aws:ec2:Vpc network")
        terminal.done("20 resources")
        assert stream.getvalue().splitlines() == [
            "[HiveMind SysEng] Creating the infrastructure",
            "[HiveMind SysEng] creating aws:ec2:Vpc network",
            "[HiveMind SysEng] 20 resources (0.0 s)",
        ]

    def test_before_any_stage(self) -> None:
        stream = io.StringIO()
        terminal = PlainTerminal(stream)
        terminal.say("one\ntwo")
        terminal.done("three")
        assert stream.getvalue() == "[HiveMind Control Plane] one two\n[HiveMind Control Plane] three\n"

    def test_goes_to_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        open_terminal().say("progress")
        assert capsys.readouterr() == ("", "[HiveMind Control Plane] progress\n")

    def test_of_an_error_end_with_the_tools_last_lines(self) -> None:
        stream = io.StringIO()
        output = "".join(f"line {number}\r\n" for number in range(30))
        err = BuildError("pip failed\nbadly", "Mend it", agent="HiveMind DevOps", context="Installing", output=output)
        PlainTerminal(stream).error(err)
        assert stream.getvalue().splitlines() == [
            "[HiveMind DevOps] Error: BuildError",
            "Message: pip failed badly",
            "Context: Installing",
            "Remediation: Mend it",
            "Output (the last 20 of 30 lines):",
            *(f"  line {number}" for number in range(10, 30)),
        ]

    def test_go_on_when_nobody_looks_any_more(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        stream = os.fdopen(writing, "w")
        PlainTerminal(stream).say("progress")
        PlainTerminal(stream).error(BuildError("no", "Mend it"))
        with contextlib.suppress(BrokenPipeError):
            stream.close()

    def test_of_an_error_without_output(self) -> None:
        stream = io.StringIO()
        PlainTerminal(stream).error(BuildError("no", "Mend it", output=" \n"))
        assert len(stream.getvalue().splitlines()) == 4
        PlainTerminal(stream).error(BuildError("no", "Mend it", output="why\n"))
        assert stream.getvalue().splitlines()[-2:] == ["Output:", "  why"]

    def test_of_the_end(self) -> None:
        stream = io.StringIO()
        result = DeploymentResult(
            deployment_id="a-1", status="complete", url="https://localhost:8443/", options=("autodeploy status a-1",)
        )
        PlainTerminal(stream).summary(result, ["autodeploy logs a-1", "autodeploy destroy a-1"])
        assert stream.getvalue().splitlines() == [
            "",
            "a-1: complete",
            "URL: https://localhost:8443/",
            "Options: autodeploy status a-1",
            "Next:    autodeploy logs a-1",
            "         autodeploy destroy a-1",
        ]

    def test_of_an_end_without_url(self) -> None:
        stream = io.StringIO()
        PlainTerminal(stream).summary(DeploymentResult(deployment_id="a-1", status="failed"))
        assert stream.getvalue() == "\na-1: failed\n"


class TestPrintable:
    @pytest.mark.parametrize(
        ("raw", "safe"),
        [
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]8;;https://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("10%\r50%\r100%\n", "100%"),
            ("one\r\ntwo", "one two"),
            ("a\x00b\x9bc\u202ed", "abcd"),
            ("tab\tstays", "tab\tstays"),
            ("", ""),
        ],
    )
    def test_line(self, raw: str, safe: str) -> None:
        assert printable.line(raw) == safe

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s")],
    )
    def test_duration(self, seconds: float, text: str) -> None:
        assert printable.duration(seconds) == text


class TestPlan:
    def test_says_where(self) -> None:
        text = shown(a_plan(), Preview())
        for said in ("123456789012", "eu-central-1", "AWS", "t3.micro", "203.0.113.7/32", "guestbook-20261122-7f3a9c"):
            assert said in text

    def test_names_every_operation_with_its_reasons(self) -> None:
        changes = (
            change("create", "network"),
            change("update", "server", ("tags",)),
            change("replace", "database", ("engineVersion", "name")),
            change("delete", "old"),
        )
        text = shown(a_plan(), Preview(changes=changes, unchanged=7))
        rows = [row.split() for row in text.splitlines()]
        assert ["+", "create", "aws:ec2:Vpc", "network"] in rows
        assert ["~", "change", "aws:ec2:Vpc", "server", "tags"] in rows
        assert ["±", "replace", "aws:ec2:Vpc", "database", "engineVersion,", "name"] in rows
        assert ["-", "delete", "aws:ec2:Vpc", "old"] in rows
        assert "1 to create, 1 to change, 1 to replace, 1 to delete, 7 unchanged" in text

    def test_leaves_out_reasons_when_there_are_none(self) -> None:
        assert "Because of" not in shown(a_plan(), Preview(changes=(change("create"),)))

    def test_says_that_nothing_changes(self) -> None:
        assert "No changes: all 12 resources stand as planned." in shown(a_plan(), Preview(unchanged=12))

    def test_sums_the_cost_and_dates_it(self) -> None:
        text = shown(a_plan(), Preview())
        assert "1,007.59" in text
        assert "Sum: 1,007.59 USD a month (prices of 2026-10-01)" in text
        assert "charges nothing" not in text

    def test_says_an_unknown_price_is_unknown(self) -> None:
        cost = (
            CostLine(what="Server", usd_per_month=7.5, basis="b"),
            CostLine(what="Transfer", usd_per_month=None, basis="depends on use"),
        )
        text = shown(a_plan(cost=cost), Preview())
        assert ["Transfer", "unknown", "depends", "on", "use"] in [row.split() for row in text.splitlines()]
        assert "Sum: at least 7.50 USD a month" in text

    def test_of_the_local_target_says_that_it_charges_nothing(self) -> None:
        text = shown(a_plan("local"), Preview(), width=200)
        assert "this machine (local target)" in text
        assert "charges nothing" in text

    def test_keeps_to_80_columns_and_escapes_nothing(self) -> None:
        notes = ("a note with [bold]brackets[/bold] \x1b[31mred",)
        changes = (change("create", "a-very-long-name-" * 8, ("reason",) * 20),)
        text = shown(a_plan(notes=notes), Preview(changes=changes))
        assert max(map(len, text.splitlines())) <= 80
        assert "Note: a note with [bold]brackets[/bold] red" in text


class TestConfirm:
    @pytest.mark.parametrize(
        ("typed", "answer"),
        [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False), ("yeah\n", False)],
    )
    def test_takes_only_a_yes(self, typed: str, answer: bool) -> None:
        stream = Typed()
        assert PlainTerminal(stream, Typed(typed)).confirm("Apply?") is answer
        assert stream.getvalue().startswith("Apply? [y/N] ")

    def test_without_a_terminal_names_the_flag(self) -> None:
        for stream, answers in ((io.StringIO(), Typed("y\n")), (Typed(), io.StringIO("y\n"))):
            with pytest.raises(ApprovalError) as caught:
                PlainTerminal(stream, answers).confirm("Apply?")
            assert "--yes" in caught.value.remediation
            assert caught.value.exit_code == 3
