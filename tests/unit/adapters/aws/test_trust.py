"""The certificates of RDS, from a server that answers as AWS's does, and from ones that do not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from autodeploy.adapters.aws import AwsCloud
from autodeploy.adapters.aws.trust import database_bundle
from autodeploy.errors import InfrastructureError

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, str]]]:
    files = {"/eu-west-1/eu-west-1-bundle.pem": PEM, "/us-east-1/us-east-1-bundle.pem": "<html>sign in first</html>"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in files else 404)
            self.end_headers()
            self.wfile.write(files.get(self.path, "").encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{{region}}/{{region}}-bundle.pem", files
    server.shutdown()
    server.server_close()


def test_it_is_fetched_once(served: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, files = served
    path = database_bundle("eu-west-1", tmp_path / "trust", url)
    assert path.read_text() == PEM
    files.clear()
    assert database_bundle("eu-west-1", tmp_path / "trust", url) == path


@pytest.mark.parametrize("region", ["us-east-1", "nowhere"])
def test_what_is_no_bundle_is_refused_and_not_kept(
    served: tuple[str, dict[str, str]], tmp_path: Path, region: str
) -> None:
    with pytest.raises(InfrastructureError, match="cannot be had from") as caught:
        database_bundle(region, tmp_path, served[0])
    assert caught.value.recoverable
    assert list(tmp_path.iterdir()) == []


def test_the_cloud_hands_out_the_regions_own(tmp_path: Path) -> None:
    (tmp_path / "rds-eu-west-1.pem").write_text(PEM)
    assert AwsCloud("aws", "eu-west-1", trust_folder=tmp_path).ca_bundle() == tmp_path / "rds-eu-west-1.pem"
    assert AwsCloud("local", "eu-west-1", ca_bundle=tmp_path / "ca.pem").ca_bundle() == tmp_path / "ca.pem"
