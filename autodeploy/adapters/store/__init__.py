"""The ledger as files under $AUTODEPLOY_HOME: one folder per deployment, private to its user."""

from autodeploy.adapters.store.filestore import FileStore

__all__ = ["FileStore"]
