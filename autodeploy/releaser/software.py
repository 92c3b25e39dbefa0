"""BuildArtifact and TechStack in; the steps that bring packages, folders and the artifact to the host out."""

from __future__ import annotations

from autodeploy.model import BuildArtifact, DatabaseEngine, Step, TechStack, Upload
from autodeploy.releaser.texts import RELEASES

APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=180 -o Acquire::Retries=2"

_CLIENTS: dict[DatabaseEngine, str] = {
    "postgres": "postgresql-client",
    "mysql": "mariadb-client-core",
    "mariadb": "mariadb-client-core",
}
_FOLDERS = {"/app": "0755", "/opt/app": "0755", RELEASES: "0755", "/var/log/app": "0755", "/etc/autodeploy": "0755"}


def settled_step() -> Step:
    """Return the step that waits for cloud-init, which holds apt's lock and makes the users."""
    return Step(
        name="cloud-init",
        why="wait for the machine's first set-up",
        observe=(
            "if ! command -v cloud-init >/dev/null || [ -e /run/cloud-init/disabled ] "
            "|| [ -e /run/cloud-init/result.json ]; then echo settled; fi"
        ),
        want="settled",
        # 2: done, though something recoverable went wrong on the way
        # (https://docs.cloud-init.io/en/latest/explanation/return_codes.html).
        fix=(
            "cloud-init status --wait >/dev/null; code=$?\n"
            'case $code in 0|2) ;; *) cloud-init status --long; exit "$code" ;; esac'
        ),
        timeout_seconds=600,
    )


def packages_step(artifact: BuildArtifact, stack: TechStack, database: DatabaseEngine | None) -> Step:
    """Return the step that installs the Debian packages that are missing."""
    wanted = {"ca-certificates", "curl", "logrotate", "zstd", *stack.run_packages, *artifact.run_packages}
    wanted |= {"nginx-light"} if stack.is_web_service else set()
    wanted |= {_CLIENTS[database]} if database else set()
    wanted |= {"python3"} if stack.language == "python" else set()
    names = sorted(wanted)
    return Step(
        name="packages",
        why="install the Debian packages the application runs with",
        observe=f"dpkg-query -W -f='${{Package}} ${{db:Status-Status}}\\n' {' '.join(names)} | LC_ALL=C sort -u",
        want="\n".join(f"{name} installed" for name in names),
        fix=f"{APT} update && {APT} install -y --no-install-recommends {' '.join(names)}",
        transaction=True,
        timeout_seconds=900,
    )


def folders_step() -> Step:
    """Return the step that makes the application's user and folders."""
    made = "\n".join(f"install -d -m {mode} {path}" for path, mode in _FOLDERS.items())
    return Step(
        name="user-and-folders",
        why="make the application's user and folders",
        observe=f"id -un app && stat -c '%n %U %a' {' '.join(_FOLDERS)}",
        want="\n".join(["app", *(f"{path} root {mode.lstrip('0')}" for path, mode in _FOLDERS.items())]),
        fix=(
            "set -e; id -u app >/dev/null 2>&1 || "
            "useradd --system --user-group --home-dir /var/lib/app --no-create-home --shell /usr/sbin/nologin app\n"
            f"{made}\n"
        ),
    )


def runtime_steps(artifact: BuildArtifact, stack: TechStack) -> tuple[Step, ...]:
    """Return the check that the host has the runtime the artifact was built for."""
    if stack.language != "python" or not artifact.runtime_version:
        return ()
    return (
        Step(
            name="runtime",
            why="check that the host's Python is the one the application was built for",
            observe="python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'",
            want=".".join(artifact.runtime_version.split(".")[:2]),
        ),
    )


def artifact_step(release_id: str, artifact: BuildArtifact) -> Step:
    """Return the step that brings the artifact and unpacks it; a folder that is there is whole."""
    folder, archive = f"{RELEASES}/{release_id}", f"/opt/app/incoming/{artifact.checksum}.tar.zst"
    return Step(
        name="artifact",
        why=f"bring the application ({artifact.size_bytes / 1e6:.1f} MB)",
        observe=f"cat {folder}/.artifact",
        want=artifact.checksum,
        uploads=(Upload(path=archive, local_path=artifact.path, mode="0600"),),
        fix=f"""\
set -e
trap 'rm -rf /opt/app/incoming' EXIT
echo "{artifact.checksum}  {archive}" | sha256sum --check --quiet
rm -rf {folder}.partial {folder}
mkdir -m 0755 {folder}.partial
tar --zstd --extract --no-same-owner --file {archive} --directory {folder}.partial
chmod 0755 {folder}.partial
echo {artifact.checksum} >{folder}.partial/.artifact
mv -T {folder}.partial {folder}
""",
        timeout_seconds=300,
    )
