"""A real log, a really published policy and the edge around them, spoken to as a server would: by ASGI messages."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.evidence.log import Log, open_log
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EDITIONS = [("SE", "sv"), ("NO", "nb"), ("FI", "fi"), ("GB", "en-GB"), ("US", "en-US")]


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def cookies(self) -> list[str]:
        return [value for key, value in self.headers if key == "set-cookie"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class World:
    """One home, one log, one edge; ``now`` can be moved."""

    home: Path
    digest: str
    now: datetime = NOON
    config: dict[str, Any] = field(default_factory=dict)
    reports: list[tuple[str, str, str]] = field(default_factory=list)
    site_calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log: Log = open_log(
            self.home / "evidence.sqlite3", self.home / "keys", "test.example/log", lambda: self.now
        )
        self.restart_edge()

    def restart_edge(self, **config: Any) -> None:
        self.config |= config
        settings = EdgeConfig(
            home=self.home,
            now=lambda: self.now,
            on_report=lambda host, directive, path: self.reports.append((host, directive, path)),
        )
        self.edge = Edge(replace(settings, **self.config), self.log, self._site("site"), self._site("django"))

    def _site(self, name: str) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                raise RuntimeError("no lifespan here")
            self.site_calls.append(f"{name} {scope['path']}")
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": name.encode()})

        return app

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    # Asking

    def ask(self, method: str, target: str, headers: Any = (), body: bytes | list[bytes] = b"", **scope: Any) -> Answer:
        return asyncio.run(self.asking(method, target, headers, body, **scope))

    async def asking(
        self, method: str, target: str, headers: Any = (), body: bytes | list[bytes] = b"", **scope: Any
    ) -> Answer:
        path, _, query = target.partition("?")
        pairs = dict(headers).items() if isinstance(headers, dict) else headers
        asked = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "scheme": "http",
            "client": ("192.0.2.7", 4711),
            "headers": [(b"host", b"www.example.com"), *((k.encode(), v.encode("latin-1")) for k, v in pairs)],
        } | scope
        chunks = body if isinstance(body, list) else [body]
        incoming = [
            {"type": "http.request", "body": part, "more_body": number < len(chunks) - 1}
            for number, part in enumerate(chunks)
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop(0) if incoming else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.edge(asked, receive, send)
        self.edge.close()
        pairs_out = [(key.decode(), value.decode("latin-1")) for key, value in sent[0]["headers"]]
        return Answer(sent[0]["status"], pairs_out, b"".join(part.get("body", b"") for part in sent[1:]))

    def get(self, target: str, headers: Any = (), **scope: Any) -> Answer:
        return self.ask("GET", target, headers, **scope)

    # Deciding

    def token(self, market: str = "SE", locale: str = "sv", method: str = "banner", **changed: Any) -> str:
        digest = changed.get("digest", self.digest)
        return self.edge.tokens.issue(market, locale, digest, int(changed.get("at", self.now).timestamp()), method)

    def wish(self, market: str = "SE", locale: str = "sv", **changed: Any) -> dict[str, Any]:
        """An honest JSON decision, with parts changed."""
        wording = self.edge.shelf.current().published.wordings.get(f"{market}/{locale}/banner", "")
        honest = {
            "token": self.token(market, locale),
            "market": market,
            "locale": locale,
            "publication": self.digest,
            "wording": wording,
            "choices": {"statistics": True, "marketing": False},
            "action": "decide",
        }
        return honest | changed

    def decide(self, wish: Any = None, headers: Any = None, **scope: Any) -> Answer:
        body = wish if isinstance(wish, bytes) else json.dumps(wish if wish is not None else self.wish()).encode()
        return self.ask("POST", "/lofte/consent", {"content-type": "application/json"} | (headers or {}), body, **scope)

    def submit(self, fields: dict[str, str], headers: Any = None, **scope: Any) -> Answer:
        form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html,*/*;q=0.8"} | (headers or {})
        return self.ask("POST", "/lofte/consent", form, urlencode(fields).encode(), **scope)

    def form(self, market: str = "SE", locale: str = "sv", **changed: str) -> dict[str, str]:
        wish = self.wish(market, locale)
        return {name: wish[name] for name in ("token", "market", "locale", "publication", "wording")} | changed

    # Seeing

    def facts(self) -> list[dict[str, Any]]:
        """Every consent in the log, oldest first."""
        return [json.loads(self.log.opened(index).fact) for index in reversed(self.log.find("consent", 1000))]

    def count(self, name: str, **labels: str) -> float:
        """A sample of the metrics page."""
        page = self.get("/metrics").text
        wanted = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        for line in page.splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (.+)", line)
            if found and ",".join(sorted((found[1] or "").split(","))) == wanted:
                return float(found[2])
        return 0.0


@pytest.fixture(scope="session")
def example() -> dict[str, str]:
    """The example policy: five editions, three decisions to make."""
    return read_directory(Path(__file__).parents[2] / "policies" / "xledger")


@pytest.fixture(scope="session")
def published(example: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the example was published yesterday; compiled once, copied for each test."""
    home = tmp_path_factory.mktemp("published")
    log = open_log(home / "evidence.sqlite3", home / "keys", "test.example/log", lambda: NOON)
    publish(example, home, log, NOON - timedelta(days=1))
    log.close()
    return home


@pytest.fixture
def world(tmp_path: Path, published: Path) -> Iterator[World]:
    """A world with an empty log of its own."""
    shutil.copytree(published / "published", tmp_path / "published")
    made = World(tmp_path, (tmp_path / "published" / "current").read_text().strip())
    yield made
    made.log.close()


@pytest.fixture
def publish_again(world: World, example: dict[str, str]):
    """Publishes the example under another version, with another word in the banner, at a time."""

    def again(version: str, at: datetime = NOON) -> str:
        changed = dict(example)
        changed["policy.yaml"] = example["policy.yaml"].replace('version: "2023-01"', f'version: "{version}"')
        words = example["text/sv/words.yaml"]
        changed["text/sv/words.yaml"] = re.sub(
            r"(?m)^(banner:\n(?:  .*\n)*?  title: )(.*)$", rf"\g<1>Val {version}", words
        )
        assert changed["text/sv/words.yaml"] != words
        world.digest = publish(changed, world.home, world.log, at).digest
        world.edge.shelf.look_again()
        return world.digest

    return again
