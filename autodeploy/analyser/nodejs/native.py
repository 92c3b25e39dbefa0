"""Debian's packages that npm packages need: to be compiled, and while they run. What each one's own guide names."""

from __future__ import annotations

from typing import NamedTuple

from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.model import Evidence


class Need(NamedTuple):
    """What a package needs of the system; `warning` is what no package of the system gives."""

    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    warning: str = ""


_GYP = ("g++", "make", "python3", "python3-setuptools")
"""https://github.com/nodejs/node-gyp#on-unix; node-gyp before 10 imports distutils, now of setuptools."""

_BROWSER = "drives a browser, which is not installed on the server: name a remote one, or bring it in the build"
_CAIRO = ("libcairo2-dev", "libgif-dev", "libjpeg-dev", "libpango1.0-dev", "librsvg2-dev", "pkg-config")
_CAIRO_RUN = ("libcairo2", "libgif7", "libjpeg62-turbo", "libpango-1.0-0", "libpangocairo-1.0-0", "librsvg2-2")

_COMPILED = (
    "bcrypt", "better-sqlite3", "sqlite3", "argon2", "re2", "node-pty", "deasync", "libxmljs", "libxmljs2", "node-sass",
    "hiredis", "node-expat", "iconv", "microtime", "heapdump", "ffi-napi", "ref-napi", "isolated-vm", "bufferutil",
    "utf-8-validate", "leveldown", "sse4_crc32", "farmhash", "integer", "memwatch-next", "scrypt", "snappy", "zeromq",
)  # fmt: skip
"""Compiled by node-gyp wherever no ready-made binary is found."""

_NEEDS: dict[str, Need] = {
    **dict.fromkeys(_COMPILED, Need(_GYP)),
    "canvas": Need((*_GYP, *_CAIRO), _CAIRO_RUN),
    "pg-native": Need((*_GYP, "libpq-dev"), ("libpq5",)),
    "libpq": Need((*_GYP, "libpq-dev"), ("libpq5",)),
    "kerberos": Need((*_GYP, "libkrb5-dev"), ("libgssapi-krb5-2",)),
    "node-rdkafka": Need((*_GYP, "libsasl2-dev", "libssl-dev", "zlib1g-dev"), ("libsasl2-2", "libssl3t64")),
    "usb": Need((*_GYP, "libudev-dev"), ("libudev1",)),
    "odbc": Need((*_GYP, "unixodbc-dev"), ("unixodbc",)),
    "fluent-ffmpeg": Need((), ("ffmpeg",)),
    "ffmpeg": Need((), ("ffmpeg",)),
    "gm": Need((), ("graphicsmagick",)),
    "imagemagick": Need((), ("imagemagick",)),
    "easyimage": Need((), ("imagemagick",)),
    "pdf2pic": Need((), ("ghostscript", "graphicsmagick")),
    "node-tesseract-ocr": Need((), ("tesseract-ocr",)),
    "pdf-poppler": Need((), ("poppler-utils",)),
    "node-poppler": Need((), ("poppler-utils",)),
    "pdf-image": Need((), ("imagemagick", "poppler-utils")),
    "simple-git": Need((), ("git",)),
    "libreoffice-convert": Need((), ("libreoffice",)),
    "node-exiftool": Need((), ("libimage-exiftool-perl",)),
    "youtube-dl-exec": Need((), ("python3",)),
    **{name: Need((), (), f"{name} {_BROWSER}") for name in ("puppeteer", "playwright", "playwright-chromium")},
}


def detect_packages(manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...], list[Evidence], list[str]]:
    """Return Debian's packages for the build and for running, why, and what only a person can bring."""
    found = {name: _NEEDS[name] for name in sorted(manifest.dependencies) if name in _NEEDS}
    build = tuple(sorted({package for need in found.values() for package in need.build}))
    run = tuple(sorted({package for need in found.values() for package in need.run}))
    because = [
        manifest.evidence("system_packages", " ".join(dict.fromkeys((*need.build, *need.run))), name, "native-package")
        for name, need in found.items()
        if need.build or need.run
    ]
    return build, run, because, [need.warning for need in found.values() if need.warning]
