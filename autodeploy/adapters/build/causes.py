"""The last lines of an application that did not boot go in; the likely cause and what to do about it come out.

One table; the first row that matches is the cause. It knows nothing of containers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple


class Cause(NamedTuple):
    """What went wrong, as the end of a sentence ("a module is missing"), and what to do about it."""

    what: str
    remedy: str


_NAME = r"[\"'`]?(?P<name>[A-Za-z][A-Za-z0-9_]*_[A-Za-z0-9_]+|[A-Z][A-Z0-9]{2,})[\"'`]?"
_MISSING = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"KeyError: '(?P<name>[A-Z][A-Z0-9_]+)'",
        rf"{_NAME} not found\. Declare it as envvar",
        rf"[Ee]nvironment variable not found: {_NAME}",
        rf"[Ee]nv(?:ironment)?(?: variable| var)?:? {_NAME}[^\n]{{0,20}} "
        r"(?:not set|not defined|undefined|missing|required|empty)",
        rf"[Mm]issing (?:required )?(?:the )?[Ee]nv(?:ironment)?(?: variables?| vars?)?:? {_NAME}",
        rf"[Rr]equired (?:key|env(?:ironment)? variable):? {_NAME}",
        rf"[Ss]et the {_NAME} environment variable",
        rf"{_NAME} (?:environment variable |env var |variable )?(?:is|must be|was|has to be) "
        r"(?:required|set|not set|missing|undefined|defined|not defined|provided|not provided|unset|empty)",
        rf"{_NAME} (?:environment variable|env var)\b",
        rf"[Mm]issing (?:required )?{_NAME}\b",
        # pydantic: a field's name on its line, what is wrong with it on the next
        r"^(?P<name>[A-Za-z][A-Za-z0-9_]*)\n\s+[Ff]ield required",
        # zod: the place of what is missing, then the message
        r"\"?path\"?: \[\s*[\"'](?P<name>[A-Z][A-Z0-9_]+)[\"']\s*\],?\s*\"?message\"?: [\"'](?:Required|Invalid input)",
        r"^\s*(?P<name>[A-Z][A-Z0-9_]+): (?:\[ ?[\"'])?"
        r"(?:Required|undefined\b|\(required\)|Invalid input: expected \w+, received undefined)",
    )
)
"""How frameworks and people say that a variable is missing: Python's mapping, decouple, Prisma, environs,
envconfig, django-environ, joi, envalid, pydantic, zod.
"""

_ENVALID = re.compile(r"Missing environment variables:\n(?P<lines>(?:\s+[A-Z][A-Z0-9_]*:.*\n?)+)")
_NOT_ONES = frozenset({"PATH", "HOME", "ERROR", "HTTP", "URL", "JSON", "API", "THE", "THIS"})


def missing_variables(said: str, given: Collection[str] = ()) -> tuple[str, ...]:
    """Return the variables that an application complained of, in order, without those that it was given."""
    found: dict[int, str] = {}
    for match in _ENVALID.finditer(said):
        for line in re.finditer(r"([A-Z][A-Z0-9_]*):", match["lines"]):
            found[match.start("lines") + line.start()] = line[1]
    for pattern in _MISSING:
        for match in pattern.finditer(said):
            found.setdefault(match.start("name"), match["name"].upper())
    names = dict.fromkeys(found[at] for at in sorted(found))
    return tuple(name for name in names if name not in given and name not in _NOT_ONES)


_LIBRARIES = {
    "libpq.so": "libpq5",
    "libmariadb.so": "libmariadb3",
    "libmysqlclient.so": "libmariadb3",
    "libvips": "libvips42",
    "libGL.so": "libgl1",
    "libgthread-2.0.so": "libglib2.0-0",
    "libglib-2.0.so": "libglib2.0-0",
    "libgobject-2.0": "libglib2.0-0",
    "libgomp.so": "libgomp1",
    "libcairo.so": "libcairo2",
    "libpango": "libpangocairo-1.0-0",
    "libgdk_pixbuf": "libgdk-pixbuf-2.0-0",
    "libxml2.so": "libxml2",
    "libxslt.so": "libxslt1.1",
    "libjpeg.so": "libjpeg62-turbo",
    "libwebp": "libwebp7",
    "libtiff.so": "libtiff6",
    "libopenjp2.so": "libopenjp2-7",
    "libmagic.so": "libmagic1",
    "libMagickWand": "libmagickwand-6.q16-6",
    "libzbar.so": "libzbar0",
    "libsndfile.so": "libsndfile1",
    "libodbc.so": "libodbc2",
    "libgdal.so": "libgdal-dev",
    "libgeos_c.so": "libgeos-c1v5",
    "libproj.so": "libproj-dev",
    "libsqlite3.so": "libsqlite3-0",
    "libcurl.so": "libcurl4",
    "libsodium.so": "libsodium23",
    "libldap": "libldap-2.5-0",
    "libsasl2.so": "libsasl2-2",
    "libffi.so": "libffi8",
    "libxmlsec1": "libxmlsec1-openssl",
    "libzmq.so": "libzmq5",
    "libgssapi_krb5.so": "libgssapi-krb5-2",
    "libnss3.so": "libnss3",
}
_PROGRAMS = {
    "ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "wkhtmltopdf": "wkhtmltopdf", "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils", "convert": "imagemagick", "magick": "imagemagick", "identify": "imagemagick",
    "git": "git", "gs": "ghostscript", "tesseract": "tesseract-ocr", "chromium": "chromium", "dot": "graphviz",
    "soffice": "libreoffice", "exiftool": "libimage-exiftool-perl", "unzip": "unzip", "pg_dump": "postgresql-client",
}  # fmt: skip

_LIBRARY = re.compile(
    r"(?P<library>lib[\w.+-]+?\.so)[\d.]*: cannot open shared object"
    r"|(?:cannot load library|find library:?) '?(?P<other>lib[\w.+-]+)"
)
_PROGRAM = re.compile(
    r"No such file or directory: '(?P<python>[\w-]+)'|spawn (?P<node>[\w-]+) ENOENT"
    r"|sh: (?:\d+: )?(?P<shell>[\w.-]+): not found|exec: \"(?P<go>[\w-]+)\": executable file not found"
)
_TABLE: tuple[tuple[str, str, str], ...] = (
    (r"(?i)read-only file system|unable to open database file|readonly database|permission denied: '/app"
     r"|(EROFS|EACCES)[^\n]*'/app|open /app[^\n]*permission denied",
     "it tried to write where it may not",
     "Its own folder is read-only and changes with every release. Let it write below its home, /var/lib/app, for "
     "example by a variable: --env NAME=/var/lib/app/…"),
    (r"insecure transport|no pg_hba.conf entry|no encryption|Access denied for user 'app'@",
     "its driver did not use TLS, without which the database lets nobody in, here as in the cloud",
     "Let it use TLS{tls}, or take DATABASE_URL, which says so."),
    (r"EADDRINUSE|(?i:address already in use)",
     "its port is taken: it listens there twice",
     "Let one process listen, on the port in $PORT; name another with --port."),
    (r"(EACCES|[Pp]ermission denied)[^\n]*(:80\b|:443\b| 80\b| 443\b)|bind: permission denied|listen EACCES",
     "it may not listen on a port below 1024", "Let it listen on the port in $PORT, or name its port with --port."),
    (r"JavaScript heap out of memory|MemoryError|fatal error: runtime: out of memory|[Oo]ut of memory|\bKilled\b",
     "it ran out of memory", "Let it use less, or give it a larger machine: --instance-type t3.medium"),
    (r"ModuleNotFoundError: No module named '(?P<it>[^']+)'",
     "the Python module {it} is not installed",
     "Add the package that brings {it} to the repository's dependencies (not to those of development alone)."),
    (r"Cannot find (?:module|package) '(?P<it>[^']+)'",
     "the module {it} is missing",
     "If it is a package, move it from devDependencies to dependencies; if it is a file of the build, give the command "
     "that makes it with --build-command."),
    (r"requires Python [^\n]*|f-string: expecting|no attribute 'removeprefix'|unsupported operand type\(s\) for \|",
     "it needs another version of Python", "Name it: --runtime-version 3.13 (or pin it in .python-version)."),
    (r"EBADENGINE|ERR_REQUIRE_ESM|Unsupported engine|NODE_MODULE_VERSION|The engine \"node\" is incompatible"
     r"|ERR_UNKNOWN_BUILTIN_MODULE|(?:fetch|structuredClone|crypto|File) is not defined"
     r"|requires Node\.js [^\n]*|requires? (?:a )?[Nn]ode(?:\.js)? version",
     "it needs another version of Node.js", "Name it: --runtime-version 22.x (or pin it in engines.node)."),
    (r"Error loading ASGI app|Failed to find attribute '(?P<it>[^']+)'|Could not import module|No application module"
     r"|has no attribute '(?P<other>app|application)'|Failed to parse '[^']+' as an attribute",
     "the application object is not where its server looks", "Name it: --app package.module:attribute"),
    (r"DJANGO_SETTINGS_MODULE|ImproperlyConfigured: The SECRET_KEY",
     "Django's settings are not found or not complete", "Give it with --env DJANGO_SETTINGS_MODULE=package.settings"),
    (r"GLIBC_\d|version `GLIBC", "it was compiled for another system",
     "Let the repository's build make it, or commit no binary."),
    (r"Exec format error|cannot execute binary file", "a program in it is for another kind of processor",
     "Take binaries for x86-64 Linux."),
    (r"(?:No such file or directory|can't open file|Cannot find module|cannot open) ?:?[^\n]*(?P<it>/app/src/[\w./-]+)",
     "the file {it} is not there", "Commit it, let the build make it (--build-command), or correct --start-command."),
    (r"SyntaxError|IndentationError", "its code cannot be read by the runtime",
     "Correct the line it names; if it is right, the runtime is too old: --runtime-version"),
    (r"(?i)missing script:? \"?start|no start script", "package.json has no script named start",
     "Add one, or give the command: --start-command 'node server.js'"),
    (r"relation \"[^\"]+\" does not exist|no such table|Table '[^']+' doesn't exist|UndefinedTable",
     "its tables are not there", "Say how they are made: --migration-command 'python manage.py migrate'"),
    (r"ENOTFOUND|EAI_AGAIN|[Nn]ame or service not known|Temporary failure in name resolution|no such host"
     r"|Network is unreachable",
     "it asks another machine before it answers, and a trial has no network",
     "Let it start without, and connect when it is first needed."),
    (r"ECONNREFUSED[^\n]*:6379|:6379[^\n]*(?i:refused)|redis[^\n]*(?i:refused|connection error)",
     "it wants a Redis, and there is none",
     "Give it the address of one that it reaches in the cloud, and let it start without: --env REDIS_URL=…"),
    (r"ECONNREFUSED|[Cc]onnection refused", "it could not reach a service that it asked",
     "Give it the service's address with --env; what it asks on its own machine is not there."),
)  # fmt: skip


def likely_cause(said: str, killed: bool = False, tls: str = "") -> Cause | None:
    """Return why an application did not boot, None where its words say nothing; `killed`: by the kernel."""
    if library := _LIBRARY.search(said):
        return _library(library["library"] or library["other"])
    for pattern, what, remedy in _TABLE:
        if match := re.search(pattern, said):
            groups = match.groupdict()
            told = {"tls": tls, "it": groups.get("it") or groups.get("other") or ""}
            return Cause(what.format(**told), remedy.format(**told))
    if program := _PROGRAM.search(said):
        return _program(next(name for name in program.groups() if name))
    return Cause(*_TABLE[4][1:]) if killed else None


def _library(name: str) -> Cause:
    package = next(
        (package for prefix, package in _LIBRARIES.items() if name.startswith(prefix.removesuffix(".so"))), ""
    )
    if name.startswith("libssl.so") or name.startswith("libcrypto.so"):
        return Cause(
            f"the old library {name} is not there", "Take newer versions of the packages that were built with it."
        )
    return Cause(
        f"the system library {name} is missing",
        f"Have it installed: --run-packages {package}" if package
        else "Have the Debian package installed that brings it: --run-packages NAME",
    )  # fmt: skip


def _program(name: str) -> Cause:
    package = _PROGRAMS.get(name)
    return Cause(
        f"the program {name} is not there",
        f"Have it installed: --run-packages {package}" if package
        else "If it is a package of its own, move it to the production dependencies; else correct --start-command.",
    )  # fmt: skip


def joined(lines: Iterable[str]) -> str:
    """Return the lines as one text, without the colours that programs give them."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
