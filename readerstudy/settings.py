"""Every setting, read once from the environment. What cannot be read stops the start with a sentence."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext
import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

# Django's forms and views take no type parameters at run time without it.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parents[1]
env = environ.Env()


def stop(sentence: str) -> SystemExit:
    return SystemExit(f"Settings: {sentence}")


def required(name: str, meaning: str) -> str:
    value: str = env.str(name, default="")
    if not value:
        raise stop(f"{name} is not set; it holds {meaning}. `make demo` needs none of it; README.md lists all.")
    return value


def flag(name: str, *, default: bool) -> bool:
    value = env.str(name, default=str(default)).lower()
    if value not in {"true", "false", "1", "0"}:
        raise stop(f"{name} is {value!r}; it must be true or false.")
    return value in {"true", "1"}


def whole_number(name: str, *, default: int, least: int) -> int:
    text = env.str(name, default=str(default))
    if not text.isdecimal() or int(text) < least:
        raise stop(f"{name} is {text!r}; it must be a whole number of at least {least}.")
    return int(text)


def database(url: str, pool_size: int) -> dict[str, Any]:
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise stop("DATABASE_URL must begin with postgres://; triggers and grants of PostgreSQL keep the promises.")
    try:
        parts = env.db_url_config(url)
    except (ImproperlyConfigured, ValueError) as error:
        raise stop(f"DATABASE_URL cannot be read: {error}.") from error
    if not parts["NAME"]:
        raise stop("DATABASE_URL names no database; it looks like postgres://role:password@host:5432/name.")
    options = parts.get("OPTIONS", {}) | {"connect_timeout": 3}
    if pool_size:
        options["pool"] = {"min_size": 0, "max_size": pool_size, "timeout": 5, "max_idle": 60, "reconnect_timeout": 5}
    return {**parts, "ENGINE": "django.db.backends.postgresql", "OPTIONS": options, "CONN_MAX_AGE": 0}


def broker(url: str) -> str:
    if urlsplit(url).scheme not in {"redis", "rediss", "amqp", "amqps"}:
        raise stop("BROKER_URL must begin with redis://, rediss://, amqp:// or amqps://.")
    return url


def storage(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": unquote(parts.path), "base_url": None},
        }
    if parts.scheme == "s3" and parts.hostname:
        options: dict[str, Any] = {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "access_key": env.str("S3_ACCESS_KEY", default="") or None,
            "secret_key": env.str("S3_SECRET_KEY", default="") or None,
            "endpoint_url": env.str("S3_ENDPOINT", default="") or None,
            "region_name": env.str("S3_REGION", default="") or None,
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": True,  # keys are digests of the content, so the same key is the same bytes
        }
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    raise stop("STORAGE_URL must look like file:///folder or s3://bucket/prefix.")


def dicomweb_servers(entries: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        name, _, address = entry.partition("=")
        parts = urlsplit(address)
        if not 0 < len(name) <= 40 or name in found or parts.scheme not in {"http", "https"} or not parts.hostname:
            # The address may hold a password, so it is not repeated.
            raise stop(f"DICOMWEB_SERVERS: {name!r} must look like name=https://user:password@host/path, each once.")
        found[name] = address
    return found


DEBUG = flag("DEBUG", default=False)
SECURE = flag("SECURE", default=True)
SECRET_KEY = required("SECRET_KEY", "the key of sessions, tokens and audit seals, at least 50 random characters")
if len(SECRET_KEY) < 50:
    raise stop("SECRET_KEY is shorter than 50 characters.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if not all(urlsplit(origin).scheme in {"http", "https"} for origin in CSRF_TRUSTED_ORIGINS):
    raise stop("CSRF_TRUSTED_ORIGINS must be a comma-separated list such as https://reading.example.org.")

# Pages of the stages, in the order in which data flow.
STAGES = [
    "readerstudy.audit",
    "readerstudy.accounts",
    "readerstudy.studies",
    "readerstudy.cases",
    "readerstudy.reference",
    "readerstudy.predictions",
    "readerstudy.allocation",
    "readerstudy.reading",
    "readerstudy.datasets",
    "readerstudy.results",
    "readerstudy.dashboard",
]
INSTALLED_APPS = [
    *STAGES,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "readerstudy.assets.StaticFiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "readerstudy.audit.middleware.Sentences",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "readerstudy.accounts.middleware.SecondFactor",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "readerstudy.urls"
WSGI_APPLICATION = "readerstudy.wsgi.application"
ASGI_APPLICATION = "readerstudy.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.static",
                "django.templatetags.i18n",
                "readerstudy.dashboard.templatetags.figures",
                "readerstudy.studies.templatetags.stored_sentences",
            ],
        },
    }
]

# Rows, messages, bytes
DATABASES = {
    "default": database(
        required("DATABASE_URL", "the PostgreSQL database, postgres://role:password@host:5432/name"),
        # Threads of one process share it; 0 opens a connection per request.
        whole_number("DATABASE_POOL", default=12, least=0),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGES = {
    "default": storage(env.str("STORAGE_URL", default=(BASE_DIR / "var" / "storage").as_uri())),
    "staticfiles": {"BACKEND": "readerstudy.assets.Assets"},
}
# Archives are unpacked and frames are written here while an import lasts.
WORK_FOLDER = Path(env.str("WORK_FOLDER", default=str(BASE_DIR / "var" / "work")))
# Folders of the server from which coordinators may import, beside uploads.
IMPORT_FOLDERS = [Path(folder) for folder in env.list("IMPORT_FOLDERS", default=[])]
if not all(folder.is_absolute() for folder in IMPORT_FOLDERS):
    raise stop("IMPORT_FOLDERS must be a comma-separated list of absolute paths.")
# DICOMweb servers from which coordinators may import; no other address is ever asked.
DICOMWEB_SERVERS = dicomweb_servers(env.list("DICOMWEB_SERVERS", default=[]))
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CELERY_BROKER_URL = broker(required("BROKER_URL", "the message broker, redis://… or amqp://…"))
CELERY_TASK_DEFAULT_QUEUE = "readerstudy"
CELERY_TASK_ROUTES = {"inference.*": {"queue": "inference"}}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
# Every worker ticks (`celery worker -B`): rows are leased under lock, so a second tick finds nothing to do.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "predictions": {"task": "predictions.dispatch", "schedule": 5.0, "options": {"expires": 5}},
    "results": {"task": "results.take_up", "schedule": 20.0, "options": {"expires": 20}},
    "imports": {"task": "cases.resume_imports", "schedule": 10.0, "options": {"expires": 10}},
    "truths": {"task": "reference.take_truths", "schedule": 10.0, "options": {"expires": 10}},
}
IMPORT_LEASE = timedelta(seconds=whole_number("IMPORT_LEASE_SECONDS", default=60, least=2))
PREDICTION_LEASE = timedelta(seconds=whole_number("PREDICTION_LEASE_SECONDS", default=60, least=1))
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
    }

# Who may enter
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False  # hospital PCs are shared: closing the browser logs out
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Everybody may have a second factor; with this, everybody but readers must.
STAFF_SECOND_FACTOR = flag("STAFF_SECOND_FACTOR", default=False)
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "readerstudy.accounts.queries.name_tried"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "account/lockout.html"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# What browsers are told
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SECURE
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
if flag("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Language, time, static files
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static")))
# plotly.min.js comes with the Python package; found without importing it, which takes a second.
plotly = importlib.util.find_spec("plotly")
STATICFILES_DIRS = [("plotly", Path(plotly.origin).parent / "package_data")] if plotly and plotly.origin else []
if not flag("STATIC_MANIFEST", default=not DEBUG):
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True

# One line of JSON per event in production, readable lines while developing
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise stop(f"LOG_LEVEL is {LOG_LEVEL!r}; it must be DEBUG, INFO, WARNING or ERROR.")
SHARED_PROCESSORS: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": SHARED_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if DEBUG else [structlog.processors.format_exc_info]),
                structlog.dev.ConsoleRenderer(colors=False) if DEBUG else structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {"django": {"level": LOG_LEVEL}, "django.server": {"handlers": ["stderr"], "propagate": False}},
}
structlog.configure(
    processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
