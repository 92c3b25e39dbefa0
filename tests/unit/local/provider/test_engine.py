"""The real engine runs the real program over the provider: preview, up, unchanged, changed, refreshed, destroyed."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi.automation as auto
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autodeploy.adapters.aws import leftovers
from autodeploy.local.provider.table import TABLE
from autodeploy.model import DatabasePlan, InfraPlan, WebPlan
from stacks.program import program

pytestmark = pytest.mark.engine


def certificate() -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    made = builder.sign(key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()


PEM, KEY = certificate()
OF_A_DOMAIN = {"aws:route53/record:Record", "aws:acm/certificateValidation:CertificateValidation"}


def plan(**changes: Any) -> InfraPlan:
    made = InfraPlan(
        deployment_id="web-1",
        name="web",
        target="local",
        account_id="123456789012",
        region="us-east-1",
        zones=("us-east-1a", "us-east-1b"),
        image_id="ami-0debian12local00",
        instance_type="t3.micro",
        ssh_public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHSeTcFcwYwpbbsaH0ziTKA1uV6tVGSo4BTqT6x2cKdP op@example.org",
        admin_cidr="198.51.100.7/32",
        user_data="#cloud-config\n",
        web=WebPlan(health_check_path="/health", certificate_pem=PEM),
        database=DatabasePlan(engine="postgres", engine_version="15.8"),
        alarm_email="ops@example.org",
    )
    return made.but(**changes)


@pytest.fixture
def stack(served: Any, engine_binary: Path, tmp_path: Path) -> Iterator[auto.Stack]:
    for folder in ("bin", "state", "work"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin" / "pulumi").symlink_to(engine_binary)
    environment = {
        "PULUMI_DEBUG_PROVIDERS": f"aws:{served.port}",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_HOME": str(tmp_path / "home"),
    }
    options = auto.LocalWorkspaceOptions(
        work_dir=str(tmp_path / "work"), env_vars=environment, pulumi_command=auto.PulumiCommand(root=str(tmp_path))
    )
    yield auto.create_stack("web-1", "autodeploy", program, opts=options)


def configure(stack: auto.Stack, wanted: InfraPlan) -> None:
    stack.set_config("autodeploy:plan", auto.ConfigValue(wanted.to_json()))
    stack.set_config("autodeploy:certificateKey", auto.ConfigValue(KEY, secret=True))


def test_the_program_lives_its_whole_life(stack: auto.Stack, served: Any, tmp_path: Path) -> None:
    configure(stack, plan())
    preview = stack.preview()
    assert served.aws("ec2").describe_key_pairs()["KeyPairs"] == []

    up = stack.up()
    assert up.summary.resource_changes == {"create": preview.change_summary[auto.OpType.CREATE]}
    outputs = {name: output.value for name, output in up.outputs.items()}
    (machine,) = served.plane.machines.values()
    (database,) = served.plane.databases.values()
    ((balancer, listeners),) = served.plane.served.items()
    assert outputs["instanceId"] == machine.instance_id
    assert outputs["publicIp"] == outputs["privateIp"] == "10.88.0.2"
    assert machine.network == outputs["vpcId"] == database.network
    assert machine.deployment_id == database.deployment_id == "web-1"
    assert (machine.image, machine.user_data) == ("debian-12", "#cloud-config\n")
    assert (outputs["databaseEndpoint"], outputs["databasePort"], outputs["databaseName"]) == ("10.88.1.2", 5432, "app")
    secret = served.aws("secretsmanager").get_secret_value(SecretId=outputs["databaseSecretArn"])["SecretString"]
    assert json.loads(secret) == {"username": "dbadmin", "password": database.password}
    assert outputs["loadBalancerDns"] == "localhost:8443"
    assert [listener.port for listener in listeners] == [80, 443]
    assert listeners[0].group is None
    assert (listeners[1].certificate_pem, listeners[1].certificate_key) == (PEM, KEY)
    assert [(target.address, target.port) for target in listeners[1].group.targets] == [("10.88.0.2", 80)]
    assert (listeners[1].group.health_check_path, listeners[1].group.drain) == ("/health", 10)

    assert used(stack) | OF_A_DOMAIN >= set(TABLE)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size < 10_000_000]
    stored = [path.read_bytes() for path in files]
    assert any(outputs["vpcId"].encode() in content for content in stored)
    assert not [path for path, content in zip(files, stored, strict=True) if KEY.splitlines()[1].encode() in content]

    unchanged = {"same": sum(up.summary.resource_changes.values())}
    assert stack.up().summary.resource_changes == unchanged
    assert stack.refresh().summary.resource_changes == unchanged
    assert stack.preview(expect_no_changes=True).change_summary.keys() == {auto.OpType.SAME}

    _change_in_place(stack, served, balancer)
    _take_a_domain(stack, served, balancer)
    _replace(stack, served)
    _destroy(stack, served)


def _change_in_place(stack: auto.Stack, served: Any, balancer: str) -> None:
    changed = plan(
        instance_type="t3.small",
        admin_cidr="203.0.113.9/32",
        web=WebPlan(health_check_path="/ready", certificate_pem=PEM),
        tags={"Team": "blue"},
        user_data="#cloud-config\n# cloud-init would not read it again\n",
    )
    before = set(served.plane.machines)
    configure(stack, changed)
    done = stack.up().summary.resource_changes
    assert set(served.plane.machines) == before
    assert done.keys() == {"update", "same"}
    assert served.plane.served[balancer][1].group.health_check_path == "/ready"
    (machine,) = served.plane.machines
    assert served.tags(machine)["Team"] == "blue"


def _take_a_domain(stack: auto.Stack, served: Any, balancer: str) -> None:
    zone = served.aws("route53").create_hosted_zone(Name="example.com", CallerReference="x")["HostedZone"]["Id"]
    web = WebPlan(certificate_pem="", domain="shop.example.com", zone_id=zone.rpartition("/")[2])
    configure(stack, plan(web=web))
    stack.up()
    assert used(stack) >= OF_A_DOMAIN
    leaf = x509.load_pem_x509_certificate(served.plane.served[balancer][1].certificate_pem.encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(served.plane.authority[0].encode()))
    listed = served.aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {(record["Name"].count("shop.example.com"), record["Type"]) for record in listed} >= {(1, "A"), (1, "CNAME")}
    assert stack.preview(expect_no_changes=True).change_summary.keys() == {auto.OpType.SAME}
    configure(stack, plan())
    stack.up()
    assert not used(stack) & OF_A_DOMAIN
    listed = served.aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {record["Type"] for record in listed} <= {"NS", "SOA"}
    assert served.plane.served[balancer][1].certificate_pem == PEM


def used(stack: auto.Stack) -> set[str]:
    """Return the types that the stack has resources of."""
    return {resource["type"] for resource in stack.export_stack().deployment["resources"]}


def _replace(stack: auto.Stack, served: Any) -> None:
    before = set(served.plane.machines)
    configure(stack, plan(image_id="ami-0debian13local00"))
    stack.up()
    ((identity, machine),) = served.plane.machines.items()
    assert identity not in before
    assert machine.image == "debian-13"
    ((_, listeners),) = served.plane.served.items()
    assert [target.address for target in listeners[1].group.targets] == [stack.outputs()["publicIp"].value]


def _destroy(stack: auto.Stack, served: Any) -> None:
    with pytest.raises(auto.CommandError, match=r"protected DB Instance|deletion protection is enabled for load"):
        stack.destroy()
    assert len(served.plane.databases) == 1
    unprotected = plan().database.but(deletion_protection=False)
    configure(stack, plan(web=plan().web.but(deletion_protection=False), database=unprotected))
    stack.up()
    stack.destroy()
    assert stack.export_stack().deployment.get("resources", []) == []
    assert (served.plane.machines, served.plane.databases, served.plane.served) == ({}, {}, {})
    assert len(served.plane.removed_networks) == 1
    assert leftovers.find(served.aws, "web-1") == []
