"""`python up_once.py HOME EXECUTABLE PORT PLAN KEY`: one `up` in a process of its own, to be killed or interrupted."""

import os
import sys
from pathlib import Path

from autodeploy.adapters.pulumi import PulumiEngine
from autodeploy.model import InfraPlan
from stacks.program import program

if __name__ == "__main__":
    home, executable, port, plan, key = sys.argv[1:]
    environment = {"PULUMI_DEBUG_PROVIDERS": f"aws:{port}", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    engine = PulumiEngine(
        program, Path(home), Path(home), environment, refresh=True, executable=lambda say: Path(executable)
    )
    secrets = {"certificateKey": Path(key).read_text()}
    wanted = InfraPlan.model_validate_json(Path(plan).read_text())
    try:
        engine.up(wanted, secrets, None, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        os._exit(130)  # as the command line does
