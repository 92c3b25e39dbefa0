"""An emulated account, and clients whose answers are written down."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto.server import ThreadedMotoServer

from autodeploy.adapters.aws import AwsCloud

REGION = "us-east-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made = f"http://{host}:{port}"
    # All emulated accounts of one process are the same one: begin without what the tests of other files left in it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{made}/moto-api/reset", method="POST"), timeout=60).close()
    yield made
    server.stop()


@pytest.fixture
def cloud(endpoint: str) -> AwsCloud:
    return AwsCloud("local", REGION, endpoint_url=endpoint, admin_cidr="127.0.0.1/32", epoch=lambda: "epoch-1")


@pytest.fixture
def client(endpoint: str) -> Any:
    session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)
    return lambda service: session.client(service, endpoint_url=endpoint)


@pytest.fixture
def stubbed() -> Callable[..., Any]:
    return _stubbed


def _stubbed(service: str, *answers: tuple[str, Any]) -> Any:
    stub = boto3.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(stub)
    for method, answer in answers:
        if isinstance(answer, str):
            stubber.add_client_error(method, service_error_code=answer, service_message="no")
        else:
            stubber.add_response(method, answer)
    stubber.activate()
    return stub
