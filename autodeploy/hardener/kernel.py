"""Kernel settings. Those of a network namespace hold everywhere; the others belong to a container's operator."""

from __future__ import annotations

from autodeploy.model import HostFacts, Step, Upload

_REFERENCE = "CIS Debian Linux 12 Benchmark 3.3 and 1.5 (kernel parameters)"
NETWORK_PATH = "/etc/sysctl.d/90-autodeploy-network.conf"
CORE_PATH = "/etc/sysctl.d/90-autodeploy-kernel.conf"

# What UFW sets at every start of its own (/etc/ufw/sysctl.conf) must agree with these.
_NETWORK = {
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.default.accept_source_route": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.icmp_ignore_bogus_error_responses": "1",
    "net.ipv4.tcp_syncookies": "1",
}
_CORE = {
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.randomize_va_space": "2",
    "kernel.unprivileged_bpf_disabled": "1",
    "kernel.yama.ptrace_scope": "1",
}


def steps(facts: HostFacts) -> tuple[Step, ...]:
    """Return the controls of the kernel."""
    reason = "kernel.* and fs.* belong to the container's own host" if facts.is_container else None
    return (
        _control("network-parameters", "refuse redirects, source routes and floods", NETWORK_PATH, _NETWORK, 5, None),
        _control("kernel-parameters", "hide the kernel from local users", CORE_PATH, _CORE, 10, reason),
    )


def _control(name: str, why: str, path: str, values: dict[str, str], weight: int, not_applicable: str | None) -> Step:
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    file = Upload(path=path, content=text)
    return Step(
        name=name,
        why=why,
        observe=f"sysctl {' '.join(values)}; {file.observation}",
        want=f"{text}{file.wanted}",
        uploads=(file,),
        fix=f"sysctl -q -p {path}",
        weight=weight,
        reference=_REFERENCE,
        not_applicable=not_applicable,
    )
