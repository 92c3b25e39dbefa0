"""Every refusal of AWS says whose credentials were tried and what to type next."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore import exceptions

from autodeploy.adapters.aws import AwsCloud, failures
from autodeploy.errors import InfrastructureError

REGION = "us-east-1"


def refusal(code: str) -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": "said so"}}, "DescribeVpcs")


class TestFailures:
    @pytest.mark.parametrize(
        ("err", "message", "remediation", "recoverable"),
        [
            (refusal("ExpiredToken"), "expired", "aws sso login --profile work", False),
            (refusal("InvalidClientTokenId"), "does not accept", "get-caller-identity", False),
            (refusal("UnauthorizedOperation"), "may not call DescribeVpcs", "allow DescribeVpcs", False),
            (refusal("OptInRequired"), "not subscribed", "--region", False),
            (refusal("Throttling"), "throttling", "Wait a minute", True),
            (refusal("VpcLimitExceeded"), "VpcLimitExceeded: said so", "Correct", False),
            (exceptions.NoCredentialsError(), "no AWS credentials", "aws sso login --profile work", False),
            (exceptions.ProfileNotFound(profile="work"), "no AWS profile 'work'", "list-profiles", False),
            (exceptions.UnauthorizedSSOTokenError(), "sign-in is over", "aws sso login", False),
            (exceptions.NoRegionError(), "region cannot be used", "--region", False),
            (exceptions.EndpointConnectionError(endpoint_url="https://x"), "cannot be reached", "network", True),
            (exceptions.ConnectTimeoutError(endpoint_url="https://x"), "cannot be reached", "network", True),
            (exceptions.ParamValidationError(report="bad"), "cannot be asked", "Correct", False),
        ],
    )
    def test_says_what_to_do(self, err: Exception, message: str, remediation: str, recoverable: bool) -> None:
        with (
            pytest.raises(InfrastructureError) as caught,
            failures.translated("Reading", "work", lambda: "shared-credentials-file"),
        ):
            raise err
        assert message in caught.value.message
        assert remediation in caught.value.remediation
        assert caught.value.recoverable is recoverable
        kind = "throttling" if isinstance(err, exceptions.ClientError) else "network"
        assert caught.value.transience == (kind if recoverable else None)
        assert caught.value.agent == "HiveMind SysEng"
        assert caught.value.context == "Reading"
        assert caught.value.__cause__ is err

    def test_says_whose_credentials(self) -> None:
        with (
            pytest.raises(InfrastructureError, match="profile 'work', found by 'sso'"),
            failures.translated("Reading", "work", lambda: "sso"),
        ):
            raise refusal("AccessDenied")
        with pytest.raises(InfrastructureError, match="default chain"), failures.translated("Reading"):
            raise refusal("AccessDenied")

    @pytest.mark.parametrize(
        "err", [refusal("InternalError"), exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1")]
    )
    def test_of_the_local_target_point_at_its_daemon(self, err: Exception) -> None:
        with pytest.raises(InfrastructureError) as caught, failures.translated("Reading", local=True):
            raise err
        assert "autodeploy local status" in caught.value.remediation
        assert caught.value.recoverable

    def test_a_daemon_that_is_not_there(self) -> None:
        cloud = AwsCloud("local", REGION, endpoint_url="http://127.0.0.1:1", admin_cidr="127.0.0.1/32")
        with pytest.raises(InfrastructureError, match="daemon does not answer"):
            cloud.facts()

    def test_a_profile_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        with pytest.raises(InfrastructureError, match="no AWS profile 'nobody'"):
            AwsCloud("aws", REGION, profile="nobody").facts()

    def test_credentials_of_the_environment_are_named_and_not_shown(
        self, endpoint: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
        cloud = AwsCloud("aws", REGION, endpoint_url=endpoint)
        with pytest.raises(InfrastructureError) as caught:
            cloud.database_password("arn:aws:secretsmanager:us-east-1:123456789012:secret:none")
        assert cloud._source() == "env"
        assert "hunter2" not in str(caught.value)
