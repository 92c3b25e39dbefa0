"""How often, and after how long a wait, what passes by itself is tried again; as the design document has it.

What goes in are errors as kinds, codes and statuses; what comes out are attempts and seconds. `Patience` is that for a
client of AWS's API. Decides nothing about what does not pass: that is tried once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from autodeploy.errors import Transience

ATTEMPTS: dict[Transience, int] = {"network": 3, "throttling": 5, "deployment": 2}
"""How often something is tried in all while its errors are of that kind; any error that does not pass: once."""

FIRST_WAIT_SECONDS = 2.0
"""Doubled after each attempt."""

JITTER_SECONDS = 0.9
"""Added by chance, so that many that were refused together do not come back together."""

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "EC2ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "PriorRequestNotComplete",
        "SlowDown",
        "ServiceUnavailable",
    }
)
"""What AWS says when it is asked too much; https://docs.aws.amazon.com/general/latest/gr/api-retries.html."""

OUT_OF_ORDER = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
"""What AWS says when the fault is its own; https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html."""


def transience_of(code: str, status: int) -> Transience | None:
    """Return the kind of a refusal by AWS's error code and the HTTP status; None for one that does not pass."""
    if code in THROTTLED or status == 429:
        return "throttling"
    if code in OUT_OF_ORDER or status >= 500:
        return "network"
    return None


class Patience:
    """A handler of botocore's event `needs-retry`: waits where another attempt is due, and lets it be made.

    `network` are the exceptions that mean a line that was lost. The first wait is of `first_seconds`, with jitter in
    proportion.
    """

    def __init__(
        self,
        network: tuple[type[BaseException], ...] = (),
        sleep: Callable[[float], None] = time.sleep,
        first_seconds: float = FIRST_WAIT_SECONDS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._network = network
        self._sleep = sleep
        self._first_seconds = first_seconds
        self._chance = chance

    def __call__(
        self,
        attempts: int,
        response: tuple[Any, Mapping[str, Any]] | None = None,
        caught_exception: BaseException | None = None,
        **_: Any,
    ) -> int | None:
        """Return 0 (again, at once) when the wait is over; None where the answer stands."""
        kind = self._kind(response, caught_exception)
        if kind is None or attempts >= ATTEMPTS[kind]:
            return None
        jitter = self._chance() * JITTER_SECONDS * self._first_seconds / FIRST_WAIT_SECONDS
        self._sleep(self._first_seconds * 2 ** (attempts - 1) + jitter)
        return 0

    def _kind(self, response: tuple[Any, Mapping[str, Any]] | None, caught: BaseException | None) -> Transience | None:
        if response is None:
            return "network" if isinstance(caught, self._network) else None
        http, parsed = response
        error = parsed.get("Error") or {}
        return transience_of(str(error.get("Code", "")), int(http.status_code)) if http.status_code >= 300 else None
