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


@pytest.mark.parametrize(("access", "told"), [("ssh", "203.0.113.7/32"), ("ssm", "nowhere: within sessions of")])
def test_a_plan_says_where_the_operator_comes_from(access: str, told: str) -> None:
    plan = a_plan()
    drawn = shown(plan.but(infra=plan.infra.but(access=access)), Preview())
    assert f"SSH from  {told}" in drawn


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
        assert ["+", "Vpc", "network"] in rows
        assert ["~", "Vpc", "server", "tags"] in rows
        assert ["±", "Vpc", "database", "engineVersion;", "name"] in rows
        assert ["-", "Vpc", "old", "no", "longer", "in", "the", "plan"] in rows
        assert "1 to create, 1 to change, 1 to replace, 1 to delete, 7 unchanged" in text

    def test_groups_what_happens_with_what_can_hurt_last(self) -> None:
        changes = tuple(change(kind) for kind in ("delete", "create", "replace", "update", "create", "other"))
        headings = [row for row in shown(a_plan(), Preview(changes=changes)).splitlines() if " to " in row]
        assert headings[:5] == ["1 to other", "2 to create", "1 to change", "1 to replace", "1 to delete"]

    def test_says_what_comes_and_goes_is_for(self) -> None:
        changes = (
            change("create").but(purpose="the deployment's own"),
            change("delete", "old").but(purpose="was useful"),
            change("update", "both", ("tags",)).but(purpose="unsaid"),
        )
        text = shown(a_plan(), Preview(changes=changes), width=120)
        assert "Vpc network  the deployment's own" in text
        assert "Vpc old  no longer in the plan: was useful" in text
        assert "Vpc both  tags" in text and "unsaid" not in text

    def test_draws_the_picture(self) -> None:
        assert "\n┌─▶┐\n╌▼\n" in shown(a_plan(), Preview(picture=("┌─▶┐", "╌▼")))

    def test_draws_the_picture_on_a_terminal_of_ascii(self) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        PlainTerminal(stream, io.StringIO()).show_plan(a_plan(), Preview(picture=("┌─▶┐", "╌▼")))
        stream.seek(0)
        assert "\n+->+\n-v\n" in stream.read()

    def test_says_that_nothing_changes(self) -> None:
        assert "No changes: all 12 resources stand as planned." in shown(a_plan(), Preview(unchanged=12))

    def test_sums_the_cost_and_dates_it(self) -> None:
        text = shown(a_plan(), Preview())
        assert "1,007.59" in text
        assert "Sum: 1,007.59 USD a month (prices of 2026-10-01)" in text
        assert "charges nothing" not in text

    def test_compares_the_cost_with_what_stands(self) -> None:
        def line(what: str, usd: float | None, kind: str) -> CostLine:
            return CostLine(what=what, usd_per_month=usd, basis="b", resource="aws:x:Y z", kind=kind)

        before = (line("small", 10, "instance"), line("disk", 1, "volume"), line("old", 2, "secret"))
        now = (line("large", 25, "instance"), line("disk", 1, "volume"), line("odd", None, "alarm"))
        text = shown(a_plan(cost=now, cost_before=before), Preview(), width=120)
        rows = [row.split() for row in text.splitlines()]
        assert ["large", "25.00", "+15.00", "b;", "was", "small"] in rows
        assert ["disk", "1.00", "b"] in rows
        assert ["odd", "unknown", "unknown", "b"] in rows
        assert ["old", "0.00", "-2.00", "goes"] in rows
        assert "Sum: at least 26.00 USD a month, 13.00 more than what stands" in text

    @pytest.mark.parametrize(
        ("price", "said"), [(1000.0, "7.59 more than"), (1007.594, "as"), (1010.0, "2.41 less than")]
    )
    def test_says_how_the_sum_stands_to_what_stands(self, price: float, said: str) -> None:
        before = (CostLine(what="Server t3.micro", usd_per_month=price, basis="b"),)
        text = shown(a_plan(cost_before=before), Preview(), width=120)
        assert f"a month, {said} what stands" in text
        assert ("More" in text) is (said != "as")

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
