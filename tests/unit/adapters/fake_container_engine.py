"""A container engine for tests: a real program that reads `run` and `kill` as podman does, and plays a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROGRAM = """#!{python} -IS
import hashlib, json, os, sys, time
state = {state!r}
words = sys.argv[1:]
verb = words[0]
if verb == "kill":
    open(os.path.join(state, "killed-" + words[1]), "w").close()
    sys.exit(0)
plan = json.load(open(os.path.join(state, "plan.json")))
name = words[words.index("--name") + 1]
variables = dict(words[at + 1].partition("=")[::2] for at, word in enumerate(words) if word == "--env")
mark = variables.get("MARK", "")
command = os.path.join(state, "command.json")
with open(command + ".new", "w") as file:
    json.dump(words, file)
os.replace(command + ".new", command)
given = sys.stdin.buffer.read() if plan.get("reads", True) else b""
open(os.path.join(state, "stdin"), "wb").write(given)
for line in plan.get("lines", []):
    sys.stderr.write(line.replace("MARK", mark) + "\\n")
sys.stderr.flush()
if "archive" in plan:
    content = plan["archive"].encode()
    seal = plan.get("seal") or hashlib.sha256(content).hexdigest()
    sys.stderr.write("\\n" + mark + " archive " + seal + " " + str(len(content)) + "\\n")
    sys.stdout.buffer.write(content)
sys.stdout.write(plan.get("out", ""))
sys.stdout.flush()
while plan.get("hangs") and not os.path.exists(os.path.join(state, "killed-" + name)):
    time.sleep(0.05)
sys.exit(plan.get("code", 0))
"""


class FakeEngine:
    """The program in a folder of its own. `play` says what the next container does; `killed` names those killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "engine"
        program.write_text(PROGRAM.format(python=sys.executable, state=str(folder)))
        program.chmod(0o755)
        self.command = [str(program), "run", "--rm"]
        self.play()

    def play(self, **plan: object) -> None:
        """Set what the next container does: lines, archive, seal, out, code, hangs, reads."""
        (self.folder / "plan.json").write_text(json.dumps(plan))
        (self.folder / "command.json").unlink(missing_ok=True)

    @property
    def words(self) -> list[str]:
        """The command line of the last container; [] when none ran."""
        file = self.folder / "command.json"
        return list(json.loads(file.read_text())) if file.exists() else []

    @property
    def stdin(self) -> bytes:
        """What the last container was fed."""
        return (self.folder / "stdin").read_bytes()

    @property
    def killed(self) -> list[str]:
        """Names of the containers that were killed."""
        return [path.name.removeprefix("killed-") for path in self.folder.glob("killed-*")]
