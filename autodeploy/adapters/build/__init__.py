"""The builder: a repository's own code runs here, in a container without our environment, home or cloud."""

from autodeploy.adapters.build.builder import ContainerBuilder
from autodeploy.adapters.build.container import Limits
from autodeploy.adapters.build.registries import RegistrySettings, operator_registries

__all__ = ["ContainerBuilder", "Limits", "RegistrySettings", "operator_registries"]
