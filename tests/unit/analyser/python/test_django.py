"""Django projects: settings, WSGI module, static files, hosts, routes."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings.dev')\n"
WSGI = (
    "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings.prod')\napplication = get_wsgi_application()\n"
)
PROD = "from .base import *\nALLOWED_HOSTS = ['shop.example.org']\n"
BASE = "import os\nROOT_URLCONF = 'site1.urls'\nSTATIC_ROOT: str = 'static'\nHOST = os.environ['DB_HOST']\n"
URLS = (
    "from django.urls import include, path, re_path\nfrom django.contrib import admin\nfrom shop import views\n"
    "urlpatterns = [path('admin/', admin.site.urls), path('api/', include('shop.urls')), re_path(r'^(?P<x>.)$', views.x)]\n"
)
SHOP = "from django.urls import path\nurlpatterns = [path('health/', 1), path('me/', login_required(2)), path('<int:n>/', 3)]\n"
PROJECT = {
    "requirements.txt": "django\npsycopg2-binary",
    "manage.py": MANAGE,
    "site1/__init__.py": "",
    "site1/wsgi.py": WSGI,
    "site1/asgi.py": "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n",
    "site1/settings/__init__.py": "",
    "site1/settings/base.py": BASE,
    "site1/settings/prod.py": PROD,
    "site1/settings/dev.py": "DEBUG = True\n",
    "site1/urls.py": URLS,
    "shop/__init__.py": "",
    "shop/urls.py": SHOP,
}


def stack_of(**changes: str | None) -> TechStack:
    return analyse(memory({path: text for path, text in {**PROJECT, **changes}.items() if text is not None}))


def test_a_project_with_split_settings() -> None:
    stack = stack_of()
    assert stack.framework == "django"
    assert stack.start_command == "/app/venv/bin/gunicorn --bind 127.0.0.1:$PORT site1.wsgi:application"
    assert stack.migration_command == "/app/venv/bin/python manage.py migrate --noinput"
    assert stack.build_command == (
        "/app/venv/bin/python -m pip install -r requirements.txt"
        " && DB_HOST=1 /app/venv/bin/python manage.py collectstatic --noinput"
    )
    assert stack.health_check_path == "/api/health/"
    assert any("shop.example.org" in unknown for unknown in stack.warnings)


def test_production_settings_that_import_the_common_ones_by_their_whole_name_are_loaded() -> None:
    loaded = {"site1/wsgi.py": WSGI.replace("settings.prod", "settings.dev")}
    stack = stack_of(**loaded, **{"site1/settings/prod.py": "from site1.settings.base import *\n"})
    assert "DJANGO_SETTINGS_MODULE=site1.settings.prod" in stack.start_command


def test_the_engine_of_the_settings_tells_the_database_whose_driver_nobody_declared() -> None:
    postgres = PROD + "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql_psycopg2'}}\n"
    both = postgres + "if DEBUG:\n    DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}\n"
    bare = {"requirements.txt": "django"}
    assert stack_of(**bare, **{"site1/settings/prod.py": postgres}).database_type == "postgresql"
    assert stack_of(**bare, **{"site1/settings/prod.py": both}).database_type is None


@pytest.mark.parametrize(
    ("further", "database"),
    [
        ("if 'DATABASE_URL' in os.environ:\n    DATABASES['default'] = dj_database_url.config()\n", "postgresql"),
        ("DATABASES['default'].update(dj_database_url.config(conn_max_age=500))\n", "postgresql"),
        ("CACHES['default'] = dj_database_url.config()\nDATABASES['default'].clear()\n", None),
    ],
)
def test_an_address_that_is_put_into_the_databases_later_tells_that_there_may_be_one(
    further: str, database: str | None
) -> None:
    sqlite = PROD + "import dj_database_url\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}\n"
    assert stack_of(**{"site1/settings/prod.py": sqlite + further}).database_type == database


def test_a_project_in_a_folder_below_its_manifest() -> None:
    moved = {f"backend/{path}" if path != "requirements.txt" else path: text for path, text in PROJECT.items()}
    stack = analyse(memory(moved))
    assert stack.start_command.endswith("gunicorn --bind 127.0.0.1:$PORT --chdir backend site1.wsgi:application")
    assert stack.migration_command == "/app/venv/bin/python backend/manage.py migrate --noinput"
    assert stack.health_check_path == "/api/health/"


def test_the_login_page_of_the_admin_where_nothing_else_is_open() -> None:
    assert stack_of(**{"shop/urls.py": ""}).health_check_path == "/admin/login/"


def test_an_asgi_project_is_served_by_uvicorn() -> None:
    stack = stack_of(**{"site1/wsgi.py": None})
    assert stack.start_command == (
        "env DJANGO_SETTINGS_MODULE=site1.settings.prod "
        "/app/venv/bin/python -m uvicorn site1.asgi:application --host 127.0.0.1 --port $PORT"
    )


MYSQL = """import os
DATABASES = {
    "default": {"ENGINE": os.environ.get("DB_ENGINE", "django.db.backends.mysql"), "HOST": os.environ["DB_HOST"], %s},
    "old": {"ENGINE": "django.db.backends.sqlite3"},
}
STATIC_ROOT = "static"
"""
TLS = '"OPTIONS": {"ssl": {"ca": os.environ["DB_CA"]}}'


def test_a_mysql_without_tls_in_its_settings_is_warned_of() -> None:
    files = {"requirements.txt": "django\nmysqlclient"}
    bare = stack_of(**files, **{"site1/settings/base.py": MYSQL % ""})
    [warning] = [text for text in bare.warnings if "DATABASES" in text]
    assert "without TLS" in warning and "MYSQL_SSL_CA" in warning
    told = stack_of(**files, **{"site1/settings/base.py": MYSQL % TLS})
    assert not [text for text in told.warnings if "DATABASES" in text]
    given = "DB_CA=/etc/ssl/certs/ca-certificates.crt DB_ENGINE=django.db.backends.mysql DB_HOST=1 "
    assert f"{given}/app/venv/bin/python manage.py collectstatic" in told.build_command


def test_every_part_of_the_database_has_a_stand_in_while_files_are_collected() -> None:
    read = "".join(f"import os\nX = os.environ['{name}']\n" for name in ("DB_SSLMODE", "DB_USE_SSL"))
    files = {"requirements.txt": "django\npsycopg2", "site1/settings/base.py": f"STATIC_ROOT = 'x'\n{read}"}
    command = "DB_SSLMODE=require DB_USE_SSL=true /app/venv/bin/python manage.py collectstatic --noinput"
    assert stack_of(**files).build_command.endswith(command)


def test_no_static_root_no_collectstatic() -> None:
    for base in ("STATIC_ROOT = None\n", "STATIC_ROOT = ''\n", ""):
        assert "collectstatic" not in stack_of(**{"site1/settings/base.py": base}).build_command


def test_hosts_from_the_environment_and_for_all() -> None:
    told = stack_of(**{"site1/settings/prod.py": "import os\nALLOWED_HOSTS = os.environ['HOSTS'].split()\n"})
    assert [item.value for item in told.evidence if item.fact == "allowed_hosts_variable"] == ["HOSTS"]
    for hosts in ("['*']", "'*'", "make_hosts()"):
        assert stack_of(**{"site1/settings/prod.py": f"ALLOWED_HOSTS = {hosts}\n"}).warnings == ()


@pytest.mark.parametrize(
    ("settings", "separator"),
    [
        ("ALLOWED_HOSTS = os.environ.get('HOSTS', '').split(',')\n", ","),
        ("ALLOWED_HOSTS = os.environ['HOSTS'].split()\n", " "),
        ("ALLOWED_HOSTS = os.environ['HOSTS'].split(' ')\n", " "),
        ("ALLOWED_HOSTS = [x.strip() for x in os.environ['HOSTS'].split(';')]\n", ";"),
        ("ALLOWED_HOSTS = ['localhost', *os.environ['HOSTS'].split(',')]\n", ","),
        ("ALLOWED_HOSTS = config('HOSTS', cast=Csv())\n", ","),
        ("ALLOWED_HOSTS = env.list('HOSTS')\n", ","),
        ("ALLOWED_HOSTS = ['localhost', os.environ['HOSTS']]\n", ""),
        ("ALLOWED_HOSTS = []\nHOST = os.environ.get('HOSTS')\nif HOST:\n    ALLOWED_HOSTS.append(HOST)\n", ""),
        ("ALLOWED_HOSTS = []\nif 'HOSTS' in os.environ:\n    ALLOWED_HOSTS.append(os.environ['HOSTS'])\n", ""),
        ("ALLOWED_HOSTS = []\nALLOWED_HOSTS.extend(os.environ['HOSTS'].split(','))\n", ","),
    ],
)
def test_how_the_hosts_of_a_variable_are_taken_apart(settings: str, separator: str) -> None:
    told = stack_of(**{"site1/settings/prod.py": f"import os\n{settings}"})
    assert told.facts("allowed_hosts_variable") == ("HOSTS",)
    assert told.facts("allowed_hosts_separator") == (separator,)


def test_settings_that_import_each_other_and_urls_that_include_themselves_end() -> None:
    changes = {"site1/settings/base.py": "from .prod import *\nROOT_URLCONF = 'site1.urls'\n",
               "site1/urls.py": "from django.urls import include, path\nu = [path('', include('site1.urls'))]\n"}  # fmt: skip
    assert stack_of(**changes).health_check_path == "/"


def test_without_settings_the_project_still_starts() -> None:
    stack = stack_of(**{"site1/settings/prod.py": None, "site1/settings/dev.py": None})
    assert "site1.wsgi:application" in stack.start_command


def test_a_function_around_django_s_application_is_the_application() -> None:
    wrapped = WSGI.replace("\napplication", "\n_application") + "def application(environ, start_response): ...\n"
    stack = stack_of(**{"site1/wsgi.py": wrapped})
    assert (stack.framework, stack.facts("app")) == ("django", ("site1.wsgi:application",))
    assert stack.start_command == "/app/venv/bin/gunicorn --bind 127.0.0.1:$PORT site1.wsgi:application"


def test_routes_that_are_named_from_above_the_folder_of_manage_py() -> None:
    files = {f"shopsite/{path}": text for path, text in PROJECT.items() if path != "requirements.txt"}
    files["shopsite/site1/settings/base.py"] = BASE.replace("'site1.urls'", "'shopsite.site1.urls'")
    files["shopsite/site1/urls.py"] = URLS.replace("'shop.urls'", "'shopsite.shop.urls'")
    assert analyse(memory({"requirements.txt": "django", **files})).health_check_path == "/api/health/"


@pytest.mark.parametrize(
    ("view", "is_open"),
    [
        ("class Ping(View):\n    x = 1\n", True),
        ("class Ping(LoginRequiredMixin, View):\n    x = 1\n", False),
        ("class Ping(APIView):\n    permission_classes = [IsAuthenticated]\n", False),
        ("class Ping(IsAuthenticatedView):\n\n    permission_classes = [AllowAny]\n", True),
        ("@login_required\nclass Ping(View):\n    x = 1\nclass Other(View):\n    x = 1\n", False),
        ("class Pings(View):\n    permission_classes = [IsAdminUser]\n", True),
    ],
)
def test_a_health_page_that_lets_nobody_in_is_none(view: str, is_open: bool) -> None:
    urls = "from django.urls import path\nfrom shop.views import Ping\nurlpatterns = [path('ping/', Ping.as_view()), path('', 1)]\n"
    changes = {"site1/urls.py": urls, "shop/views.py": view}
    assert stack_of(**changes).health_check_path == ("/ping/" if is_open else "/")
