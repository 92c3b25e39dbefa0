"""AWS's on-demand prices in USD, a dated table by region. A region that is not in it is unknown, never borrowed.

The figures are those of AWS's public price pages in 2025: aws.amazon.com/ec2/pricing/on-demand, /ebs/pricing,
/elasticloadbalancing/pricing, /rds/postgresql/pricing, /rds/mysql/pricing, /rds/mariadb/pricing,
/vpc/pricing, /secrets-manager/pricing.
"""

from __future__ import annotations

AS_OF = "2025"
HOURS_PER_MONTH = 730

HOURLY: dict[str, dict[str, float]] = {
    "us-east-1": {
        "instance:t3.nano": 0.0052,
        "instance:t3.micro": 0.0104,
        "instance:t3.small": 0.0208,
        "instance:t3.medium": 0.0416,
        "address:ipv4": 0.005,
        "balancer:application": 0.0225,
        "database:postgres:db.t3.micro": 0.018,
        "database:mysql:db.t3.micro": 0.017,
        "database:mariadb:db.t3.micro": 0.017,
    }
}

MONTHLY: dict[str, dict[str, float]] = {
    "us-east-1": {
        "volume:gp3": 0.08,  # per GB
        "database-storage:gp2": 0.115,  # per GB
        "database-storage:gp3": 0.115,  # per GB
        "secret": 0.40,
    }
}


def per_month(region: str, key: str, amount: float = 1) -> float | None:
    """Return USD a month for `amount` units (GB, or pieces); None where the table has no price."""
    hourly = HOURLY.get(region, {}).get(key)
    monthly = MONTHLY.get(region, {}).get(key) if hourly is None else hourly * HOURS_PER_MONTH
    return None if monthly is None else round(monthly * amount, 2)
