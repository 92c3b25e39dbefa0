"""A machine's way in by sessions of AWS Systems Manager: a region comes in, the script that installs their agent goes
out. Runs nothing.
"""

from __future__ import annotations

from datetime import date

from autodeploy.model import Check
from autodeploy.templating import render

AGENT = "amazon-ssm-agent"
SIGNED_BY = "1C5B395CBE5E74E2F1CA21592784DBF388D19D46"
"""By AWS's key: https://docs.aws.amazon.com/systems-manager/latest/userguide/verify-agent-signature.html."""
SIGNED_UNTIL = date(2027, 11, 25)


def agent_script(region: str) -> str:
    """Return the script that installs the agent from AWS's bucket in the region, and starts it."""
    return render(
        "host/signed-package.sh.j2",
        package=AGENT,
        url=f"https://s3.{region}.amazonaws.com/amazon-ssm-{region}/latest/debian_amd64/{AGENT}.deb",
        key=render(f"host/{AGENT}.asc"),
        fingerprint=SIGNED_BY,
    )


def check_key(today: date) -> Check:
    """Return whether AWS still signs the agent with the key that is known here."""
    what = "signature of the session agent"
    if today <= SIGNED_UNTIL:
        return Check("aws", what, f"by the key {SIGNED_BY[-16:]}, until {SIGNED_UNTIL}")
    return Check(
        "aws",
        what,
        "",
        warning=f"AWS's key ended on {SIGNED_UNTIL}: a machine that is made now may refuse the agent and let nobody in",
        remedy="Use a newer AutoDeploy, which knows AWS's new key, or --access ssh.",
    )
