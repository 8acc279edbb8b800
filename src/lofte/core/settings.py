"""Django's settings, wholly from the environment. Refuses to start on a value it does not understand.

Trust: whoever can set these variables or read `<home>/keys` controls the installation. Everything secret is a file
under `<home>/keys` (mode 0600, made at the first start), never a variable.

LOFTE_HOME            data directory (required)
LOFTE_ORIGIN          where people reach us, default http://localhost:8000; https makes every cookie Secure
LOFTE_DATABASE        empty: SQLite file <home>/register.sqlite3; else postgresql://user:password@host:port/name
LOFTE_KEYS_DATABASE   empty: SQLite file <home>/keys.sqlite3, which is right for PostgreSQL installations too
LOFTE_SMTP            smtp://host:port or smtp+tls://user:password@host:587; empty: mail waits in the queue
LOFTE_MAIL_FROM       sender of every mail, default noreply@<host of the origin>
LOFTE_MAIL_DOMAIN     domain whose mail comes to us: answers, bounces, complaints; empty: none does
LOFTE_INBOUND         smtp://host:port or lmtp://host:port where `lofte serve` takes that mail; empty: `lofte mail receive` does
LOFTE_DKIM            selector._domainkey.domain that letters are signed for with the key of `lofte mail key`; empty: not by us
LOFTE_CANARY_MAILBOX  base address of a Mailpit-compatible mailbox that probes may read; empty: no canary
LOFTE_OUTBOUND        host names, comma between, that may be reached although they are private addresses
LOFTE_SURVIVING_DATABASE  for `lofte restore`: the register that outlived the accident, where it is PostgreSQL
LOFTE_SOURCE          URL of a connected database; each mapping names its own variable, so there may be several
"""

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from lofte.core import environment

_environ = os.environ

# --- where we are ---------------------------------------------------------------------------------------------------
LOFTE_HOME: Path = environment.home(_environ)
LOFTE_ORIGIN: str = environment.origin(_environ)
LOFTE_SITE_ID = environment.site_id(LOFTE_HOME)
_origin = urlsplit(LOFTE_ORIGIN)
_host = _origin.hostname or "localhost"
_is_https = _origin.scheme == "https"

# --- secrets --------------------------------------------------------------------------------------------------------
SECRET_KEY = environment.key_file(LOFTE_HOME, "django.key").hex()
LOFTE_BLIND_KEY = environment.key_file(LOFTE_HOME, "blind.key")
LOFTE_LIMITS_KEY = environment.key_file(LOFTE_HOME, "limits.key")
LOFTE_HOUSE_KEY = environment.key_file(LOFTE_HOME, "house.key")

# --- stores ---------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": environment.database(_environ, "LOFTE_DATABASE", LOFTE_HOME / "register.sqlite3"),
    "keys": environment.database(_environ, "LOFTE_KEYS_DATABASE", LOFTE_HOME / "keys.sqlite3"),
}
DATABASE_ROUTERS = ["lofte.core.keys.router.KeysRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"  # only Django's own tables; ours have UUIDs made in Python

# --- rooms ----------------------------------------------------------------------------------------------------------


def _installed(name: str) -> bool:
    """Whether the room is there: a folder of Python with an apps module."""
    try:
        return find_spec(f"{name}.apps") is not None
    except ModuleNotFoundError:
        return False


_features = Path(__file__).parent.parent / "features"
INSTALLED_APPS = [
    *(["lofte.web"] if _installed("lofte.web") else []),
    "lofte.core.keys",
    "lofte.core",
    "lofte.core.progress",
    "lofte.core.mailing",
    "lofte.core.backup",
    "lofte.core.gates",
    *(
        f"lofte.features.{folder.name}"
        for folder in sorted(_features.iterdir())
        if folder.is_dir() and _installed(f"lofte.features.{folder.name}")
    ),
    *(  # rooms within a room that have tables of their own
        f"lofte.features.{inner.parent.parent.name}.{inner.parent.name}"
        for inner in sorted(_features.glob("*/*/apps.py"))
    ),
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
]

# --- doors ----------------------------------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = (
    [_host, "localhost", "127.0.0.1", "[::1]", ".localhost"] if _host.endswith("localhost") else [_host, "127.0.0.1"]
)
CSRF_TRUSTED_ORIGINS = [LOFTE_ORIGIN]
ROOT_URLCONF = "lofte.web.urls" if _installed("lofte.web") and find_spec("lofte.web.urls") else "lofte.core.urls"
APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes; the largest honest form, a newsletter issue, is far below
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
if _installed("lofte.web") and find_spec("lofte.web.uploads"):
    FILE_UPLOAD_HANDLERS = ["lofte.web.uploads.Guarded"]  # in memory, from staff

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lofte.core.csp.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    *(["lofte.web.middleware.People"] if _installed("lofte.web") and find_spec("lofte.web.middleware") else []),
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lofte.core.csp.nonce",
                *(["lofte.web.console.context.console"] if _installed("lofte.web") else []),
            ],
        },
    },
]
STATIC_URL = "/static/"
STATIC_ROOT = None  # nothing is collected: WhiteNoise reads the files where they are
if _installed("lofte.web"):
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nobody uploads files here
        "staticfiles": {"BACKEND": "lofte.web.assets.Hashed"},
    }
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# --- cookies and headers --------------------------------------------------------------------------------------------
SESSION_COOKIE_NAME = "lofte_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # a person arrives from a link in a mail
SESSION_COOKIE_SECURE = _is_https
SESSION_COOKIE_AGE = 8 * 3600  # seconds; a working day for staff
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "lofte.web.problems.csrf_failure" if _installed("lofte.web") else "django.views.csrf.csrf_failure"
CSRF_COOKIE_NAME = "csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = _is_https
CSRF_COOKIE_AGE = None  # a session cookie
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 63072000 if _is_https else 0  # two years, as the preload list asks
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_https else None
X_FRAME_OPTIONS = "DENY"

# --- staff ----------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "lofte.core.accounts.StaffOnly"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Löfte"
MFA_ADAPTER = (
    "lofte.web.console.accounts.SealedFactors" if _installed("lofte.web") else "allauth.mfa.adapter.DefaultMFAAdapter"
)
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

# --- mail -----------------------------------------------------------------------------------------------------------
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS = environment.smtp(_environ)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.address(_environ, "LOFTE_MAIL_FROM", f"noreply@{_host}")
LOFTE_MAIL_DOMAIN: str = environment.domain(_environ, "LOFTE_MAIL_DOMAIN")
LOFTE_INBOUND: tuple[str, str, int] | None = environment.inbound(_environ)
LOFTE_DKIM: tuple[str, str] | None = environment.dkim(_environ)
LOFTE_CANARY_MAILBOX: str = _environ.get("LOFTE_CANARY_MAILBOX", "").rstrip("/")
LOFTE_OUTBOUND = frozenset(
    filter(None, (name.strip().lower() for name in _environ.get("LOFTE_OUTBOUND", "").split(",")))
)

# --- time, language, logs -------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en-gb"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "lofte.core.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "httpx2": {"level": "WARNING"},
        "mail.log": {"level": "ERROR"},  # the SMTP listener: names whoever writes and is written to
        "flufl.bounce": {"level": "CRITICAL"},
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # an expired link or a wrong address is no event: counted, not told
    },
}
