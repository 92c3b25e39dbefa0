"""DeploymentConfig: how the application runs on its host. SecurityConfig: what was verified of its hardening."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autodeploy.model.noun import Noun, WebPath


class DeploymentConfig(Noun):
    """The service as it runs. `environment_variables` maps names to plain values or `<secret>`.

    `startup_seconds`: from the start of this release's service to its first healthy answer on the host.
    """

    app_port: int
    health_check_path: WebPath
    service_name: str
    service_status: Literal["running", "stopped", "failed"]
    environment_variables: dict[str, str]
    log_path: str
    pid: int | None = None
    release_id: str = ""
    url: str | None = None
    startup_seconds: float | None = None


class FirewallRule(Noun):
    """One allowed way in. `source` is a CIDR or a security group's id."""

    port: int
    protocol: str
    source: str
    description: str


class Finding(Noun):
    """One control or vulnerability, as it was observed."""

    name: str
    status: Literal["pass", "fail", "not_applicable"]
    detail: str = ""
    weight: int = 0


class ScanResults(Noun):
    """What a scan found. `scanner` names it and its scope."""

    scanner: str
    findings: tuple[Finding, ...] = ()


class SecurityConfig(Noun):
    """What was verified after hardening. `security_score` is 0-100, from verified controls only."""

    ssl_enabled: bool
    certificate_arn: str | None = None
    firewall_rules: tuple[FirewallRule, ...]
    open_ports: tuple[int, ...]
    vulnerability_scan_results: ScanResults | None = None
    security_score: int = Field(ge=0, le=100)
    recommendations: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
