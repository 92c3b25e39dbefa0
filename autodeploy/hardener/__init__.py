"""Plan, HostFacts and Settings in; weighted, verified controls out as Steps. Never touches a host."""

from autodeploy.hardener.controls import controls, firewall_rules, undo
from autodeploy.hardener.report import report

__all__ = ["controls", "firewall_rules", "report", "undo"]
