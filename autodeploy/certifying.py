"""A deployment's own certificate authority and the leaf of its balancer: kept, renewed or made. Stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from autodeploy.adapters.tls import covers, expiry, is_issued_by, is_pair, issue, make_authority
from autodeploy.agents.keyring import Certificate
from autodeploy.model import CloudFacts

RENEWAL = timedelta(days=30)
"""How long before its end a certificate is renewed."""


def certify(deployment_id: str, facts: CloudFacts, domain: str | None, kept: Certificate, now: datetime) -> Certificate:
    """Return the certificate that is kept; a new leaf of its authority when it ends soon or lacks the domain; the first
    pair of both."""
    is_whole = kept.authority and is_pair(kept.leaf, kept.key) and is_issued_by(kept.leaf, kept.authority)
    wanted = [domain] if domain else []
    if is_whole and expiry(kept.leaf) - now > RENEWAL and covers(kept.leaf, wanted):
        return kept
    authority = (kept.authority, kept.authority_key)
    if not is_pair(*authority) or expiry(kept.authority) - now < RENEWAL:
        authority = make_authority(f"AutoDeploy {deployment_id}", now)
    names = ["localhost", "127.0.0.1"] if facts.target == "local" else [f"*.{facts.region}.elb.amazonaws.com"]
    leaf, key = issue(authority, [*wanted, *names], now)
    return Certificate(leaf, key, *authority)
