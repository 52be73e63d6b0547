"""Settings: everything that differs between installations comes from the environment or `.env`.

Each variable is described in `.env.example`. A missing or weak secret stops a start without DEBUG.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / "data"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

MIN_SECRET_LENGTH = 32
# Fewer different characters come from a keyboard, not from a generator: 32 random ones of hexadecimal have
# 14 on average, and fewer than 8 once in a million.
MIN_SECRET_VARIETY = 8


def listed(name: str, default: list[str]) -> list[str]:
    """A list setting: JSON (`["a", "b"]`) or comma-separated (`a,b`)."""
    raw = env.str(name, default="").strip()
    if not raw:
        return default
    if raw.startswith("["):
        return [str(item) for item in json.loads(raw)]
    return [item.strip() for item in raw.split(",") if item.strip()]


def secret(name: str, debug_default: str) -> str:
    """A secret of at least 32 characters.

    Raises ImproperlyConfigured with the sentence that says what to set; only DEBUG may go without.
    """
    value = str(env.str(name, default=""))
    if DEBUG and not value:
        return debug_default
    return strong(name, value)


def secrets(name: str) -> list[str]:
    """Earlier values of a secret, as good as that one has to be: what they signed is still believed.

    Raises ImproperlyConfigured.
    """
    return [strong(name, value) for value in listed(name, [])]


def strong(name: str, value: str) -> str:
    """The secret itself. Raises ImproperlyConfigured when somebody could guess it."""
    if len(value) >= MIN_SECRET_LENGTH and len({*value}) >= MIN_SECRET_VARIETY:
        return value
    raise ImproperlyConfigured(
        f"{name} must be set to at least {MIN_SECRET_LENGTH} random characters, for example with: "
        "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )


def bucket(name: str) -> dict[str, Any]:
    """The storage in a bucket of Amazon S3, or of whatever speaks its protocol (AWS_S3_ENDPOINT_URL)."""
    from botocore.config import Config  # noqa: PLC0415 - 30 MB that most installations never need

    endpoint = env.str("AWS_S3_ENDPOINT_URL", default="") or None
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": endpoint,
            "region_name": env.str("AWS_S3_REGION_NAME", default="") or None,
            # Without them: the environment's own, a role of the machine, ~/.aws.
            "access_key": env.str("AWS_ACCESS_KEY_ID", default="") or None,
            "secret_key": env.str("AWS_SECRET_ACCESS_KEY", default="") or None,
            "location": env.str("AWS_LOCATION", default=""),
            "default_acl": None,
            # Beyond it what is read goes to a temporary file.
            "max_memory_size": 4 * 1024 * 1024,
            "client_config": Config(
                # A request waits for it, and a cancelled export should notice soon.
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 2},
                s3={"addressing_style": "path" if endpoint else "auto"},
                # Other makers' servers do not know Amazon's newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY", "insecure-secret-key-for-debugging-only-0123456789")
SECRET_KEY_FALLBACKS = secrets("SECRET_KEY_FALLBACKS")
JWT_SECRET = secret("JWT_SECRET", "insecure-token-secret-for-debugging-only-0123456789")
JWT_SECRET_FALLBACKS = secrets("JWT_SECRET_FALLBACKS")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CORS_ORIGINS = listed("CORS_ORIGINS", [])
# How many reverse proxies of ours stand in front: their X-Forwarded-For entries are trusted.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
# A request that has waited longer for a free thread is refused instead of answered too late; 0 for never.
REQUEST_QUEUE_SECONDS = env.int("REQUEST_QUEUE_SECONDS", default=10)

INSTALLED_APPS = [
    # Before the theme and Django's admin: some of its templates stand in place of theirs.
    "crm.backoffice",
    "crm.backoffice.imports",
    "unfold.apps.BasicAppConfig",
    "crm.backoffice.apps.OfficeAdminConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # Before django_rq: its command `rqworker` is the one that counts.
    "crm.jobs",
    "django_rq",
    "auditlog",
    "crm",
    "crm.territory",
    "crm.users",
    "objects",
    "clients",
    "visits",
    "audit",
    "sync",
    "reports",
]

MIDDLEWARE = [
    "crm.api.middleware.RequestContextMiddleware",
    # Outside of all that may answer by itself: no answer goes without these headers.
    "crm.api.headers.SafeHeadersMiddleware",
    "crm.api.middleware.CorsMiddleware",
    "crm.api.overload.WaitedTooLong",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm.api.middleware.SlashlessMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "crm.api.middleware.BodyLimitMiddleware",
    "crm.api.middleware.EnvelopeMiddleware",
    # These step aside for every address outside of /admin/.
    "crm.backoffice.middleware.OfficePages",
    "crm.backoffice.middleware.OfficeSessions",
    "crm.backoffice.middleware.OfficeCsrf",
    "crm.backoffice.middleware.OfficePeople",
    "crm.backoffice.middleware.OfficeMessages",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
ASGI_APPLICATION = "crm.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database -------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'crm.sqlite3'}")
}
if DATABASES["default"].get("NAME") == str(DATA_DIR / "crm.sqlite3"):
    DATA_DIR.mkdir(exist_ok=True)
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Immediate transactions: two writers queue up for `timeout` seconds instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;",
    }
    if env.str("SQLITE_TEST_NAME", default=""):
        DATABASES["default"]["TEST"] = {"NAME": env.str("SQLITE_TEST_NAME")}
else:
    # A database that goes without a word (its machine, the network) is missed within half a minute; by itself
    # TCP waits for a quarter of an hour. What DATABASE_URL says of it counts more.
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5, "tcp_user_timeout": 20_000,
        "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
        **DATABASES["default"].get("OPTIONS", {}),
    }  # fmt: skip
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: queue, shared rate limits, cache ------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "crm",
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1},
        }
    }
    RQ_QUEUES: dict[str, dict[str, Any]] = {
        name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 3600} for name in ("default", "reports")
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    RQ_QUEUES = {}
RQ = {"WORKER_CLASS": "crm.jobs.worker.Worker"}
# Background jobs. A worker that has not been heard of for a lease is taken for dead; a failed attempt is
# followed by others after these pauses; workers look around every tick; no attempt may exceed the timeout.
JOBS: dict[str, Any] = {
    "LEASE_SECONDS": 60,
    "RETRY_SECONDS": [60, 120, 240],
    "TICK_SECONDS": 15,
    "TIMEOUT_SECONDS": 3600,
}

# --- people ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
PASSWORD_HASHERS = [
    "crm.users.hashing.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCESS_TOKEN_LIFETIME = timedelta(minutes=env.int("ACCESS_TOKEN_MINUTES", default=30))
REFRESH_TOKEN_LIFETIME = timedelta(days=env.int("REFRESH_TOKEN_DAYS", default=14))
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # The library's own way; ours signs with the same and knows earlier ones too (crm/users/tokens.py).
    "SIGNING_KEY": JWT_SECRET,
    "TOKEN_TYPE_CLAIM": "type",
    "USER_ID_CLAIM": "sub",
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
}

# The trail's entries are our own model; nothing is registered with auditlog, so its signals write nothing.
AUDITLOG_LOGENTRY_MODEL = "audit.AuditEntry"

RATE_LIMIT_ENABLED = env.bool("RATE_LIMIT_ENABLED", default=True)
# Requests a minute, by role; login counts failures a minute.
RATE_LIMITS = {
    "ADMIN": env.int("RATE_LIMIT_ADMIN", default=1000),
    "SUPERVISOR": env.int("RATE_LIMIT_SUPERVISOR", default=500),
    "ENGINEER": env.int("RATE_LIMIT_ENGINEER", default=200),
    "LOGIN_ACCOUNT": env.int("RATE_LIMIT_LOGIN_ACCOUNT", default=5),
    "LOGIN_ADDRESS": env.int("RATE_LIMIT_LOGIN_ADDRESS", default=50),
    "LOGIN_STRANGERS": env.int("RATE_LIMIT_LOGIN_STRANGERS", default=30),
}

# --- language, time, files ------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="ru")
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "crm" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Moscow")

# National numbers without a country code are numbers of this region (ISO 3166-1 alpha-2).
PHONE_REGION = env.str("PHONE_REGION", default="RU")

STATIC_URL = "/static/"
# Only for `collectstatic`, where another server gives out the files; this one finds them in their packages.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = True
# Where files are written and, without a bucket, kept.
REPORTS_PATH = env.str("REPORTS_PATH", default=str(DATA_DIR / "reports"))
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": REPORTS_PATH,
            # Nobody but the API gives these files out.
            "base_url": None,
            "file_permissions_mode": 0o640,
            "directory_permissions_mode": 0o750,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if env.str("AWS_STORAGE_BUCKET_NAME", default=""):
    STORAGES["default"] = bucket(env.str("AWS_STORAGE_BUCKET_NAME"))

# --- back office ----------------------------------------------------------------------------------

# How long a desk may stand idle before its person has to log in again.
OFFICE_IDLE_MINUTES = env.int("OFFICE_IDLE_MINUTES", default=120)
# The API never sees these cookies: they belong to /admin/ alone.
SESSION_COOKIE_NAME = "crm_office"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = "/admin/"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "crm_csrf"
# By it the door knows a browser again that somebody has logged in with.
DEVICE_COOKIE_NAME = "crm_device"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "crm.backoffice.errors.stale_form"
LANGUAGE_COOKIE_NAME = "crm_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "CRM",
    "SITE_HEADER": "CRM",
    "SITE_SYMBOL": "location_city",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": False,
    "BORDER_RADIUS": "8px",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("backoffice/icon.svg"),
        }
    ],
    "STYLES": [lambda _request: static("backoffice/office.css")],
    "SIDEBAR": {"show_search": False, "navigation": "crm.backoffice.navigation.sidebar"},
    "COLORS": {
        # Slate and blue: readable on both grounds (WCAG 2.2, 1.4.3).
        "primary": {
            "50": "#eff6ff",
            "100": "#dbeafe",
            "200": "#bfdbfe",
            "300": "#93c5fd",
            "400": "#60a5fa",
            "500": "#3b82f6",
            "600": "#2563eb",
            "700": "#1d4ed8",
            "800": "#1e40af",
            "900": "#1e3a8a",
            "950": "#172554",
        }
    },
}

# The map of the back office. Without an address no request leaves this server.
MAP_TILES_URL = env.str("MAP_TILES_URL", default="")
MAP_TILES_ATTRIBUTION = env.str("MAP_TILES_ATTRIBUTION", default="")

# --- API ------------------------------------------------------------------------------------------

# 8 MiB for a batch of edits; everything else is far smaller.
MAX_BODY_BYTES = 8 * 1024 * 1024
# Addresses that take a file: more, of whoever has the back office's cookie.
LARGE_BODIES = {"/admin/imports/": 65 * 1024 * 1024}
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm.users.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["crm.api.throttling.RoleThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["crm.api.rendering.Utf8JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "crm.api.rendering.JsonWhateverIsAsked",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_PARSER_CLASSES": ["crm.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "crm.api.schema.EnvelopeSchema",
    "EXCEPTION_HANDLER": "crm.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "CRM Backend",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "For companies whose people visit buildings. All times are UTC (ISO 8601 with `Z`), all ids UUIDs. "
        "Both `/objects` and `/objects/` work, for every path and method.\n\n"
        "Log in with `POST /api/v1/auth/token` and send `Authorization: Bearer <access_token>`. "
        "Sentences follow `Accept-Language` (ru, en). Every answer carries `X-Request-ID`, and every "
        "refusal the same envelope: branch on `error.code`. What lies outside of the caller's sight is "
        "404, absent from lists and counts, and refused as a reference (422)."
    ),
    "TAGS": [
        {"name": "auth", "description": "Logging in and out."},
        {"name": "users", "description": "People, their roles and territories."},
        {"name": "dictionaries", "description": "Cities and districts."},
        {"name": "objects", "description": "Buildings and places."},
        {"name": "units", "description": "Flats and offices."},
        {"name": "customers", "description": "Residents and contact persons."},
        {"name": "visits", "description": "What is planned, what was done, when to call back."},
        {"name": "sync", "description": "What phones pull and push."},
        {"name": "reports", "description": "Lists as files, written in the background."},
        {"name": "analytics", "description": "Figures of the work, as far as the caller sees it."},
        {"name": "audit", "description": "Who did what, when, from where. Nobody can change it."},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "DEFAULT_GENERATOR_CLASS": "crm.api.schema_generation.EnglishSchemaGenerator",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # The order in which people read them: filters, then the page.
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    # Without these an enum's name would depend on which others there are.
    "ENUM_NAME_OVERRIDES": {
        "ErrorCode": "crm.errors.Code",
        "Role": "crm.users.roles.Role",
        "AuditAction": "crm.changes.Action",
        "ObjectType": "objects.models.ObjectType",
        "ObjectStatus": "objects.models.ObjectStatus",
        "Interest": "clients.models.Interest",
        "VisitStatus": "visits.transitions.VisitStatus",
        "VisitOutcome": ["DONE", "CANCELLED"],
        "Period": ["day", "week", "month", "year"],
        "ConflictHint": ["STALE_VERSION", "HARD_CONFLICT"],
        "ConflictStrategy": ["merge", "force", "reject"],
        "TokenType": ["bearer"],
        "SyncTable": ["objects", "units", "customers", "visits"],
        "ChangeAction": ["create", "update", "delete"],
        "ChangeReason": ["deleted", "out_of_scope"],
        "ItemAction": ["upsert", "delete"],
        "JobStatus": "crm.jobs.models.JobStatus",
        "ReportEntity": "reports.models.ReportEntity",
        "ReportFormat": "reports.models.ReportFormat",
        "ItemResult": ["created", "updated", "deleted", "conflict", "error"],
    },
}

# --- deployment -----------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.bool("HTTPS", default=False):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Probes come from inside, past the proxy that speaks HTTPS.
    SECURE_REDIRECT_EXEMPT = [r"^(health|ready|metrics|worker/health|worker/ready)/?$"]
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS: list[str] = [
    # These look for Django's own classes by name. Ours do the same work, which crm.E005 checks.
    "security.W002",
    "security.W003",
    # Browsers' preload list takes whole domains, for good: a decision of whoever owns the domain.
    "security.W021",
]
# Whoever asks for /metrics must show it (`Authorization: Bearer …`). Without one everybody may ask.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

LOG_FORMAT = env.str("LOG_FORMAT", default="text")
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT must be text or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "crm.logs.TextLines"},
        "json": {"()": "crm.logs.JSONLines"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # The envelope says what was refused; a line per 4xx with its full path would only leak query strings.
        "django.request": {"handlers": ["console"], "level": "CRITICAL", "propagate": False},
    },
}
