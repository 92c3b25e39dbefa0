"""A stack that is known to be there: the Automation API's, without the engine's starts that it spends on asking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pulumi.automation import LocalWorkspace, OutputMap, OutputValue, Stack
from pulumi.automation._cmd import CommandResult
from pulumi.automation._stack import StackInitMode

from autodeploy.adapters.pulumi.command import EngineCommand


class KnownStack(Stack):
    """Starts no engine when it is made; a stack that is not there shows as StackNotFoundError at its first use."""

    def __init__(self, name: str, workspace: LocalWorkspace) -> None:
        # The base class would run `pulumi stack select`, a third of a second, though every command names its stack.
        self.name = name
        self.workspace = workspace
        self._mode = StackInitMode.SELECT

    def outputs(self) -> OutputMap:
        """Return the outputs in clear, by one start of the engine instead of two."""
        answer = self._run_pulumi_cmd_sync(["stack", "output", "--json", "--show-secrets"])
        return {name: OutputValue(value=value, secret=False) for name, value in json.loads(answer.stdout).items()}

    def sealed_state(self) -> dict[str, Any]:
        """Return what `pulumi stack export` prints, secrets sealed."""
        return dict(json.loads(self._engine("stack", "export").stdout))

    def replace_state(self, exported: Mapping[str, Any]) -> None:
        """Import such a state; it goes in by standard input and lies nowhere in between."""
        self._engine("stack", "import", stdin=json.dumps(exported))

    def _engine(self, *words: str, stdin: str | None = None) -> CommandResult:
        command = self.workspace.pulumi_command
        assert isinstance(command, EngineCommand)
        place, environment = self.workspace.work_dir, self.workspace.env_vars
        return command.run([*words, "--stack", self.name], place, environment, stdin=stdin)
