"""What the environment says, read strictly: a bad value stops the start with one clear line, it is never guessed around.

Used by `core.settings` only. Nothing here touches Django.
"""

import os
import re
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lofte.kernel.problems import Place, Problem

KEY_BYTES = 32
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
RESTORING = "restoring.json"  # in a data directory that a restore is not done with
is_restoring = False  # set by the restore itself; nobody else gets in meanwhile


def refused(name: str, detail: str, expected: str) -> Problem:
    return Problem(
        "settings.bad-value",
        detail,
        Place(key=name),
        expected=expected,
        way_out=f"Set {name} and start again.",
        status=500,
    )


def home(environ: Mapping[str, str]) -> Path:
    """The data directory, made (mode 0700) when it is not there."""
    text = environ.get("LOFTE_HOME", "")
    if not text:
        raise refused("LOFTE_HOME", "no data directory is named", "the path of a directory only this program may read")
    folder = Path(text).expanduser().absolute()
    make_home(folder)
    demand_restored(folder)
    return folder


def make_home(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "keys").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise refused(
            "LOFTE_HOME", f"the data directory cannot be made: {error.strerror}", "a writable path"
        ) from error


def demand_restored(folder: Path) -> None:
    """The door of a house: shut while a restore is not done, since people erased after the copy may stand in it again."""
    if (folder / RESTORING).exists() and not is_restoring:
        raise Problem(
            "restore.not-done", "this data directory is being restored, and erasures made since the copy are not replayed yet",
            way_out="Run lofte restore --home DIR until it is done; then start.", status=503,
        )  # fmt: skip


def origin(environ: Mapping[str, str]) -> str:
    """Scheme, host and port people reach us at, with no path: ``https://www.example.com``."""
    text = environ.get("LOFTE_ORIGIN", "http://localhost:8000").rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise refused("LOFTE_ORIGIN", "the origin is not an origin", "https://host or http://host:port, without a path")
    return text


def database(environ: Mapping[str, str], name: str, file: Path) -> dict[str, object]:
    """A Django database: PostgreSQL when the variable holds a postgresql:// URL, else the SQLite file."""
    text = environ.get(name, "")
    if not text:
        return _sqlite(file)
    parts = urlsplit(text)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise refused(
            name, "the database is not one we know", "empty for SQLite, or postgresql://user:password@host:port/name"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10},
        "ATOMIC_REQUESTS": False,
    }


def _sqlite(file: Path) -> dict[str, object]:
    # secure_delete: an erased row is overwritten in the file, not merely unlinked (evidence-law 6, Shred).
    start = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": start},
        "ATOMIC_REQUESTS": False,
    }


def smtp(environ: Mapping[str, str]) -> tuple[str, int, str, str, bool]:
    """Host, port, user, password, STARTTLS or not, from ``smtp+tls://user:password@host:587``; an empty host means no mail."""
    text = environ.get("LOFTE_SMTP", "")
    if not text:
        return "", 0, "", "", False
    parts = urlsplit(text)
    try:
        port = parts.port or 25
    except ValueError:
        port = 0
    if parts.scheme not in ("smtp", "smtp+tls") or not parts.hostname or not port:
        raise refused(
            "LOFTE_SMTP", "the mail server is not understood", "smtp://host:port or smtp+tls://user:password@host:587"
        )
    return (
        parts.hostname,
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.scheme == "smtp+tls",
    )


def domain(environ: Mapping[str, str], name: str) -> str:
    """A bare domain in lower case, or empty."""
    text = environ.get(name, "").strip().lower()
    if text and not _DOMAIN.fullmatch(text):
        raise refused(name, "the domain is not one", "a name like lofte.example.com")
    return text


def inbound(environ: Mapping[str, str]) -> tuple[str, str, int] | None:
    """Protocol, host and port where mail is taken, from ``smtp://127.0.0.1:2525`` or ``lmtp://...``; None means nowhere."""
    text = environ.get("LOFTE_INBOUND", "")
    if not text:
        return None
    parts = urlsplit(text)
    try:
        port = parts.port or 0
    except ValueError:
        port = 0
    if parts.scheme not in ("smtp", "lmtp") or not parts.hostname or not port:
        raise refused("LOFTE_INBOUND", "the place is not understood", "smtp://host:port or lmtp://host:port")
    if not environ.get("LOFTE_MAIL_DOMAIN"):
        raise refused("LOFTE_MAIL_DOMAIN", "mail is taken, but for no domain", "the domain whose mail comes to us")
    return parts.scheme, parts.hostname, port


def dkim(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Selector and domain from ``selector._domainkey.example.com``, the name of the DNS record; None means we do not sign."""
    text = environ.get("LOFTE_DKIM", "").strip().lower()
    if not text:
        return None
    selector, mark, signed = text.partition("._domainkey.")
    if not mark or not _DOMAIN.fullmatch(selector) or not _DOMAIN.fullmatch(signed):
        raise refused("LOFTE_DKIM", "this names no DKIM record", "selector._domainkey.example.com")
    return selector, signed


def address(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(name, default)
    if text.count("@") != 1 or any(letter in text for letter in "\r\n"):
        raise refused(name, "the sender is not an address", "name@host or Name <name@host>")
    return text


def key_file(folder: Path, name: str) -> bytes:
    """The 32 secret bytes in ``<home>/keys/<name>`` (mode 0600), made at the first call.

    Two processes that start together agree: the first to link the finished file wins.
    """
    file = folder / "keys" / name
    if not file.exists():
        made = file.with_name(f".{name}.{secrets.token_hex(8)}")
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    found = file.read_bytes()
    if len(found) != KEY_BYTES:
        raise Problem(
            "settings.bad-key", f"the key {name} is {len(found)} bytes", expected=f"{KEY_BYTES} bytes",
            way_out="Restore the keys directory from its backup; never make a new key over old data.", status=500,
        )  # fmt: skip
    return found


def site_id(folder: Path) -> uuid.UUID:
    """The id of this installation's site, written once. Not secret, but mixed into each blind index: it never changes."""
    return uuid.UUID(bytes=key_file(folder, "site.id")[:16], version=4)
