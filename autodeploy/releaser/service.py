"""Release, TechStack and Plan in; the steps that install the service, switch to it and tidy up out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from ipaddress import ip_network

from autodeploy.model import BuildArtifact, InfrastructureSpec, Step, TechStack, Upload
from autodeploy.releaser.environment import environment_text
from autodeploy.releaser.release import Release, sealed
from autodeploy.releaser.sealing import sealing_step
from autodeploy.releaser.texts import (
    HEALTH_SECONDS,
    RELEASES,
    log_path,
    migration_script,
    migration_unit,
    start_script,
    switch_script,
    unit,
)
from autodeploy.templating import render

KEPT_RELEASES = 5


def environment_step(release: Release) -> Step:
    """Return the step that keeps the application's environment on the host, encrypted."""
    text = environment_text(release.environment)
    path = f"{RELEASES}/{release.release_id}/env.cred"
    why = f"encrypt the application's environment ({len(release.environment)} variables)"
    return sealing_step("environment", why, path, "env", text, sealed(release.seal, text))


def service_step(
    release: Release, artifact: BuildArtifact, stack: TechStack, infrastructure: InfrastructureSpec
) -> Step:
    """Return the step that installs the release's unit and scripts; it starts nothing."""
    folder, text = f"{RELEASES}/{release.release_id}", unit(release.release_id)
    record = {
        "release_id": release.release_id,
        "deployment_id": infrastructure.deployment_id,
        "commit": artifact.commit,
        "checksum": artifact.checksum,
    }
    uploads = [
        Upload(path=f"{folder}/start.sh", content=start_script(artifact, stack), mode="0755"),
        Upload(path=f"{folder}/app.service", content=text),
        Upload(path=f"/etc/systemd/system/app-{release.release_id}.service", content=text),
        Upload(path=f"{folder}/release.json", content=json.dumps(record, indent=2) + "\n"),
    ]
    if stack.migration_command:
        uploads.append(Upload(path=f"{folder}/migrate.sh", content=migration_script(stack), mode="0755"))
    return _files_step("service", "install the service", tuple(uploads), "systemctl daemon-reload")


def migration_steps(release_id: str, stack: TechStack) -> tuple[Step, ...]:
    """Return the step that migrates the database once per release, as the application's user in its sandbox."""
    if not stack.migration_command:
        return ()
    log = log_path(release_id)
    name, mark = f"app-migrate-{release_id}.service", f"{RELEASES}/{release_id}/.migrated"
    fix = f"""\
systemctl daemon-reload
size=$(stat -c %s {log} 2>/dev/null || echo 0)
systemctl start {name}; code=$?
[ "$code" = 0 ] || journalctl --unit={name} --output=cat --no-pager --lines=10
tail -c +"$((size + 1))" {log} | tail -n 60
[ "$code" = 0 ] && echo done >{mark}
exit "$code"
"""
    return (
        Step(
            name="migration",
            why=f"migrate the database: {stack.migration_command}",
            observe=f"cat {mark}",
            want="done",
            uploads=(Upload(path=f"/run/systemd/system/{name}", content=migration_unit(release_id)),),
            fix=fix,
            transaction=True,
            timeout_seconds=600,
        ),
    )


def logrotate_step() -> Step:
    """Return the step that bounds the application's log."""
    text = render("host/logrotate.j2", log_path=log_path("*"))
    return _files_step("logrotate", "bound the application's log", (Upload(path="/etc/logrotate.d/app", content=text),))


