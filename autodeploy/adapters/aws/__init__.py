"""The AWS account by boto3: its facts, its waiting, its secrets, and what of a deployment is left in it."""

from autodeploy.adapters.aws.account import DEBIAN_OWNER, LOCAL_IMAGES
from autodeploy.adapters.aws.cloud import AwsCloud

__all__ = ["DEBIAN_OWNER", "LOCAL_IMAGES", "AwsCloud"]
