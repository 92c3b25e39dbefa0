"""TechStack and ids in; the texts of unit, start script, proxy and switch out. Never says when they are installed."""

from __future__ import annotations

from autodeploy.model import APP_PATH, BuildArtifact, TechStack
from autodeploy.templating import render

RELEASES = "/opt/app/releases"
LOG_PATH = "/var/log/app/app.log"
"""A link to the live release's own log, so that two releases side by side do not mix their words."""
HEALTH_SECONDS = 60
SETTLE_SECONDS = 8


def log_path(release_id: str) -> str:
    """Return the log of one release."""
    return f"/var/log/app/release-{release_id}.log"


def unit(release_id: str) -> str:
    """Return the unit file of one release."""
    return _unit(release_id, f"Application, release {release_id}", "start.sh", oneshot=False)


def migration_unit(release_id: str) -> str:
    """Return the unit that runs the release's migration once, in the application's own sandbox."""
    return _unit(release_id, f"Migration of release {release_id}", "migrate.sh", oneshot=True)


def start_script(artifact: BuildArtifact, stack: TechStack) -> str:
    """Return the script that a release's unit executes."""
    command = artifact.start_command or stack.start_command
    return render("host/start.sh.j2", what="Starts the application.", command=command, app_path=APP_PATH)


def migration_script(stack: TechStack) -> str:
    """Return the script that migrates the database; "" when there is nothing to migrate."""
    if not stack.migration_command:
        return ""
    what = "Migrates the application's database."
    return render("host/start.sh.j2", what=what, command=stack.migration_command, app_path=APP_PATH)


def switch_script(release_id: str, stack: TechStack, host_port: int) -> str:
    """Return the transaction that puts a release in the place of the running one."""
    return render(
        "host/switch.sh.j2",
        release_id=release_id,
        port=stack.port,
        port_names=sorted({"PORT", stack.port_env or "PORT"}) if stack.is_web_service else [],
        side_by_side=stack.is_web_service and stack.port_env is not None,
        is_web_service=stack.is_web_service,
        health_check_path=stack.health_check_path,
        health_seconds=HEALTH_SECONDS,
        settle_seconds=SETTLE_SECONDS,
        host_port=host_port,
        log_path=log_path(release_id),
        log_link=LOG_PATH,
    )


def _unit(release_id: str, description: str, script: str, oneshot: bool) -> str:
    return render(
        "host/app.service.j2",
        release=f"{RELEASES}/{release_id}",
        description=description,
        script=script,
        oneshot=oneshot,
        log_path=log_path(release_id),
        app_path=APP_PATH,
    )
