"""Place: the application's folder, and where it is a part of a workspace, the root that it is installed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from autodeploy.analyser.language import Home
from autodeploy.analyser.nodejs.manifest import Manifest, read_manifest
from autodeploy.analyser.nodejs.packages import build_command, workspace_build
from autodeploy.analyser.nodejs.start import Start
from autodeploy.analyser.nodejs.workspaces import Member, Workspace, candidates, read_workspace
from autodeploy.analyser.procfile import Process, read_procfile
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence, Unknown


@dataclass(frozen=True)
class Place:
    """Where the application lies. `choices` are the workspace's packages that it might be, the taken one first."""

    tree: Tree
    manifest: Manifest
    workspace: Workspace | None = None
    root_manifest_of: Manifest | None = None
    member: Member | None = None
    choices: tuple[str, ...] = ()

    @property
    def root_manifest(self) -> Manifest:
        """The package.json beside the lock file."""
        return self.root_manifest_of or self.manifest

    @property
    def places(self) -> Sequence[tuple[Tree, Manifest]]:
        """The folders that speak of the whole: the application's own, then the root."""
        own = (self.tree, self.manifest)
        return (own, (self.workspace.tree, self.root_manifest)) if self.workspace else (own,)

    def processes(self) -> dict[str, Process]:
        """Return the Procfile's lines; the root's are of the root's folder, and count where no part was chosen."""
        return read_procfile(self.tree)

    def shared(self) -> list[tuple[Tree, Manifest]]:
        """Return the packages of the workspace that the application is built from, such as the one of its database."""
        if self.workspace is None or self.member is None:
            return []
        tree = self.workspace.tree
        trees = (
            tree.below(tree.where(item.folder))
            for item in self.workspace.needed(self.member)
            if item is not self.member
        )
        return [(package, read_manifest(package)) for package in trees]

    def build(self, start: Start, file: str, kept: Sequence[str]) -> str:
        """Return the build command, to be run where the application is installed."""
        if self.workspace is None or self.member is None:
            return build_command(self.tree, self.manifest, start, file, kept)
        parts = (self.workspace, self.root_manifest, self.member, self.tree, self.manifest)
        return workspace_build(*parts, start, file, kept)

    def started(self, command: str, is_given: bool) -> str:
        """Return a command of the application's as it runs where it is installed."""
        if self.member is None or is_given or not command:
            return command
        return f"cd {self.member.folder} && {command.replace('/app/src/', '/app/src/' + self.member.folder + '/')}"

    def language(self, home: Home) -> list[Evidence]:
        """Return the evidence for the language, and for the part of the workspace that was taken."""
        if self.workspace is None:
            return [home.evidence]
        rule = "workspace-only" if len(self.choices) < 2 else "workspace"
        root = Evidence(
            fact="app_root", value=self.tree.root, file=self.manifest.file, rule=rule, alternatives=self.choices[1:],
            confidence="certain" if len(self.choices) < 2 else "likely",
        )  # fmt: skip
        install = Evidence(
            fact="install_root", value=self.workspace.tree.root, file=self.root_manifest.file, rule="workspace-root"
        )
        return [home.evidence, root, install]

    def start_evidence(self, start: Start) -> list[Evidence]:
        """Return the evidence for the start command as it runs."""
        return [start.evidence.but(value=self.started(start.evidence.value, start.evidence.rule == "--start-command"))]

    def unknowns(self, start: Start) -> tuple[Unknown, ...]:
        """Return what the workspace, and its package.json, leave open."""
        told = []
        if len(self.choices) > 1:
            message = f"the workspace holds several applications; {self.choices[0]} was taken"
            told.append(Unknown(fact="app_root", message=message, choices=self.choices, flag="--path"))
        if not start.command:
            message = f"nothing says how to start: {self.manifest.file} has no start script for production"
            told.append(Unknown(fact="start_command", message=message, flag="--start-command"))
        return tuple(told)


def find_place(tree: Tree, manager: str = "") -> Place:
    """Return where the application of a tree lies; raise AnalysisError for a broken package.json.

    `manager`: the package manager that a flag names.
    """
    if above := _above(tree):
        return _of_member(*above, (), manager)
    manifest = read_manifest(tree, manager)
    workspace = read_workspace(tree)
    able = candidates(workspace) if workspace else []
    if workspace is None or not able or able[0] is workspace.root:
        return Place(tree, manifest)
    return _of_member(workspace, able[0], tuple(item.folder for item in able), manager)


def _of_member(workspace: Workspace, member: Member, choices: tuple[str, ...], manager: str) -> Place:
    root = read_manifest(workspace.tree, manager)
    tree = workspace.tree.below(workspace.tree.where(member.folder))
    own = read_manifest(tree)
    manifest = replace(own, package_manager=root.package_manager, lock=root.lock, managed=root.managed)
    return Place(tree, manifest, workspace, root, member, choices)


def _above(tree: Tree) -> tuple[Workspace, Member] | None:
    """Return the workspace, and the part of it that the tree is; None where it is none of any."""
    whole = tree.source.around or tree.source
    inner = tree.source.subdirectory if tree.source.around else "."
    folder = PurePosixPath(inner) / tree.root
    for parent in folder.parents if folder.parts else ():
        workspace = read_workspace(Tree(whole, str(parent)))
        below = str(folder.relative_to(parent))
        member = next((item for item in workspace.members if item.folder == below), None) if workspace else None
        if workspace and member:
            return workspace, member
    return None
