"""AWS's on-demand prices in USD as AWS's price list has them, EC2 with Linux, RDS in one zone. Data, nothing else.

"-", and whatever is not here, is what no source at hand says: it stays unknown and is never borrowed from another
region or engine. Read from publications of the price list and from bills between 2025-03 (EC2) and 2026-10, and checked
against a second source where there was one; us-east-1 as a whole is of AS_OF, eu-west-2 beyond EC2 of 2026-10-06.
"""

from __future__ import annotations

AS_OF = "2026-08-06"

REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ca-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-central-1",
    "eu-north-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)
"""The columns of BY_REGION."""

BY_REGION = """
t3.nano              0.0052  0.0052  0.0052  0.0058  0.0057  0.0059   0.006  0.0054  0.0066  0.0066  0.0068  0.0084
t3.micro             0.0104  0.0104  0.0104  0.0116  0.0114  0.0118   0.012  0.0108  0.0132  0.0132  0.0136  0.0168
t3.small             0.0208  0.0208  0.0208  0.0232  0.0228  0.0236   0.024  0.0216  0.0264  0.0264  0.0272  0.0336
t3.medium            0.0416  0.0416  0.0416  0.0464  0.0456  0.0472   0.048  0.0432  0.0528  0.0528  0.0544  0.0672
t3.large             0.0832  0.0832  0.0832  0.0928  0.0912  0.0944   0.096  0.0864  0.1056  0.1056  0.1088  0.1344
t3.xlarge            0.1664  0.1664  0.1664  0.1856  0.1824  0.1888   0.192  0.1728  0.2112  0.2112  0.2176  0.2688
t3.2xlarge           0.3328  0.3328  0.3328  0.3712  0.3648  0.3776   0.384  0.3456  0.4224  0.4224  0.4352  0.5376
t3a.nano             0.0047  0.0047  0.0047  0.0052  0.0051  0.0053  0.0054       -  0.0059  0.0059  0.0061  0.0076
t3a.micro            0.0094  0.0094  0.0094  0.0104  0.0102  0.0106  0.0108       -  0.0118  0.0119  0.0122  0.0151
t3a.small            0.0188  0.0188  0.0188  0.0209  0.0204  0.0212  0.0216       -  0.0236  0.0238  0.0245  0.0302
t3a.medium           0.0376  0.0376  0.0376  0.0418  0.0408  0.0425  0.0432       -  0.0472  0.0475   0.049  0.0605
t3a.large            0.0752  0.0752  0.0752  0.0835  0.0816   0.085  0.0864       -  0.0944   0.095  0.0979   0.121
t3a.xlarge           0.1504  0.1504  0.1504   0.167  0.1632  0.1699  0.1728       -  0.1888  0.1901  0.1958  0.2419
t3a.2xlarge          0.3008  0.3008  0.3008  0.3341  0.3264  0.3398  0.3456       -  0.3776  0.3802  0.3917  0.4838
t2.nano              0.0058  0.0058  0.0058  0.0064  0.0063  0.0066  0.0067       -  0.0073  0.0073  0.0076  0.0093
t2.micro             0.0116  0.0116  0.0116  0.0128  0.0126  0.0132  0.0134       -  0.0146  0.0146  0.0152  0.0186
t2.small              0.023   0.023   0.023  0.0256   0.025   0.026  0.0268       -  0.0292  0.0292  0.0304  0.0372
t2.medium            0.0464  0.0464  0.0464  0.0512    0.05   0.052  0.0536       -  0.0584  0.0584  0.0608  0.0744
t2.large             0.0928  0.0928  0.0928  0.1024  0.1008  0.1056  0.1072       -  0.1168  0.1168  0.1216  0.1488
m5.large              0.096   0.096   0.096   0.107   0.107   0.111   0.115   0.102    0.12    0.12   0.124   0.153
m5.xlarge             0.192   0.192   0.192   0.214   0.214   0.222    0.23   0.204    0.24    0.24   0.248   0.306
m5.2xlarge            0.384   0.384   0.384   0.428   0.428   0.444    0.46   0.408    0.48    0.48   0.496   0.612
m6i.large             0.096   0.096   0.096   0.107       -   0.111   0.115   0.102    0.12    0.12       -       -
m6i.xlarge            0.192   0.192   0.192   0.214       -   0.222    0.23   0.204    0.24    0.24       -       -
m6i.2xlarge           0.384   0.384   0.384   0.428       -   0.444    0.46   0.408    0.48    0.48       -       -
c5.large              0.085   0.085   0.085   0.093   0.096   0.101   0.097   0.091   0.098   0.111   0.107   0.131
c5.xlarge              0.17    0.17    0.17   0.186   0.192   0.202   0.194   0.182   0.196   0.222   0.214   0.262
c5.2xlarge             0.34    0.34    0.34   0.372   0.384   0.404   0.388   0.364   0.392   0.444   0.428   0.524
r5.large              0.126   0.126   0.126   0.138   0.141   0.148   0.152   0.134   0.152   0.151   0.152   0.201
r5.xlarge             0.252   0.252   0.252   0.276   0.282   0.296   0.304   0.268   0.304   0.302   0.304   0.402
r5.2xlarge            0.504   0.504   0.504   0.552   0.564   0.592   0.608   0.536   0.608   0.604   0.608   0.804
balancer:application 0.0225  0.0225  0.0225 0.02475  0.0252 0.02646   0.027       -  0.0252  0.0252  0.0243       -
volume:gp3             0.08    0.08    0.08       -   0.088  0.0928  0.0952  0.0836   0.096   0.096   0.096   0.152
"""
"""Instance types and the balancer an hour, a volume a GB-month."""

