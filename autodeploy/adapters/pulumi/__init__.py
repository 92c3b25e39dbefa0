"""Pulumi: finds or builds the engine, and runs one stack per deployment through the Automation API."""

from autodeploy.adapters.pulumi.stack import PulumiEngine

__all__ = ["PulumiEngine"]
