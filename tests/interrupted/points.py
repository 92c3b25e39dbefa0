"""The points at which real runs are struck: every kind of effect of a deployment, an update and a destruction.

What may be struck is what an undisturbed run shows: python -m interrupted --trace FILE deploy …
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from interrupted.effects import Point

DEPLOY = """
after cloud.facts#1
after store.lock_home#1
before store.save pending after nothing#1
after store.save pending after nothing#1
after store.lock deploy#1
after store.save analyzing after nothing#1
before repo.checkout#1
after repo.checkout#1
after store.append_log#1
after store.save_secrets#1
before store.save analyzing after analyze#1
after store.save building after analyze#1
before builder.build#1
after builder.build#1
before builder.trial#1
after builder.trial#1
after store.save building after build#1
after store.save provisioning after build#1
after keys#1
after store.write id_ed25519.pub#1
after store.write id_ed25519#1
before certify#1
after store.write ca.pem#1
after store.save_secrets#2
after store.write certificate.pem#1
before engine.preview#1
after engine.preview#1
before ui.confirm#1
after store.save provisioning after plan#1
before engine.up#1
before engine: creating aws:acm:Certificate public#1
after engine: creating aws:ec2:Vpc vpc#1
before engine: creating aws:ec2:Subnet private-1#1
after engine: creating aws:vpc:SecurityGroupIngressRule ssh#1
before engine: creating aws:ec2:Instance app#1
after engine: creating aws:lb:LoadBalancer public#1
after engine: creating aws:lb:Listener https#1
before engine: creating aws:lb:TargetGroupAttachment app#1
after engine.up#1
before cloud.await_instance#1
after store.save provisioning after provision#1
after store.save deploying after provision#1
after connect#1
before host.run fix cloud-init#1
after host.run fix user-and-folders#1
before host.put /opt/app/incoming/*.tar.zst#1
after host.put /opt/app/incoming/*.tar.zst#1
before host.run fix artifact#1
after host.run fix environment#1
after host.put /opt/app/releases/*/app.service#1
after host.run fix service#1
before host.run fix proxy#1
before host.run start switch#1
after host.run start switch#1
after host.run watch switch#1
before outside.get#1
after store.save deploying after deploy#1
after store.save hardening after deploy#1
after host.run start security-updates#1
after host.run fix fail2ban#1
after host.run start ssh-keys-only#1
before host.reconnect#1
before host.run confirm ssh-algorithms#1
after host.run start firewall#1
before host.run confirm firewall#1
after outside.open_ports#1
before store.save hardening after harden#1
before store.save complete after harden#1
after store.save complete after harden#1
"""
"""Of an application without a database."""

DATABASE = """
after cloud.database_password#1
after engine: creating aws:rds:Instance database#1
before host.run fix database-role#1
after host.run start switch#1
"""

MACHINES = """
after engine: creating aws:ec2:Instance app-2#1
before engine: creating aws:lb:TargetGroupAttachment app-2#1
after cloud.await_instance#2
before connect#2
after host.run fix artifact#2
before host.run start switch#2
after host.run start switch#2
after host.run start ssh-keys-only#2
before host.run confirm firewall#2
"""
"""Of two machines: what is done to the second."""

DESTROY_MACHINES = """
after store.lock destroy#1
after host.run systemctl stop#2
after engine: deleting aws:lb:TargetGroupAttachment app-2#1
after engine: deleting aws:ec2:Instance app-2#1
before store.save rolled_back after nothing#1
"""

DESTROY = """
after store.lock destroy#1
after store.save complete after nothing#1
after connect#1
after host.run systemctl stop#1
before engine.destroy#1
after engine: deleting aws:lb:Listener https#1
after engine: deleting aws:ec2:Instance app#1
before engine: deleting aws:ec2:Vpc vpc#1
after engine.destroy#1
after cloud.leftovers#1
after engine.remove#1
after store.save_secrets#1
before store.save rolled_back after nothing#1
"""

UPDATE = """
after store.save analyzing after harden#1
after repo.checkout#1
before builder: packing#1
before builder: starting#1
after builder.build#1
before host.run fix artifact#1
after host.run fix service#1
before host.run start switch#1
after host.run start switch#1
after outside.get#1
before store.save complete after harden#1
"""
"""Of a second commit; until the switch the release before it serves."""


RESTORE = """
after store.save provisioning after plan#2
after host.run systemctl stop#1
before engine: updating aws:rds:Instance database#1
after engine.preview#2
before engine: creating the replacement of aws:rds:Instance database#1
after engine: creating the replacement of aws:rds:Instance database#1
before engine: deleting the replaced aws:rds:Instance database#1
after engine: deleting the replaced aws:rds:Instance database#1
before cloud.await_instance#1
after host.run fix database-role#1
before host.run start switch#1
"""
"""Of a snapshot's data that takes the place of a database's."""


class Case(NamedTuple):
    """One deployment of `sample`: struck at `deploy`, brought to its end, struck at `destroy`, brought to its end."""

    sample: str
    deploy: Point
    destroy: Point

    def __str__(self) -> str:
        return str(self.deploy)


def points(strike: str, text: str) -> list[Point]:
    """Return the points of a list above."""
    return [Point.parse(f"{strike} {line}") for line in text.split("\n") if line]


def cases(strike: str) -> list[Case]:
    """Return a case for each point of a deployment; the points of the destruction take turns."""
    alone = [("fastapi-plain", point) for point in points(strike, DEPLOY)]
    alone += [("flask-postgres", point) for point in points(strike, DATABASE)]
    several = [("two-machines", point) for point in points(strike, MACHINES)]
    return [
        Case(*struck, end)
        for series, ends in ((alone, DESTROY), (several, DESTROY_MACHINES))
        for struck, end in zip(series, itertools.cycle(points(strike, ends)), strict=False)
    ]
