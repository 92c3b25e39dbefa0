"""The application's log goes to the deployment's own log group, by AWS's own agent; only where there is an AWS."""

from __future__ import annotations

import json

from autodeploy.hardener.updates import APT
from autodeploy.model import Plan, Step, Upload
from autodeploy.naming import log_group
from autodeploy.templating import render

NAME = "log-shipping"
AGENT = "amazon-cloudwatch-agent"
SIGNED_BY = "937616F3450B7D806CBD9725D58167303B789C72"
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/verify-CloudWatch-Agent-Package-Signature.html."""
CONFIG_PATH = "/etc/autodeploy/cloudwatch-agent.json"
_MARK = "/etc/autodeploy/cloudwatch-agent.applied"
_APPLIED = f"sha256sum --check --status {_MARK} 2>/dev/null"
_FOLDER = "/opt/aws/amazon-cloudwatch-agent/logs"
_RELEASES = "/var/log/app/release-*.log"
_LIVE = "/var/log/app/app.log"
# The agent writes down how far it is with a file once CloudWatch has taken it; an empty log has nothing to take.
_DELIVERED = (
    f'{{ [ ! -s {_LIVE} ] || ls {_FOLDER}/state 2>/dev/null | grep -q "$(basename "$(readlink -f {_LIVE})")$"; }}'
)
WAIT_SECONDS = 60


def steps(plan: Plan) -> tuple[Step, ...]:
    """Return the control; () on the local target, which has no CloudWatch to send to."""
    if plan.infra.target == "local":
        return ()
    config = Upload(path=CONFIG_PATH, content=_config(plan))
    return (
        Step(
            name=NAME,
            why="send the application's log to CloudWatch",
            observe=(
                f"{config.observation}; dpkg-query -W -f='${{db:Status-Status}}\\n' {AGENT}; "
                f"systemctl is-enabled {AGENT}; systemctl is-active {AGENT}; "
                f"{_APPLIED} && echo applied; {_DELIVERED} && echo delivered"
            ),
            want=f"{config.wanted}\ninstalled\nenabled\nactive\napplied\ndelivered",
            uploads=(config,),
            fix=_fix(plan),
            transaction=True,
            timeout_seconds=600,
            weight=5,
            reference="CIS Debian Linux 12 Benchmark 6.1 (Configure System Logging: send logs to a remote host)",
        ),
    )


def _config(plan: Plan) -> str:
    """Return the agent's configuration; each release of each machine has a stream of its own.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
    """
    files = {
        "file_path": _RELEASES,
        "log_group_name": log_group(plan.infra),
        "log_stream_name": "{instance_id}",
        "publish_multi_logs": True,
    }
    config = {
        "agent": {"region": plan.infra.region},
        "logs": {"logs_collected": {"files": {"collect_list": [files]}}},
    }
    return json.dumps(config, indent=2) + "\n"


def _fix(plan: Plan) -> str:
    region = plan.infra.region
    bucket = f"https://amazoncloudwatch-agent-{region}.s3.{region}.amazonaws.com"
    install = render(
        "host/signed-package.sh.j2",
        package=AGENT,
        url=f"{bucket}/debian/amd64/latest/{AGENT}.deb",
        key="",
        key_url="https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg",
        fingerprint=SIGNED_BY,
    )
    return render(
        "harden/log-agent.sh.j2",
        agent=AGENT,
        apt=APT,
        install=install,
        applied=_APPLIED,
        config=CONFIG_PATH,
        mark=_MARK,
        delivered=_DELIVERED,
        agent_log=f"{_FOLDER}/{AGENT}.log",
        wait_seconds=WAIT_SECONDS,
    )
