"""Searches every store for the canary while it is on file, looks into the columns of everybody else, at the keys, at the ways data
travels, and knocks at the console.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections
from django.db.models import BinaryField, CharField, JSONField, Model, TextField

from lofte.core import holdings, outbound
from lofte.kernel.problems import Problem
from lofte.probes.instruments import canary, doors
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.data_secured import Secured, Stores, Transport, Ways

_OTHERS = 0o077  # any right for group or world
_NEWEST = 300  # rows of each table looked into a round
_ADDRESS = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+\.[A-Za-z]{2,}")
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def _gather(world: World, parameters: Mapping[str, Any]) -> Secured:
    walked = canary.walk(world)
    keys = [file for file in (world.home / "keys").rglob("*") if file.is_file()]
    stores = Stores(
        searched=walked.searched,
        in_clear=walked.in_clear,
        unsealed=tuple(sorted(set(_unsealed(_published(world))))),
        people=walked.people,
        keyless=walked.keyless,
        loose_keys=tuple(f"keys/{file.name}" for file in keys if file.stat().st_mode & _OTHERS),
    )
    recorded = walked.tried.recorded if walked.tried else None
    return Secured(stores, _ways(), doors.knock(world.base_url), recorded)


def _published(world: World) -> frozenset[str]:
    """The company's own addresses, which every policy page shows."""
    return frozenset(one.email.lower() for one in world.published.policy.controllers.values())


def _unsealed(ours: frozenset[str]) -> Iterator[str]:
    """Columns for sealed values that hold text, and columns for plain words that hold somebody's address."""
    for model in holdings.our_models():
        names = [(field.attname, isinstance(field, BinaryField)) for field in _readable(model)]
        rows = model._base_manager.order_by("-pk").values_list(*(name for name, _ in names))[:_NEWEST] if names else ()
        for row in rows:
            for (name, is_sealed), value in zip(names, row, strict=True):
                if value and (_is_text(bytes(value)) if is_sealed else _addresses_in(str(value)) - ours):
                    yield f"{model._meta.db_table}.{name}"


def _addresses_in(text: str) -> set[str]:
    return {found.strip(".,;:()[]{}").lower() for found in _ADDRESS.findall(text)}


def _readable(model: type[Model]) -> list[Any]:
    kinds = (BinaryField, CharField, TextField, JSONField)
    return [field for field in model._meta.concrete_fields if isinstance(field, kinds) and not field.primary_key]


def _is_text(data: bytes) -> bool:
    """What is sealed is noise; noise of this length is never printable."""
    try:
        return data.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _ways() -> Ways:
    origin = settings.LOFTE_ORIGIN.rstrip("/")
    mail_host = settings.EMAIL_HOST or ""
    clear_mail = mail_host if mail_host and not (settings.EMAIL_USE_TLS or _is_here(mail_host)) else ""
    return Ways(_transport(origin), origin, clear_mail, next(_clear_databases(), ""))


def _transport(origin: str) -> Transport:
    host = urlsplit(origin).hostname or ""
    if not origin.startswith("https://"):
        return "here" if _is_here(host) else "clear"
    try:
        outbound.get(f"{origin}/healthz", also=frozenset({host}))
    except Problem:
        return "unreached"
    return "tls"


def _clear_databases() -> Iterator[str]:
    for alias in settings.DATABASES:
        told = connections[alias].settings_dict
        host, mode = str(told.get("HOST") or ""), str((told.get("OPTIONS") or {}).get("sslmode", ""))
        if host and not host.startswith("/") and not _is_here(host) and mode not in _ENCRYPTED:
            yield host


def _is_here(host: str) -> bool:
    """An address that no packet leaves this machine for."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


PROBE = Probe("data_secured", every=timedelta(hours=3), gather=_gather)
