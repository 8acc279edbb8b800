"""One connected WordPress site: its privacy requests, started, tracked and read back over the plugin's signed calls."""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from lofte.core import clock, outbound, publication
from lofte.core.systems import Act, Found, Left, Record, Value, Who
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Policy
from lofte.rules.source import parse_yaml

FORMAT = "wordpress/1"
DONE = "request-completed"
_SPOKEN = "lofte-wordpress/1"
_FEWEST_LETTERS = 32
_LONGEST_NAME = 120
_OWN_NAMES = frozenset(("connector", "format", "url_from", "key_from", "purpose", "fields", "other"))
# What core calls the pieces of its own exporters (English; other names are the mapping's).
_CORE_FIELDS = {
    "Comment Author": "name",
    "Comment Author Email": "email",
    "User Email": "email",
    "User Display Name": "name",
    "User Login Name": "name",
    "User First Name": "name",
    "User Last Name": "name",
}


@dataclass(frozen=True, slots=True)
class SiteMapping:
    """``fields``: the exporters' name of a piece -> the policy's field; ``other`` is the field of all the rest."""

    url_from: str
    key_from: str
    purpose: str
    other: str
    fields: Mapping[str, str] = field(default_factory=dict)


def connect(system: str, file: Path) -> "WordPress":
    """What `lofte.connectors` calls. Raises Problem; the site is not asked yet."""
    problems: list[Problem] = []
    said = parse_yaml(file.name, file.read_text(encoding="utf-8"), problems).content
    if problems:
        raise problems[0]
    return WordPress(system, file.name, _mapping(file.name, said))


def _mapping(name: str, said: Any) -> SiteMapping:
    wrong = _wrong_in(said)
    if wrong:
        raise Problem(
            "source.bad-mapping", wrong, Place(name),
            expected="connector, format: wordpress/1, url_from, key_from, purpose, other and, if need be, fields",
            way_out="Mend the mapping.",
        )  # fmt: skip
    fields = {**_CORE_FIELDS, **said.get("fields", {})}
    return SiteMapping(said["url_from"], said["key_from"], said["purpose"], said["other"], fields)


def _wrong_in(said: Any) -> str:
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        return f"this is no mapping of the format {FORMAT}"
    for needed in ("url_from", "key_from", "purpose", "other"):
        if not isinstance(said.get(needed), str) or not said[needed]:
            return f"{needed} is missing"
    if unknown := sorted(set(said) - _OWN_NAMES):
        return f"nobody knows {unknown[0]}"
    fields = said.get("fields", {})
    if not isinstance(fields, dict) or not all(isinstance(each, str) for each in fields.values()):
        return "fields names, for a piece of an export, the policy's field"
    return ""


@dataclass(frozen=True, slots=True)
class MayKeep:
    """One thing the site may keep in a browser. ``kind``: login, comments, or a category of the WP Consent API; ``life``: session,
    timed (``seconds``) or unknown; ``is_held``: the plugin lets it out only where it is declared, and it is not.
    """

    name: str
    storage: str
    kind: str
    life: str
    seconds: int | None
    is_held: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """The site's own answer about cookies; without ``is_gated`` it has no policy to hold anything by."""

    version: str
    plugin: str
    is_gated: bool
    cookies: tuple[MayKeep, ...]


