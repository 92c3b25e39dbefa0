"""What to ask a host whose deployment failed, as file names and commands, and how to take secrets out of the answers.

Never asks it itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from autodeploy.releaser.texts import LOG_PATH

LINES = 4000
SECONDS = 30
"""How long one of the commands may take."""

EVIDENCE: dict[str, str] = {
    "journal.txt": f"journalctl --no-pager --output=short-iso --lines={LINES}",
    "units.txt": (
        "systemctl --no-pager --full --lines=0 list-units --failed\n"
        "systemctl --no-pager --full --lines=20 status 'app*' nginx ssh fail2ban ufw cloud-init 2>&1"
    ),
    "sockets.txt": "ss -tulpn",
    "app.log": f'for log in $(ls -tr "$(dirname {LOG_PATH})"/*.log); do echo "==> $log"; tail -n {LINES} "$log"; done',
    "releases.txt": "ls -la /opt/app /opt/app/releases; cat /etc/nginx/autodeploy/live.conf",
    "nginx-config.txt": "command -v nginx >/dev/null && nginx -T 2>&1",
    "nginx-error.log": f"tail -n {LINES} /var/log/nginx/error.log",
    "firewall.txt": "ufw status verbose; iptables-save 2>/dev/null || nft list ruleset",
    "resources.txt": "uptime; free -m; df -h; ps -eo pid,user,rss,etime,args --sort=-rss | head -n 60",
    "cloud-init-status.txt": "cloud-init status --long",
    "cloud-init-output.log": f"tail -n {LINES} /var/log/cloud-init-output.log",
    "cloud-init.log": f"tail -n {LINES} /var/log/cloud-init.log",
}
"""By the name of the file each answer goes to; scripts for root."""

_HIDDEN = "<secret>"
_SHORTEST = 4
_KEYS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_LOGINS = re.compile(r"(\w://[^\s:/@]*:)[^\s@]+(?=@)")


def without_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """Return the text without private keys, logins in addresses, and the values of these secrets, quoted or not.

    A value too short to be looked for everywhere is taken out where its variable's name stands before it.
    """
    text = _LOGINS.sub(rf"\g<1>{_HIDDEN}", _KEYS.sub(_HIDDEN, text))
    for name in secrets:
        variable = re.escape(name.rpartition(":")[2])
        text = re.sub(rf"\b({variable}=)(\"[^\"\n]*\"|'[^'\n]*'|\S+)", rf"\g<1>{_HIDDEN}", text)
    lines = {line.strip() for value in secrets.values() for line in (value, *value.splitlines())}
    for secret in sorted((line for line in lines if len(line) >= _SHORTEST), key=len, reverse=True):
        for written in {secret, quote(secret, safe="")}:
            text = text.replace(written, _HIDDEN)
    return text
