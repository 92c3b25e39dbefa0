"""AutoDeploy compiles a Git repository to a running, hardened service in the user's own AWS account."""

__version__ = "0.1.0"
