"""`python -m autodeploy.adapters.pulumi CACHE` provides the engine before it is needed, and prints where it is."""

import sys
from pathlib import Path

from autodeploy.adapters.pulumi.engine import provide
from autodeploy.errors import EngineError


def main(cache: Path) -> int:
    """Provide the engine; return the exit code."""
    try:
        print(provide(cache, lambda line: print(f"[engine] {line}", file=sys.stderr, flush=True)))
    except EngineError as err:
        print(err, file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
