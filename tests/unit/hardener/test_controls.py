"""The hardening controls, by value: what they want, whom they let in, and that their shell is valid."""

from __future__ import annotations

import subprocess

import pytest
from fixtures.planned import LOCAL, planned, settings
from fixtures.released import FACTS, STACK, WORKER

from autodeploy.hardener import controls, firewall_rules, undo
from autodeploy.model import CloudFacts, HostFacts, Plan, Step, TechStack

CONTAINER = FACTS.but(is_container=True, client_address="10.0.1.1")


def hardening(facts: HostFacts = FACTS) -> dict[str, Step]:
    return {step.name: step for step in controls(planned(STACK), facts, settings())}


def test_what_could_lock_us_out_comes_last_and_takes_itself_back() -> None:
    steps = list(hardening().values())
    risky = [step for step in steps if step.confirm]
    assert [step.name for step in risky] == ["ssh-keys-only", "ssh-algorithms", "firewall"]
    assert steps[-3:] == risky
    for step in risky:
        assert step.transaction
        assert "--on-active=60" in (step.fix or "")
        assert step.want.startswith("inactive\ninactive\n")


def test_every_control_has_a_weight_and_a_reference() -> None:
    steps = hardening()
    assert sum(step.weight for step in steps.values()) == 120
    assert all(step.weight > 0 and step.reference and step.why for step in steps.values())


@pytest.mark.parametrize("facts", [FACTS, CONTAINER])
def test_every_script_is_valid_shell(facts: HostFacts) -> None:
    for step in (*hardening(facts).values(), undo()):
        for script in (step.observe, step.fix or "true", step.confirm or "true"):
            done = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{step.name}: {done.stderr}\n{script}"


def test_a_container_s_kernel_is_not_its_own() -> None:
    assert hardening()["kernel-parameters"].not_applicable is None
    assert "host" in (hardening(CONTAINER)["kernel-parameters"].not_applicable or "")
    assert hardening(CONTAINER)["network-parameters"].not_applicable is None


def sources(plan: Plan, facts: HostFacts, **fields: str) -> list[tuple[int, str]]:
    return [(rule.port, rule.source) for rule in firewall_rules(plan, facts, settings(**fields))]


@pytest.mark.parametrize("fields", [{}, {"admin_cidr": "192.0.2.0/24"}])
def test_on_aws_the_host_leaves_it_to_the_security_group_who_the_operator_is(fields: dict[str, str]) -> None:
    assert sources(planned(STACK), FACTS, **fields) == [(22, "0.0.0.0/0"), (80, "10.0.0.0/16")]
    assert "security group" in firewall_rules(planned(STACK), FACTS, settings())[0].description


def test_locally_the_address_that_the_host_sees_always_comes_in() -> None:
    plan, seen = planned(STACK, LOCAL), FACTS.but(client_address="192.0.2.9")
    assert sources(plan, seen)[:2] == [(22, "203.0.113.7/32"), (22, "192.0.2.9/32")]
    assert sources(plan, seen, admin_cidr="192.0.2.0/24")[0] == (22, "192.0.2.0/24")
    assert (22, "192.0.2.9/32") not in sources(plan, seen, admin_cidr="192.0.2.0/24")
    assert sources(plan, FACTS.but(client_address=""))[0] == (22, "203.0.113.7/32")


@pytest.mark.parametrize("cloud", [LOCAL])
def test_on_the_local_target_the_balancer_stands_beside_the_machine(cloud: CloudFacts) -> None:
    rules = sources(planned(STACK, cloud), CONTAINER)
    assert (80, "10.0.1.1/32") in rules
    assert (22, "10.0.1.1/32") in rules


def test_a_worker_lets_nobody_in_but_the_operator() -> None:
    assert {port for port, _ in sources(planned(WORKER), FACTS)} == {22}


def test_the_firewall_wants_what_ufw_shows() -> None:
    assert hardening()["firewall"].want.splitlines() == [
        "inactive",
        "inactive",
        "Status: active",
        "Default: deny (incoming)",
        "22/tcp ALLOW IN Anywhere",
        "80/tcp ALLOW IN 10.0.0.0/16",
        "enabled",
    ]
    assert "22/tcp ALLOW IN 203.0.113.7\n" in controls(planned(STACK, LOCAL), FACTS, settings())[-1].want


@pytest.mark.parametrize(("stack", "open_ports"), [(STACK, {80}), (WORKER, set())])
def test_by_sessions_nobody_comes_to_ssh_but_the_machine_itself(stack: TechStack, open_ports: set[int]) -> None:
    plan, here = planned(stack, access="ssm"), FACTS.but(client_address="127.0.0.1")
    assert {port for port, _ in sources(plan, here)} == open_ports
    assert {port for port, _ in sources(plan, here, admin_cidr="192.0.2.0/24")} == open_ports
    steps = {step.name: step for step in controls(plan, here, settings())}
    assert "22/tcp" not in steps["firewall"].want and "port 22" not in (steps["firewall"].fix or "")
    assert steps["firewall"].why == "deny all incoming traffic but HTTP from the balancer"
    (jail,) = steps["fail2ban"].uploads
    assert "ignoreip = 127.0.0.1/8 ::1 \n" in (jail.content or "")


def test_the_operator_is_never_banned() -> None:
    (jail,) = hardening()["fail2ban"].uploads
    assert "ignoreip = 127.0.0.1/8 ::1 203.0.113.7/32" in (jail.content or "")
    assert "mode = aggressive" in (jail.content or "")


def test_sshd_admits_neither_passwords_nor_root() -> None:
    wanted = hardening()["ssh-keys-only"].want.splitlines()
    assert {"passwordauthentication no", "permitrootlogin no", "kbdinteractiveauthentication no"} < set(wanted)
