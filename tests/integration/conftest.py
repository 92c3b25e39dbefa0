"""The account that the tests of a killed engine share: moto in this process, and the loop its provider runs in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from integration.killing import account, running_loop

from autodeploy.local.provider import amis_file


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with running_loop() as made:
        yield made


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    amis = tmp_path_factory.mktemp("moto") / "amis.json"
    amis_file(amis)
    os.environ["MOTO_AMIS_PATH"] = str(amis)
    with account() as made:
        yield made
