"""TechStack and CloudFacts -> Plan: what will be made and what it costs. The same input gives the same bytes."""

from autodeploy.planner.guards import check_database
from autodeploy.planner.planning import plan
from autodeploy.planner.sizing import instance_type

__all__ = ["check_database", "instance_type", "plan"]
