"""Names the Debian packages that Python packages need to be built and to run; wheels that bring all need none."""

from __future__ import annotations

from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.requirements import Dependency

_COMPILER = ("gcc", "libc6-dev", "python3-dev")
_Needs = tuple[tuple[str, ...], tuple[str, ...]]
PACKAGES: dict[str, _Needs] = {
    "psycopg2": ((*_COMPILER, "libpq-dev"), ("libpq5",)),
    "psycopg": ((), ("libpq5",)),
    "psycopg-c": ((*_COMPILER, "libpq-dev"), ("libpq5",)),
    "psycopg2cffi": ((*_COMPILER, "libpq-dev"), ("libpq5",)),
    "mysqlclient": ((*_COMPILER, "default-libmysqlclient-dev", "pkg-config"), ("libmariadb3",)),
    "mariadb": ((*_COMPILER, "libmariadb-dev"), ("libmariadb3",)),
    "pyodbc": ((), ("unixodbc",)),
    "pylibmc": ((*_COMPILER, "libmemcached-dev", "zlib1g-dev"), ("libmemcached11",)),
    "python-ldap": ((*_COMPILER, "libldap2-dev", "libsasl2-dev"), ("ldap-utils",)),
    "django-auth-ldap": ((*_COMPILER, "libldap2-dev", "libsasl2-dev"), ("ldap-utils",)),
    "xmlsec": ((*_COMPILER, "libxmlsec1-dev", "pkg-config"), ("libxmlsec1-openssl",)),
    "python3-saml": ((*_COMPILER, "libxmlsec1-dev", "pkg-config"), ("libxmlsec1-openssl",)),
    "pysaml2": ((), ("xmlsec1",)),
    "weasyprint": ((), ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")),
    "django-weasyprint": ((), ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")),
    "cairosvg": ((), ("libcairo2",)),
    "cairocffi": ((), ("libcairo2",)),
    "pycairo": ((*_COMPILER, "libcairo2-dev", "pkg-config"), ("libcairo2",)),
    "pydub": ((), ("ffmpeg",)),
    "moviepy": ((), ("ffmpeg",)),
    "ffmpeg-python": ((), ("ffmpeg",)),
    "openai-whisper": ((), ("ffmpeg",)),
    "pyvips": ((), ("libvips42",)),
    "opencv-python": ((), ("libgl1", "libglib2.0-0")),
    "opencv-contrib-python": ((), ("libgl1", "libglib2.0-0")),
    "python-magic": ((), ("libmagic1",)),
    "pytesseract": ((), ("tesseract-ocr",)),
    "pdf2image": ((), ("poppler-utils",)),
    "pdftotext": ((*_COMPILER, "g++", "libpoppler-cpp-dev", "pkg-config"), ("poppler-utils",)),
    "pypandoc": ((), ("pandoc",)),
    "pyzbar": ((), ("libzbar0",)),
    "wand": ((), ("imagemagick",)),
    "graphviz": ((), ("graphviz",)),
    "pydot": ((), ("graphviz",)),
    "pygraphviz": ((*_COMPILER, "graphviz-dev", "pkg-config"), ("graphviz",)),
    "pyaudio": ((*_COMPILER, "portaudio19-dev"), ("libportaudio2",)),
    "soundfile": ((), ("libsndfile1",)),
    "gdal": ((*_COMPILER, "g++", "libgdal-dev"), ("gdal-bin",)),
    "uwsgi": (_COMPILER, ()),
    "meinheld": (_COMPILER, ()),
    "brotlipy": ((*_COMPILER, "libffi-dev"), ()),
    "netifaces": (_COMPILER, ()),
    "gitpython": ((), ("git",)),
}
"""By package: what it needs where no wheel exists for it, and what it loads or calls when it runs."""

_GEODJANGO = ("binutils", "gdal-bin", "libproj-dev")
"""https://docs.djangoproject.com/en/5.2/ref/contrib/gis/install/geolibs/"""

_BINARY = {"psycopg": "binary", "pyvips": "binary"}


def system_packages(manifest: Manifest, is_geographic: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the Debian packages that the dependencies need to build, and to run, each sorted."""
    build: set[str] = set()
    run: set[str] = set(_GEODJANGO) if is_geographic else set()
    for item in manifest.dependencies:
        needed = _needs(item)
        build.update(needed[0])
        run.update(needed[1])
        if "git+" in item.requirement:
            build |= {"git", "ca-certificates"}
    return tuple(sorted(build)), tuple(sorted(run))


def _needs(item: Dependency) -> _Needs:
    if _BINARY.get(item.name) in item.extras and item.name in _BINARY:
        return (), ()
    if item.name == "psycopg" and "c" in item.extras:
        return PACKAGES["psycopg-c"]
    return PACKAGES.get(item.name, ((), ()))
