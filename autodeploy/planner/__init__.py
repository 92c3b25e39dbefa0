"""TechStack and CloudFacts -> Plan: what will be made and what it costs. The same input gives the same bytes."""

from autodeploy.planner.cost import keys as price_keys
from autodeploy.planner.infra import base_image
from autodeploy.planner.needs import check_needs, own_database
from autodeploy.planner.picture import svg
from autodeploy.planner.planning import plan
from autodeploy.planner.purposes import explained
from autodeploy.planner.sizing import instance_type

__all__ = ["base_image", "check_needs", "explained", "instance_type", "own_database", "plan", "price_keys", "svg"]
