"""Git, by GitPython: a repository's address comes in, a checked-out commit goes out; nothing in it is ever run."""

from autodeploy.adapters.git.repo import GitRepo

__all__ = ["GitRepo"]