def proxy_steps(stack: TechStack, host_port: int, asked_as: str) -> tuple[Step, ...]:
    """Return the step that puts a proxy before the application; before a worker there is none.

    The balancer's question for health is passed on as one to `asked_as`.
    """
    if not stack.is_web_service:
        return (
            Step(
                name="no-proxy",
                why="turn off the proxy: a worker answers no HTTP",
                observe="systemctl is-active nginx | grep -x active; systemctl is-enabled nginx | grep -x enabled",
                want="",
                fix="systemctl disable --now --quiet nginx",
            ),
        )
    text = render("host/proxy.conf.j2", host_port=host_port, asked_as=asked_as)
    conf = Upload(path="/etc/nginx/conf.d/autodeploy.conf", content=text)
    return (
        Step(
            name="proxy",
            why="put the proxy before the application",
            observe=(
                f"{conf.observation}; systemctl is-enabled nginx; systemctl is-active nginx; "
                "ls /etc/nginx/sites-enabled/default 2>/dev/null"
            ),
            want=f"{conf.wanted}\nenabled\nactive",
            uploads=(conf,),
            fix="""\
set -e
rm -f /etc/nginx/sites-enabled/default
mkdir -p /etc/nginx/autodeploy
live=/etc/nginx/autodeploy/live.conf
[ -e "$live" ] || printf '%s\\n' 'upstream app { server 127.0.0.1:9; }' \\
  'map "" $autodeploy_release { default "none"; }' >"$live"
nginx -t -q
systemctl enable --quiet nginx
systemctl reload-or-restart nginx
""",
        ),
    )


def door_step(host_port: int, sources: Sequence[str]) -> Step:
    """Return the step that lets the balancer ask a host whose firewall was closed while a worker ran there.

    A host that is not hardened yet has none; the hardening writes all of the firewall's rules anew.
    """
    ways = [str(ip_network(source)) for source in sources]
    allowed = "\n".join(f"ufw allow proto tcp from {way} to any port {host_port} >/dev/null" for way in ways)
    return Step(
        name="door",
        why="let the balancer in",
        observe=(
            "grep -qsx ENABLED=yes /etc/ufw/ufw.conf && "
            f"! grep -qs -e '--dport {host_port} .*ACCEPT' /etc/ufw/user.rules && echo shut"
        ),
        want="",
        fix=f"set -e\n{allowed}",
    )


def switch_step(release_id: str, stack: TechStack, host_port: int) -> Step:
    """Return the transaction that makes a release the one that serves."""
    name = f"app-{release_id}.service"
    observe = f"readlink /opt/app/current; systemctl is-active {name}; systemctl is-enabled {name}"
    want = f"releases/{release_id}\nactive\nenabled"
    if stack.is_web_service:
        url = shlex.quote(f"http://127.0.0.1:{host_port}{stack.health_check_path}")
        observe += (
            "; curl --silent --max-time 10 --output /dev/null "
            f"--write-out '%{{http_code}} %header{{x-autodeploy-release}}' {url} | sed 's/^[234].. /answers /'"
        )
        want += f"\nanswers {release_id}"
    return Step(
        name="switch",
        why=f"start release {release_id} and switch to it",
        observe=observe,
        want=want,
        fix=switch_script(release_id, stack, host_port),
        transaction=True,
        timeout_seconds=HEALTH_SECONDS + 90,
    )


def worker_state(service: str) -> str:
    """Return the command that prints a worker's live release, state, restarts and process, on one line."""
    show = f"systemctl show -p ActiveState,NRestarts,MainPID {shlex.quote(service)}"
    return f"echo $(readlink /opt/app/current) $({show})"


def tidy_step(release_id: str) -> Step:
    """Return the step that keeps the newest releases and forgets the others; the running one always stays."""
    older = f"ls -1td {RELEASES}/*/ | xargs -r -n1 basename | grep -vx {release_id} | tail -n +{KEPT_RELEASES}"
    return Step(
        name="five-releases",
        why=f"keep {KEPT_RELEASES} releases",
        observe=older,
        want="",
        fix=f"""\
{older} | while read -r id; do
  systemctl disable --now --quiet "app-$id.service" 2>/dev/null
  rm -rf "/etc/systemd/system/app-$id.service" "{RELEASES}/$id" {log_path('"$id"')}*
done
systemctl daemon-reload
""",
    )


def _files_step(name: str, why: str, uploads: tuple[Upload, ...], fix: str = "true") -> Step:
    return Step(
        name=name,
        why=why,
        observe="; ".join(upload.observation for upload in uploads),
        want="\n".join(upload.wanted for upload in uploads),
        uploads=uploads,
        fix=fix,
    )
