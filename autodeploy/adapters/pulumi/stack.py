"""Pulumi over one stack per deployment: fulfils `ports.Engine` through the Automation API.

The program is handed in; state, config and passphrase live under $AUTODEPLOY_HOME. Never reads the shell's own
Pulumi settings, and never asks a question.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from pulumi.automation import LocalWorkspace, Stack, StackSettings

from autodeploy import safeguards
from autodeploy.adapters.pulumi import comparing, engine, guarding, locks, recovery, role
from autodeploy.adapters.pulumi.command import EngineCommand
from autodeploy.adapters.pulumi.diagnosis import translated
from autodeploy.adapters.pulumi.home import PROJECT, PulumiHome
from autodeploy.adapters.pulumi.known_stack import KnownStack
from autodeploy.adapters.pulumi.language_host import PYTHON
from autodeploy.adapters.pulumi.progress import STACK, Progress
from autodeploy.model import Drift, InfraPlan, LockOwner, Preview, Standing
from autodeploy.ports import Orphans, Say

Program = Callable[[], None]
NO_DEFAULT_PROVIDERS = {"pulumi:disable-default-providers": ["aws"]}


def silent(line: str) -> None:
    """Say nothing."""


class PulumiEngine:
    """`environment` reaches engine and provider; `refresh` asks the world before previews and updates.

    `role_arn` is assumed, whatever role the state names. `orphans` finds what a killed engine left in the account;
    without it such things are forgotten.

    The engine itself is looked for when it is first needed: constructing this costs nothing.
    """

    def __init__(
        self,
        program: Program,
        home: Path,
        cache: Path,
        environment: Mapping[str, str] | None = None,
        *,
        refresh: bool = False,
        role_arn: str | None = None,
        orphans: Orphans | None = None,
        executable: Callable[[Say], Path] | None = None,
    ) -> None:
        self._program = program
        self._home = PulumiHome(home)
        self._environment = dict(environment or {})
        self._refresh = refresh
        self._role_arn = role_arn
        self._orphans = orphans
        self._executable = executable or partial(engine.provide, cache)
        self._command: EngineCommand | None = None
        self._guarded: dict[bytes, Preview] = {}

    def preview(self, plan: InfraPlan, secrets: Mapping[str, str], save_plan: Path | None, say: Say) -> Preview:
        """Say what `up` would do, leaving resources and live config alone; `save_plan` receives the update plan."""
        self._check(plan, secrets, say)
        preview = self._preview(plan, secrets, save_plan, say)
        if save_plan:
            self._guarded[save_plan.read_bytes()] = preview
        return preview

    def up(
        self,
        plan: InfraPlan,
        secrets: Mapping[str, str],
        saved_plan: Path | None,
        say: Say,
        only: Sequence[str] = (),
        allow_data_loss: Collection[str] = (),
    ) -> dict[str, object]:
        """Apply, held to `saved_plan` when it is given, to `only` these URNs when there are any; return the outputs.

        Raise PlanError for what is not safe, and for data lost whose resource is not in `allow_data_loss`; a plan that
        this engine did not preview itself is previewed first.
        """
        self._check(plan, secrets, say)
        known = self._guarded.get(saved_plan.read_bytes()) if saved_plan else None
        safeguards.check_data_loss(known or self._preview(plan, secrets, None, say, only), allow_data_loss)
        progress = Progress(say)
        with translated(plan.deployment_id, "bring the infrastructure up", progress):
            stack = self._made(plan.deployment_id, say)
            self._configure(stack, plan, secrets, self._home.project(plan.deployment_id))
            result = stack.up(
                on_event=progress.on_event,
                plan=str(saved_plan) if saved_plan else None,
                refresh=self._refresh or None,
                target=list(only) or None,
            )
        return {name: output.value for name, output in result.outputs.items()}

    def _preview(
        self,
        plan: InfraPlan,
        secrets: Mapping[str, str],
        save_plan: Path | None,
        say: Say,
        only: Sequence[str] = (),
    ) -> Preview:
        progress = Progress()
        with translated(plan.deployment_id, "preview the plan", progress):
            stack = self._made(plan.deployment_id, say)
            config = self._configure(stack, plan, secrets, self._home.candidate(plan.deployment_id))
            stack.preview(
                on_event=progress.on_event,
                config_file=str(config),
                plan=str(save_plan) if save_plan else None,
                refresh=self._refresh or None,
                target=list(only) or None,
            )
        safeguards.check_registered(progress.registered, plan.access)
        return progress.preview

    def resources(self, deployment_id: str) -> Sequence[str]:
        """Return the URNs in the stack's state, without the stack's own; empty when there is none."""
        with translated(deployment_id, "read the stack's state"):
            stack = self._existing(deployment_id)
            state = (stack and stack.export_stack().deployment) or {}
        return [entry["urn"] for entry in state.get("resources") or () if entry["type"] != STACK]

    def standing(self, deployment_id: str) -> Sequence[Standing]:
        """Return what the state on disk says of each resource in AWS, without components and providers."""
        return comparing.standing(self._home.state(deployment_id, silent))

    def drift(self, deployment_id: str, say: Say) -> Drift:
        """Compare each resource with the account, changing neither account nor state; raise InfrastructureError."""
        comparison = comparing.Comparison(deployment_id)
        with translated(deployment_id, "compare the stack with the account", comparison):
            if stack := self._existing(deployment_id, say):
                state = self._home.state(deployment_id, say)
                recovery.refuse_pending(state)
                role.enter(stack, state, self._role_arn)
                stack.refresh(preview_only=True, on_event=comparison.on_event)
        return comparison.drift

    def destroy(self, deployment_id: str, say: Say, only: Sequence[str] = ()) -> None:
        """Delete everything in the stack, or `only` these URNs and what depends on them; done counts as done."""
        progress = Progress(say)
        with translated(deployment_id, "delete the infrastructure", progress):
            if stack := self._existing(deployment_id, say):
                self._repair(stack, say)
                there = {each.urn for each in self.standing(deployment_id)}
                targets = [urn for urn in only if urn in there]  # the engine refuses to delete what it does not have
                if targets or not only:
                    dependents = bool(only) or None
                    stack.destroy(on_event=progress.on_event, target=targets or None, target_dependents=dependents)

    def repair(self, deployment_id: str, say: Say) -> None:
        """Make the stack's state true again after an engine was killed; raise LockedError naming a live owner."""
        with translated(deployment_id, "repair the stack's state"):
            if stack := self._existing(deployment_id, say):
                self._repair(stack, say)

    def locks(self, deployment_id: str) -> Sequence[LockOwner]:
        """Return who holds the stack."""
        return [lock.owner for lock in locks.held(self._home.locks(deployment_id))]

    def unlock(self, deployment_id: str) -> Sequence[LockOwner]:
        """Break the stack's locks and return whose they were; raise LockedError for an engine that lives here."""
        return locks.break_all(self._home.locks(deployment_id), deployment_id)

    def remove(self, deployment_id: str, force: bool = False) -> None:
        """Remove the empty stack with its history and config; with `force` also one whose account is gone."""
        with translated(deployment_id, "remove the stack"):
            if stack := self._existing(deployment_id):
                locks.clear(self._home.locks(deployment_id), deployment_id, silent)
                stack.workspace.remove_stack(deployment_id, force=force or None)
                shutil.rmtree(self._home.project(deployment_id))

    def shell_environment(self, deployment_id: str) -> Mapping[str, str]:
        """Return what the bare `pulumi` command needs in its environment to see the same stack."""
        executable = self._ready(silent).command
        folders = [str(Path(executable).parent), str(Path(sys.executable).parent)]
        return {
            **self._engine_environment(),
            "PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]),
            PYTHON: sys.executable,
            "PULUMI_STACK": deployment_id,
            # https://www.pulumi.com/docs/iac/cli/environment-variables: PULUMI_OPTION_<FLAG> stands for any flag.
            "PULUMI_OPTION_CONFIG_FILE": str(self._home.config(deployment_id)),
        }

    def interrupt(self) -> None:
        """Ask a running operation to finish what it began and stop; may be called from any thread."""
        if self._command:
            self._command.interrupt()

    def _engine_environment(self) -> dict[str, str]:
        return {
            "PULUMI_BACKEND_URL": self._home.backend_url,
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._home.passphrase_file),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **self._environment,
        }

    def _ready(self, say: Say) -> EngineCommand:
        if self._command is None:
            executable = self._executable(say)
            self._command = EngineCommand(executable, engine.VERSION)
        if say is not silent:
            self._command.say = say
        return self._command

    def _workspace(self, deployment_id: str, say: Say) -> LocalWorkspace:
        self._home.mend(deployment_id)
        return LocalWorkspace(
            work_dir=str(self._home.project(deployment_id)),
            program=self._program,
            env_vars=self._engine_environment(),
            secrets_provider="passphrase",
            pulumi_command=self._ready(say),
        )

    def _made(self, deployment_id: str, say: Say) -> Stack:
        workspace = self._workspace(deployment_id, say)
        if not self._home.has_stack(deployment_id):
            locks.clear(self._home.locks(deployment_id), deployment_id, say)
            workspace.create_stack(deployment_id)
        stack = KnownStack(deployment_id, workspace)
        self._repair(stack, say)
        return stack

    def _existing(self, deployment_id: str, say: Say = silent) -> KnownStack | None:
        if not self._home.has_stack(deployment_id):
            return None
        return KnownStack(deployment_id, self._workspace(deployment_id, say))

    def _repair(self, stack: KnownStack, say: Say) -> None:
        name = stack.name
        locks.clear(self._home.locks(name), name, say)
        on_disk = self._home.state(name, say)
        role.enter(stack, on_disk, self._role_arn)
        if not recovery.pending(on_disk):
            return
        say("an earlier run of the Pulumi engine was cut short; looking for what it was making")
        exported = stack.sealed_state()
        state = exported["deployment"]
        found = self._claimed(name, state, say)
        recovery.told(recovery.begun(state), found, say)
        stack.replace_state({**exported, "deployment": recovery.repaired(state, found)})
        stack.refresh()

    def _claimed(self, name: str, state: recovery.State, say: Say) -> dict[str, str]:
        """Return the ids of the resources that were being made and are there, by URN."""
        found: dict[str, str] = {}
        if self._orphans is None:
            return found
        self._orphans.settle(name, say)
        for resource in recovery.begun(state):
            known = recovery.known(state, resource["type"])
            identity = self._orphans.claim(resource["type"], resource.get("inputs", {}), name, known, say)
            if identity:
                found[resource["urn"]] = identity
        return found

    def _configure(self, stack: Stack, plan: InfraPlan, secrets: Mapping[str, str], folder: Path) -> Path:
        """Write the plan's config to `folder` under the stack's own salt; return the file."""
        salt = self._salt(stack)
        plan = plan.but(role_arn=self._role_arn or plan.role_arn)
        config = {**NO_DEFAULT_PROVIDERS, f"{PROJECT}:plan": plan.model_dump_json()}
        place = LocalWorkspace(work_dir=str(folder), pulumi_command=self._ready(silent))
        place.save_stack_settings(stack.name, StackSettings(encryption_salt=salt, config=config))
        file = folder / f"Pulumi.{stack.name}.yaml"
        for name, value in sorted(secrets.items()):
            # On standard input: arguments are for everybody on the machine to see.
            sealed = ["config", "set", "--secret", "--raw", "--config-file", str(file), "-s", stack.name]
            work_dir, environment = stack.workspace.work_dir, self._engine_environment()
            self._ready(silent).run([*sealed, f"{PROJECT}:{name}"], work_dir, environment, stdin=value)
        return file

    def _salt(self, stack: Stack) -> str | None:
        with suppress(Exception):  # whatever a write that was cut short makes of the file
            if known := stack.workspace.stack_settings(stack.name).encryption_salt:
                return str(known)
        # A config that was lost is made anew; its secrets must still open with the state's.
        state = stack.export_stack().deployment or {}
        salt: str | None = (state.get("secrets_providers") or {}).get("state", {}).get("salt")
        return salt

    def _check(self, plan: InfraPlan, secrets: Mapping[str, str], say: Say) -> None:
        guarding.check(plan, secrets, self._home.state(plan.deployment_id, say))
