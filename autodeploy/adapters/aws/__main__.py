"""`python -m autodeploy.adapters.aws --role-arn ARN --region NAME -- PROGRAM…` becomes a program that acts as the role.

The role's credentials are in its environment alone. On failure: one line on standard error, exit code 255.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from autodeploy.adapters.aws.credentials import environment, session

FAILED = 255
"""What ssh and `aws` say where nothing came of it."""


def main(arguments: Sequence[str]) -> int:
    """Become the program; return the exit code where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m autodeploy.adapters.aws")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--profile")
    parser.add_argument("--region", required=True)
    parser.add_argument("program", nargs="+")
    given = parser.parse_args(arguments)
    try:
        chosen = environment(session(given.region, profile=given.profile, role_arn=given.role_arn))
        os.execvpe(given.program[0], given.program, chosen)
    except (BotoCoreError, ClientError, OSError) as err:
        print(err, file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
