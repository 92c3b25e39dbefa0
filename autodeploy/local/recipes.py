"""What the images are made of, as text: packages, Containerfiles, set-up scripts. It runs nothing."""

from __future__ import annotations

from typing import Literal

from autodeploy.model import BaseImage

ImageKind = Literal["machine", "builder", "postgres", "mariadb"]

SUITES: dict[BaseImage, str] = {"debian-12": "bookworm", "debian-13": "trixie"}
REGISTRY_IMAGES: dict[BaseImage, str] = {
    "debian-12": "docker.io/library/debian:12",
    "debian-13": "docker.io/library/debian:13",
}
# All that a deployment may install on its server, so that no machine asks a mirror while it boots.
MACHINE_PACKAGES = (
    "systemd systemd-sysv dbus openssh-server sudo iproute2 iptables ufw fail2ban python3-systemd curl ca-certificates"
    " cloud-init nginx-light logrotate unattended-upgrades postgresql-client mariadb-client-core python3 python3-venv"
    " libpq5 libmariadb3 zstd procps"
)
PACKAGES: dict[ImageKind, str] = {
    "machine": MACHINE_PACKAGES,
    "builder": "build-essential python3-dev python3-pip libpq-dev libmariadb-dev git pkg-config",
    "postgres": "postgresql",
    "mariadb": "mariadb-server",
}
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")

TRUST = """\
import pathlib, re, subprocess
pem = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
split = lambda path: {"".join(p.split()): p for p in pem.findall(pathlib.Path(path).read_text(errors="replace"))}
known = split("/etc/ssl/certs/ca-certificates.crt")
missing = [text for key, text in split("/tmp/image/operator.pem").items() if key not in known]
for number, text in enumerate(missing):
    pathlib.Path(f"/usr/local/share/ca-certificates/operator-{number}.crt").write_text(text + "\\n")
if missing:
    subprocess.run(["update-ca-certificates"], check=True)
"""

CLOUD_CONFIG = """\
datasource_list: [NoCloud, None]
network: {config: disabled}
locale: C.UTF-8
preserve_hostname: true
manage_etc_hosts: false
package_update: false
package_upgrade: false
ssh_genkeytypes: [ed25519, ecdsa, rsa]
growpart: {mode: "off"}
resize_rootfs: false
system_info:
  default_user:
    name: ubuntu
    gecos: Ubuntu
    shell: /bin/bash
    lock_passwd: true
    groups: [adm, sudo]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
"""

# Process 1. Shared propagation: without it a service cannot read its systemd credentials. The
# operator's kernel is not the machine's: only network settings, which are its own, stay writable.
# Other VPCs' subnets are neighbours of its own and not its to see; podman's isolation of networks (netavark 1.4)
# ends for all when one of them goes. A boot id of its own, as a real machine has: reboots are told by it.
INIT = """\
#!/bin/sh
mount --make-rshared /
for path in kernel fs vm dev debug; do
  [ -d /proc/sys/$path ] || continue
  mount --bind /proc/sys/$path /proc/sys/$path && mount -o remount,ro,bind /proc/sys/$path
done
mount --bind /dev/null /proc/sysrq-trigger
ip -4 -o address show scope global | while read -r _ _ _ address _; do
  ip route add prohibit "$(echo "$address" | cut -d. -f1,2).0.0/16"
done
cat /proc/sys/kernel/random/uuid > /run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
exec /sbin/init
"""

PREPARE_MACHINE = """\
set -eu
export DEBIAN_FRONTEND=noninteractive
cp /tmp/image/cloud.cfg /etc/cloud/cloud.cfg.d/90-autodeploy.cfg
install -m 0755 /tmp/image/init /usr/local/sbin/machine-init
[ ! -s /tmp/image/operator.pem ] || python3 /tmp/image/trust.py
printf '[global]\\ncert = /etc/ssl/certs/ca-certificates.crt\\n' > /etc/pip.conf
# Of the operator's kernel, a machine sets the network's part only.
mkdir -p /etc/systemd/system/systemd-sysctl.service.d
printf '[Service]\\nExecStart=\\nExecStart=/lib/systemd/systemd-sysctl --prefix=/net\\n' \\
  > /etc/systemd/system/systemd-sysctl.service.d/network-only.conf
# The operator's kernel log is not the machine's.
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\nReadKMsg=no\\nStorage=persistent\\n' > /etc/systemd/journald.conf.d/machine.conf
cd /etc/systemd/system
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \\
  systemd-udev-trigger.service systemd-modules-load.service systemd-firstboot.service \\
  systemd-networkd-wait-online.service systemd-resolved.service systemd-timesyncd.service \\
  systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-remount-fs.service e2scrub_reap.service \\
  systemd-logind-varlink.socket sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \\
  sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount \\
  getty.target console-getty.service getty@tty1.service networking.service ifupdown-pre.service; do
  ln -sf /dev/null "$unit"
done
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \\
  nginx.service fail2ban.service ufw.service unattended-upgrades.service cloud-init-hotplugd.socket; do
  systemctl disable "$unit" >/dev/null 2>&1 || true
done
systemctl enable ssh.service >/dev/null 2>&1
rm -f /etc/ssh/ssh_host_* /etc/nginx/sites-enabled/default /etc/fstab /var/lib/systemd/credential.secret
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/log/*.log /var/lib/cloud
: > /etc/machine-id
"""

TRUST_ENVIRONMENT = (
    "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt"
    " REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt\n"
)
INSTALL = (
    "RUN export DEBIAN_FRONTEND=noninteractive && apt-get -q update"
    " && apt-get -q install -y --no-install-recommends {packages}"
    " && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb{after}\n"
)
# A PostgreSQL cluster has an identity, so each is made on its own machine; MariaDB's first data has none, and making
# it takes seconds that nobody has to wait for twice.
DATABASE_IMAGES: dict[ImageKind, tuple[str, str]] = {
    "postgres": (
        "RUN mkdir -p /etc/postgresql-common && printf 'create_main_cluster = false\\nadd_include_dir = conf.d\\n'"
        " > /etc/postgresql-common/createcluster.conf\n",
        "",
    ),
    "mariadb": (
        "",
        " && systemctl disable mariadb.service && rm -rf /var/lib/mysql"
        " && mariadb-install-db --no-defaults --user=mysql"
        " --datadir=/var/lib/mysql --skip-test-db --innodb-log-file-size=8M --auth-root-authentication-method=socket",
    ),
}
"""What is done before, and right after, a database's packages are installed."""


def containerfile(kind: ImageKind, parent: str, parent_has_packages: bool) -> str:
    """Return the Containerfile of one image upon its parent."""
    before, after = DATABASE_IMAGES.get(kind, ("", ""))
    install = "" if parent_has_packages else INSTALL.format(packages=PACKAGES[kind], after=after)
    if kind == "machine":
        prepare = "COPY . /tmp/image\nRUN sh /tmp/image/prepare && rm -rf /tmp/image\n"
        return f'FROM {parent}\n{install}{prepare}CMD ["/usr/local/sbin/machine-init"]\n'
    if kind == "builder":
        return f'FROM {parent}\n{install}{TRUST_ENVIRONMENT}CMD ["/bin/bash"]\n'
    closed = "RUN touch /etc/cloud/cloud-init.disabled && systemctl disable ssh.service\n"
    return f"FROM {parent}\n{before}{install}{closed}"
