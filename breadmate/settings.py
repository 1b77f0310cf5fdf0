"""Settings, all read from the environment; `.env.example` lists every variable with its default."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from breadmate.postgres.connection import Connection

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = env.str("BREADMATE_ENV", "development")  # development | test | production
PRODUCTION = ENVIRONMENT == "production"
ROLE = env.str("BREADMATE_ROLE", "web")  # stream: the small process that serves only the live streams

SECRET_KEY = (
    env.str("SECRET_KEY") if PRODUCTION else env.str("SECRET_KEY", "only-for-development-and-tests-" + "x" * 32)
)
DEBUG = False
DEMO = env.bool("DEMO", False)
CATEGORIES = env.list("CATEGORIES", default=["Lanche", "Acompanhamento", "Bebida", "Sobremesa"])

PORT = env.int("PORT", 8000)
PUBLIC_URL = env.str("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
METRICS_PORT = env.int("METRICS_PORT", 0)  # on this machine only, served by the engine; 0: nowhere
STREAM_URL = env.str("STREAM_URL", f"http://127.0.0.1:{PORT + 1}").rstrip("/")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(PUBLIC_URL).hostname or "127.0.0.1", "127.0.0.1", "localhost"]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "breadmate.errors.csrf_failure"
SECURE = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "breadmate",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "simple_history",
    "apps.core",
    "apps.stores",
    "apps.customers",
    "apps.catalog",
    "apps.inventory",
    "apps.promotions",
    "apps.orders",
    "apps.payments",
    "apps.kitchen",
    "apps.kiosk",
    "apps.counter",
]

STREAM_MIDDLEWARE = [
    "apps.core.middleware.RequestIdMiddleware",
    "apps.core.request_log.RequestLogMiddleware",
    "apps.core.middleware.StreamSecurityMiddleware",
    "apps.core.edge.StreamEdgeMiddleware",
]
WEB_MIDDLEWARE = [
    "apps.core.middleware.RequestIdMiddleware",
    "apps.core.request_log.RequestLogMiddleware",
    "apps.catalog.door.MenuMiddleware",
    "breadmate.shedding.SheddingMiddleware",
    "apps.payments.webhook.WebhookMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.AdminContentSecurityMiddleware",
    "apps.core.edge.EdgeMiddleware",
    "apps.core.middleware.ApiPathMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.core.middleware.PageMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
MIDDLEWARE = STREAM_MIDDLEWARE if ROLE == "stream" else WEB_MIDDLEWARE
ROOT_URLCONF = "breadmate.stream_urls" if ROLE == "stream" else "breadmate.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "breadmate.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
        },
    },
]


def database() -> dict[str, Any]:
    """Read ``DATABASE_URL``; processes that serve many requests share a pool, commands and tests do not.

    ``prepare_threshold`` 1 lets Postgres plan a repeated statement once (Django's own default is never). ``lock_timeout``
    bounds every wait for a row, ``statement_timeout`` every runaway query. A server that vanished is noticed by TCP; a pool
    forgets failed attempts after ``reconnect_timeout``, else it would wait for minutes between them; and what a vanished
    process of ours held in the middle of a transaction is free again after ``idle_in_transaction_session_timeout``.
    """
    config: dict[str, Any] = dict(
        dj_database_url.parse(
            env.str("DATABASE_URL", "postgres://breadmate@127.0.0.1/breadmate"), engine="breadmate.postgres"
        )
    )
    options: dict[str, Any] = {**config.get("OPTIONS", {}), "prepare_threshold": 1, "server_side_binding": True}
    given = "-c lock_timeout=3s -c statement_timeout=15s -c timezone=UTC"
    if ENVIRONMENT != "test":  # a test is one transaction, and may think for long
        given += " -c idle_in_transaction_session_timeout=8s"
    pool_size = env.int("DB_POOL", 12)
    if pool_size:
        options["pool"] = {
            "min_size": 1,
            "max_size": pool_size,
            "timeout": 3,
            "reconnect_timeout": 2,
            "connection_class": Connection,
        }
    defaults = {"connect_timeout": 3, "tcp_user_timeout": 5000, "keepalives_idle": 5, "keepalives_interval": 2}
    options = {**defaults, "keepalives_count": 2, "options": given, **options}
    return {**config, "OPTIONS": options, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": database()}
REDIS_URL = env.str("REDIS_URL", "")

AUTH_USER_MODEL = "core.User"
LOGIN_REDIRECT_URL = "admin:index"  # who opened the sign-in page itself
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
]

LANGUAGE_CODE = "pt-br"
TIME_ZONE = "America/Sao_Paulo"
USE_I18N = True
FORMAT_MODULE_PATH = "breadmate.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / ".run" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT == "test"
        else "breadmate.static.StaticStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = ENVIRONMENT == "test"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / ".run" / "media")))
MEDIA_URL = "/media/"
FILE_UPLOAD_HANDLERS = ["apps.core.uploads.BoundedUploadHandler"]
SIMPLE_HISTORY_REVERT_DISABLED = True

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_SSL_REDIRECT = PRODUCTION and SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, STREAM_URL],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.stores.authentication.DeviceAuthentication",
        "apps.stores.authentication.IntegratorAuthentication",
        "apps.customers.authentication.CustomerAuthentication",
        "apps.stores.authentication.BearerAuthentication",
        "apps.stores.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.stores.permissions.Nobody"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": "apps.core.edge.NoMetadata",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SIMPLE_JWT: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "AUDIENCE": "breadmate",
    "ISSUER": PUBLIC_URL,
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
    "CHECK_REVOKE_TOKEN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "BreadMate",
    "DESCRIPTION": (
        "Self-ordering for bakeries and quick-service restaurants.\n\n"
        "What is malformed as HTTP is refused by all operations alike: 405 `method_not_allowed`, 406 `not_acceptable`,"
        " 413 `too_large`, 415 `unsupported_media_type`."
    ),
    "VERSION": "1",
    "TAGS": [
        {"name": "menu", "description": "What a store sells now."},
        {"name": "orders", "description": "From the cart to the guest's hands."},
        {"name": "payments", "description": "Money in and back."},
        {"name": "products", "description": "The chain's products, and what differs at a store."},
        {"name": "options", "description": "What is asked about a product."},
        {"name": "categories", "description": "The shelves of the menu."},
        {"name": "inventory", "description": "A store's stock."},
        {"name": "users", "description": "Customers, and what we hold about them."},
        {"name": "devices", "description": "Kiosks, boards and panels."},
        {"name": "auth", "description": "Signing in without a browser."},
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "breadmate.openapi.tell_refusals",
        "breadmate.openapi.tell_credentials",
        "breadmate.openapi.tell_streams",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ConsentEnum": "apps.customers.answers.PURPOSES",
        "DeviceKindEnum": "apps.stores.answers.DEVICE_KINDS",
        "DocumentKindEnum": "apps.customers.answers.DOCUMENT_KINDS",
        "ItemStateEnum": "apps.orders.answers.ITEM_STATES",
        "MarkKindEnum": "apps.catalog.snapshot.MarkKind",
        "OrderStatusEnum": "apps.orders.answers.STATUSES",
        "OrderStepKindEnum": "apps.orders.answers.STEP_KINDS",
        "PaymentStatusEnum": "apps.payments.rules.State",
        "ProductKindEnum": "apps.catalog.snapshot.ProductKind",
        "RefundCauseEnum": "apps.payments.rules.Cause",
        "RefundStatusEnum": "apps.payments.rules.RefundState",
        "StockReasonEnum": "apps.inventory.models.Reason",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "BreadMate",
    "SITE_HEADER": "BreadMate",
    "SITE_SYMBOL": "bakery_dining",
    "LOGIN": {"form": "breadmate.admin_sign_in.SignInForm"},
    "DASHBOARD_CALLBACK": "breadmate.dashboard.show",
    "SIDEBAR": {"show_search": True, "navigation": "breadmate.dashboard.navigation"},
    "STYLES": [lambda _request: static("css/back_office.css")],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("art/favicon.svg")}],
    "COLORS": {
        "primary": {
            "50": "#FFF8EC",
            "100": "#FBE9D3",
            "200": "#F6D2A8",
            "300": "#EBB275",
            "400": "#D98B45",
            "500": "#C66F2B",
            "600": "#B4581A",
            "700": "#934615",
            "800": "#763913",
            "900": "#5E2F12",
            "950": "#351808",
        },
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

# Life of an unpaid order and of the QR shown for it; the limits that protect the shop (api.md).
ORDER_TTL_SECONDS = env.int("ORDER_TTL_SECONDS", 300)
COUNTER_TTL_SECONDS = env.int("COUNTER_TTL_SECONDS", 1800)
STATION_PARALLEL = max(env.int("STATION_PARALLEL", 3), 1)  # things one station makes at a time, for the promised time

# Customers' CPFs: `id:key` pairs, the current one first, and the key of the blind index; docs/customers.md.
CUSTOMER_KEYS = env.str("CUSTOMER_KEYS", "")
CUSTOMER_INDEX_KEY = env.str("CUSTOMER_INDEX_KEY", "")
NUM_PROXIES = env.int("NUM_PROXIES", 0)
LIMIT_WAITING_SECONDS = env.float("LIMIT_WAITING_SECONDS", 0.6)  # for a thread; other things wait less than an order
LIMIT_CHECKOUT_PER_MINUTE = env.int("LIMIT_CHECKOUT_PER_MINUTE", 60)
LIMIT_OPEN_UNPAID = env.int("LIMIT_OPEN_UNPAID", 10)
LIMIT_CUSTOMER_OPEN_UNPAID = env.int("LIMIT_CUSTOMER_OPEN_UNPAID", 3)
LIMIT_MENU_PER_MINUTE = env.int("LIMIT_MENU_PER_MINUTE", 600)  # a fifth of it for an address without a device
LIMIT_SIGN_IN_PER_QUARTER_HOUR = env.int("LIMIT_SIGN_IN_PER_QUARTER_HOUR", 5)
LIMIT_PAIR_PER_QUARTER_HOUR = env.int("LIMIT_PAIR_PER_QUARTER_HOUR", 5)
LIMIT_LOOKUP_PER_MINUTE = env.int("LIMIT_LOOKUP_PER_MINUTE", 10)
LIMIT_LOOKUP_PER_HOUR = env.int("LIMIT_LOOKUP_PER_HOUR", 60)
LIMIT_LOOKUP_PER_STORE_HOUR = env.int("LIMIT_LOOKUP_PER_STORE_HOUR", 300)
LIMIT_STAFF_LOOKUP_PER_HOUR = env.int("LIMIT_STAFF_LOOKUP_PER_HOUR", 60)
LIMIT_REGISTER_PER_HOUR = env.int("LIMIT_REGISTER_PER_HOUR", 20)

MP_BASE_URL = env.str("MP_BASE_URL", "https://api.mercadopago.com").rstrip("/")
MP_ACCESS_TOKEN = env.str("MP_ACCESS_TOKEN", "")
MP_WEBHOOK_SECRETS = env.list("MP_WEBHOOK_SECRETS", default=[])
MP_WEBHOOK_SIGNATURE = env.str("MP_WEBHOOK_SIGNATURE", "observe")  # observe | enforce
if MP_WEBHOOK_SIGNATURE not in ("observe", "enforce"):
    raise ImproperlyConfigured("MP_WEBHOOK_SIGNATURE is observe or enforce")
MP_QR_TTL_SECONDS = env.int("MP_QR_TTL_SECONDS", 300)
TRAINING_PAYS_AFTER_SECONDS = env.int("TRAINING_PAYS_AFTER_SECONDS", 8)  # a code in a store for training, by itself
MP_RATE = env.float("MP_RATE", 10.0)  # calls a second, each account
MP_WEB_CALLS = env.int("MP_WEB_CALLS", 2)  # at once in one web process: a quarter of its 8 threads
PAYMENT_KEYS = env.str("PAYMENT_KEYS", "")  # of stores' own access tokens: `id:key` pairs, the current one first
MP_PARTIAL_REFUND = env.str("MP_PARTIAL_REFUND", "auto")  # auto: the provider decides | off: none is asked for
if MP_PARTIAL_REFUND not in ("auto", "off"):
    raise ImproperlyConfigured("MP_PARTIAL_REFUND is auto or off")
MP_LATE_PAYMENT = env.str("MP_LATE_PAYMENT", "revive")  # revive | refund
REFUND_LIMIT_CASHIER = env.int("REFUND_LIMIT_CASHIER", 50)  # BRL a charge; managers and owners have no limit
MP_CONNECT_TIMEOUT_SECONDS = env.float("MP_CONNECT_TIMEOUT", 2.0)
MP_READ_TIMEOUT_SECONDS = env.float("MP_READ_TIMEOUT", 4.0)

BACKUP_DIR = env.str("BACKUP_DIR", "")  # for the doctor; who keeps it is not Django

LOG_FORMAT = env.str("LOG_FORMAT", "json" if PRODUCTION else "line")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "apps.core.request_ids.LogFilter"},
        "cpf": {"()": "apps.customers.logs.ScrubCpf"},
    },
    "formatters": {
        "json": {"()": "apps.core.log_format.JsonFormatter"},
        "line": {"()": "apps.core.log_format.LineFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["request_id", "cpf"]}
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"propagate": False},
        # They quote the raw path; breadmate.requests and breadmate.errors tell the same without it.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
    },
}
