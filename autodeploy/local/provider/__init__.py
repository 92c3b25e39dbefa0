"""The local target's `aws` provider: the engine's requests come in, the emulated API and the data plane do the work."""

from autodeploy.local.provider.images import AMIS, amis_file
from autodeploy.local.provider.server import ProviderServer, serve_provider

__all__ = ["AMIS", "ProviderServer", "amis_file", "serve_provider"]