class WordPress:
    """`lofte.core.systems.Connector` over the plugin's REST namespace."""

    def __init__(self, system: str, file: str, mapping: SiteMapping) -> None:
        self.system = system
        self._file = file
        self._mapping = mapping

    # --- the connector ----------------------------------------------------------------------------------------------

    def check(self, policy: Policy | None = None) -> list[Problem]:
        policy = policy or publication.current().policy
        found = list(self._against(policy))
        if not found:
            state = self._ask("state", {})
            if state.get("format") != _SPOKEN:
                found.append(
                    self._problem("source.wrong-version", "the plugin there speaks another language", "Update it.")
                )
            elif state.get("is_denied"):
                found.append(
                    self._problem(
                        "wordpress.denied", "the site cannot fetch what the policy declares, and holds everything",
                        "Look at Settings, Löfte, in its wp-admin.",
                    )
                )  # fmt: skip
        return found

    def takes(self, what: str, purpose: str) -> bool:
        return what in ("erase", "export")

    def find(self, who: Who) -> Found:
        counts: dict[str, int] = {}
        for email in _addresses(who):
            for record in self._records(self._ask("find", {"email": email})):
                counts[record.where] = counts.get(record.where, 0) + 1
        return Found(counts=counts, memory={"emails": _addresses(who)})

    def export(self, act: Act) -> list[Record]:
        return [record for _, answer in self._requests(act, "export") for record in self._records(answer)]

    def erase(self, act: Act, found: Found) -> None:
        for _, answer in self._requests(act, "erase", _remembered(found)):
            if answer.get("status") != DONE:
                raise self._problem("wordpress.unfinished", "the site did not finish the erasure", "It is tried again.")

    def correct(self, act: Act, found: Found) -> None:
        raise self._problem(
            "wordpress.no-correction", "WordPress has no way to correct what visitors wrote", "Do it in wp-admin."
        )

    def mark(self, act: Act, found: Found) -> None:
        """Nothing here is used for a purpose a person can withdraw from or have restricted."""

    def verify(self, act: Act, found: Found, exported: list[Record]) -> list[Left]:
        what = "erase" if act.what == "erase" else "export"
        emails = list(dict.fromkeys([*_addresses(act.who), *_remembered(found)]))
        for email in emails:
            status = self._ask("track", {"id": str(_id(act, what, email))}).get("status")
            if status != DONE:
                return [Left("user_request", 1, str(status or "unknown"))]
        if act.what == "erase":
            return self.search(act.who, found)
        there = [record for email in emails for record in self._records(self._ask("find", {"email": email}))]
        missing = {_key(record) for record in there} - {_key(record) for record in exported}
        return [Left("export", len(missing), "not exported")] if missing else []

    def search(self, who: Who, found: Found) -> list[Left]:
        left: list[Left] = []
        for email in dict.fromkeys([*_addresses(who), *_remembered(found)]):
            for where, count in self._ask("left", {"email": email})["left"].items():
                left.append(Left(str(where), int(count), "email"))
        return left

    def cookies(self) -> Kept:
        """What core and its plugins may keep in a visitor's browser. Raises Problem."""
        said = self._ask("cookies", {})
        try:
            if said["format"] != _SPOKEN or not said["cookies"]:
                raise ValueError
            found = tuple(
                MayKeep(
                    str(each["name"])[:_LONGEST_NAME], str(each["storage"]), str(each["kind"]), str(each["life"]),
                    int(each["seconds"]) if each["life"] == "timed" else None, each["is_held"] is True,
                )
                for each in said["cookies"]
            )  # fmt: skip
            return Kept(str(said["wordpress"]), str(said["plugin"]), said["is_gated"] is True, found)
        except (KeyError, TypeError, ValueError):
            raise self._problem(
                "source.wrong-version", "the plugin there speaks another language", "Update it."
            ) from None

    # --- talking ----------------------------------------------------------------------------------------------------

    def _requests(self, act: Act, what: str, more: list[str] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        for email in dict.fromkeys([*_addresses(act.who), *(more or [])]):
            body = {"id": str(_id(act, what, email)), "what": what, "email": email}
            yield email, self._ask("requests", body)

    def _ask(self, name: str, body: Mapping[str, str]) -> dict[str, Any]:
        """One signed call. Whatever is not an answer is a Problem that names neither address nor body."""
        base, key = self._settings()
        content = json.dumps(body).encode()
        route, at, nonce = f"/lofte/v1/{name}", str(int(clock.now().timestamp())), secrets.token_urlsafe(18)
        text = "\n".join(("POST", route, at, nonce, hashlib.sha256(content).hexdigest()))
        headers = {
            "Content-Type": "application/json",
            "X-Lofte-Time": at,
            "X-Lofte-Nonce": nonce,
            "X-Lofte-Signature": hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }
        # With plain permalinks, too, this address is the same. The host is our own configuration: it may be a private one.
        also = frozenset((urlsplit(base).hostname or "",))
        try:
            answer = outbound.request(
                "POST", f"{base}/?rest_route={route}", headers=headers, content=content, also=also
            )
        except Problem as problem:
            raise self._problem("wordpress.unreachable", problem.detail, "It is tried again.") from None
        if answer.status == 401:
            raise self._problem(
                "wordpress.refused",
                "the site refuses our signature",
                "Put the same key into both; set both clocks right.",
            )
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = None
        if answer.status != 200 or not isinstance(said, dict):
            raise self._problem(
                "wordpress.fault", f"the site answered with status {answer.status}", "Look into its log."
            )
        return said

    def _settings(self) -> tuple[str, str]:
        base, key = (os.environ.get(name, "") for name in (self._mapping.url_from, self._mapping.key_from))
        if not base.startswith(("https://", "http://")):
            raise self._problem(
                "source.no-url",
                f"the environment variable {self._mapping.url_from} holds no address",
                "Set it and start again.",
            )
        if len(key) < _FEWEST_LETTERS:
            raise self._problem(
                "wordpress.no-key", f"{self._mapping.key_from} is no key of {_FEWEST_LETTERS} characters or more",
                "Set it and start again.",
            )  # fmt: skip
        return base.rstrip("/"), key

    def _against(self, policy: Policy) -> Iterator[Problem]:
        if self.system not in policy.systems:
            yield self._problem(
                "source.undeclared", f"the policy names no system {self.system}", "Declare it and publish."
            )
        if self._mapping.purpose not in policy.purposes:
            yield self._problem(
                "source.undeclared", f"the policy has no purpose {self._mapping.purpose}", "Mend the mapping."
            )
        for each in sorted({self._mapping.other, *self._mapping.fields.values()}):
            if each not in policy.fields:
                yield self._problem("source.undeclared", f"the policy has no field {each}", "Mend the mapping.")

    def _records(self, answer: Mapping[str, Any]) -> list[Record]:
        mapping = self._mapping
        return [
            Record(
                str(each["where"]),
                tuple(
                    Value(pair["name"], mapping.fields.get(pair["name"], mapping.other), mapping.purpose, pair["value"])
                    for pair in each["values"]
                ),
            )
            for each in answer.get("records", ())
        ]

    def _problem(self, code: str, detail: str, way_out: str) -> Problem:
        return Problem(code, detail, Place(self._file), way_out=way_out, status=503)


def _addresses(who: Who) -> list[str]:
    return list(dict.fromkeys(value.strip().lower() for name, value in who.values if name == "email" and "@" in value))


def _remembered(found: Found) -> list[str]:
    return list((found.memory or {}).get("emails", []))


def _id(act: Act, what: str, email: str) -> UUID:
    """One request an obligation and address; the same each time it is asked for."""
    return uuid5(NAMESPACE_URL, f"{act.id}/{what}/{email}")


def _key(record: Record) -> tuple[str, tuple[tuple[str, str], ...]]:
    return record.where, tuple(sorted((value.name, value.value) for value in record.values))