EVERYWHERE = {"address:ipv4": 0.005, "secret": 0.40}
"""The same in every commercial region: an address an hour, a secret a month."""

OTHERS: dict[str, dict[str, float]] = {
    "us-east-1": {
        "database:postgres:db.t3.micro": 0.018,
        "database:postgres:db.t3.small": 0.036,
        "database:postgres:db.t3.medium": 0.072,
        "database:postgres:db.t3.large": 0.145,
        "database:postgres:db.m5.large": 0.178,
        "database:postgres:db.r5.large": 0.25,
        "database:mysql:db.t3.micro": 0.017,
        "database:mysql:db.t3.small": 0.034,
        "database:mysql:db.t3.medium": 0.068,
        "database:mysql:db.t3.large": 0.136,
        "database:mysql:db.m5.large": 0.171,
        "database:mysql:db.r5.large": 0.24,
        "database:mariadb:db.t3.micro": 0.017,
        "database:mariadb:db.t3.small": 0.034,
        "database:mariadb:db.t3.medium": 0.068,
        "database:mariadb:db.t3.large": 0.136,
        "database:mariadb:db.m5.large": 0.171,
        "database:mariadb:db.r5.large": 0.24,
        "database-storage:gp2": 0.115,
        "database-storage:gp3": 0.115,
        "snapshot:database": 0.095,
        "snapshot:volume": 0.05,
        "alarm": 0.1,
        "dashboard": 3.0,
        "logs": 0.5,
    },
    "eu-central-1": {
        "database:postgres:db.t3.micro": 0.021,
        "database-storage:gp3": 0.137,
        "alarm": 0.1,
    },
    "ap-southeast-1": {
        "database:postgres:db.t3.micro": 0.028,
        "database:postgres:db.t3.small": 0.056,
        "database-storage:gp2": 0.138,
        "database-storage:gp3": 0.138,
        "alarm": 0.1,
        "logs": 0.7,
    },
    "ap-northeast-1": {
        "database:mysql:db.t3.micro": 0.026,
        "database:mysql:db.t3.small": 0.052,
        "database:mysql:db.t3.medium": 0.104,
        "database:mysql:db.t3.large": 0.208,
        "database-storage:gp3": 0.138,
    },
    "us-west-2": {
        "database-storage:gp2": 0.115,
    },
    "eu-west-1": {
        "database-storage:gp2": 0.127,
        "snapshot:database": 0.095,
    },
    "eu-west-2": {
        "database:postgres:db.t3.micro": 0.021,
        "database-storage:gp3": 0.133,
        "snapshot:database": 0.1,
        "alarm": 0.1,
        "logs": 0.5985,
    },
}
"""A database an hour; storage, snapshots and ingested logs a GB-month; an alarm and a dashboard a month."""
