"""Files that hold secrets or decide who may do what belong to root, and nobody else writes them."""

from __future__ import annotations

from autodeploy.model import Step

_REFERENCE = "CIS Debian Linux 12 Benchmark 7.1 (System File Permissions)"

_FILES = {
    "/etc/passwd": "root:root 644",
    "/etc/group": "root:root 644",
    "/etc/shadow": "root:shadow 640",
    "/etc/gshadow": "root:shadow 640",
    "/etc/ssh/sshd_config": "root:root 600",
    "/etc/sudoers": "root:root 440",
    "/etc/crontab": "root:root 600",
}


def steps() -> tuple[Step, ...]:
    """Return the controls of permissions."""
    paths = " ".join(_FILES)
    mend = "".join(
        f"[ ! -e {path} ] || {{ chown {owner} {path}; chmod {mode} {path}; }}\n"
        for path, (owner, mode) in ((path, value.split()) for path, value in _FILES.items())
    )
    known = " ".join(f"-e 's|^{path} {value}$||'" for path, value in _FILES.items())
    keys = "find /etc/ssh -name 'ssh_host_*_key' ! -perm 600"
    loose = "find /etc /opt/app /usr/local -xdev -type f -perm -0002"
    credentials = "find /opt/app /etc/autodeploy -xdev -name '*.cred*' -type f ! -perm 600"
    return (
        Step(
            name="system-files",
            why="keep accounts, sudo and SSH files root's own",
            observe=f"stat -c '%n %U:%G %a' {paths} 2>/dev/null | sed {known} | grep .; {keys}",
            want="",
            fix=f"{mend}{keys} -exec chmod 600 {{}} +\n",
            weight=5,
            reference=_REFERENCE,
        ),
        Step(
            name="loose-files",
            why="leave nothing of the system or the application writable by everybody, and no secret readable",
            observe=f"{loose} 2>/dev/null; {credentials} 2>/dev/null",
            want="",
            fix=f"{loose} -exec chmod o-w {{}} + 2>/dev/null; {credentials} -exec chmod 600 {{}} + 2>/dev/null; true",
            weight=5,
            reference=_REFERENCE,
        ),
    )
