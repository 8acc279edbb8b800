"""Xledger's policy in force, doors to knock on, and a subscriber who came in through them."""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from lofte.core import clock, mail, outbox, publication, roles
from lofte.features.policy.files import read_directory
from lofte.features.rights import verbs as rights
from lofte.kernel.canonical import sha256_hex
from lofte.rules.compile import compile_policy
from lofte.rules.source import read
from lofte.web.console.staff import SHOWN_BY

POLICY = Path(__file__).parents[2] / "policies" / "xledger"
PASSWORD = "correct horse battery staple"
OURS = {"HTTP_SEC_FETCH_SITE": "same-origin"}
EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]


@pytest.fixture(autouse=True)
def _nobody_knocked_before():
    """The login counts attempts in the cache."""
    cache.clear()


@pytest.fixture(scope="session")
def compiled():
    return compile_policy(read(read_directory(POLICY)), datetime(2026, 11, 22, 12, tzinfo=UTC), None).published


@pytest.fixture
def xledger(home, compiled):
    """The example policy in force. Only `policy.json` is frozen: these doors read nothing else."""
    content = compiled.model_dump_json(by_alias=True).encode()
    folder = home / "published"
    for name in ("objects", "publications"):
        (folder / name).mkdir(parents=True)
    (folder / "objects" / sha256_hex(content)).write_bytes(content)
    manifest = {
        "digest": compiled.digest, "version": compiled.version, "published_at": compiled.published_at, "evidence_index": 0,
        "files": {"policy.json": sha256_hex(content)}, "previous": None, "signature": "a signed note",
    }  # fmt: skip
    (folder / "publications" / f"{compiled.digest}.json").write_text(json.dumps(manifest))
    (folder / "current").write_text(compiled.digest)
    publication.forget()
    yield compiled
    publication.forget()


@dataclass
class Visitor:
    """A browser: sends what browsers send, follows what is shown, and keeps its cookies."""

    client: Client
    market: str = "se"
    locale: str = "sv"

    def get(self, path, **more):
        return self.client.get(path, **more)

    def post(self, path, fields=None, **more):
        """Post the form that the page at this address shows, with its hidden values, filled in as given."""
        shown = self.client.get(path).content.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', shown))
        return self.client.post(path, hidden | (fields or {}), **(OURS | more))

    @property
    def news(self):
        return f"/news/{self.market}/{self.locale}/"

    @property
    def my(self):
        return f"/my/{self.market}/{self.locale}/"


@pytest.fixture
def visitor(xledger, log, no_limits):
    return Visitor(Client(enforce_csrf_checks=False))


@pytest.fixture
def sign_up(visitor, letterbox):
    """Sign somebody up through the pages; returns the code of the confirmation mail."""

    def asked(address, **values):
        answer = visitor.post(visitor.news, {"email": address, "consent": "on", **values})
        assert answer.status_code == 302, answer.content.decode()
        mail.deliver(clock.now())
        return letterbox.link("confirm")

    return asked


@pytest.fixture
def subscriber(visitor, sign_up):
    """Somebody who signed up and confirmed; returns a function, so that a test may have several."""

    def make(address="astrid@example.se", **values):
        code = sign_up(address, **values)
        assert visitor.post(f"{visitor.news}confirm/{code}/").status_code == 200
        outbox.drain()
        return address

    return make


@pytest.fixture
def portal_code(visitor, letterbox):
    """Ask for a link and read it in the mailbox."""

    def ask(address):
        assert visitor.post(visitor.my, {"address": address}).status_code == 302
        rights.answer_asks(clock.now())
        mail.deliver(clock.now())
        return letterbox.link("open")

    return ask


@pytest.fixture
def inside(visitor, subscriber, portal_code):
    """A subscriber's browser with the portal open."""

    def enter(address="astrid@example.se", **values):
        subscriber(address, **values)
        answer = visitor.post(f"{visitor.my}open/{portal_code(address)}/")
        assert answer.status_code == 302
        outbox.drain()
        return visitor

    return enter


@pytest.fixture
def member(db):
    """A member of staff with these roles, signed in; ``member("bo", "register")``. With ``factor=False`` by password alone."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    def make(name, *held, factor=True):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        roles.give(user, held, by=roles.OPERATOR)
        client = Client()
        client.force_login(user)
        if factor:
            TOTP.activate(user, generate_totp_secret())
            RecoveryCodes.activate(user)
            session = client.session
            session[SHOWN_BY] = user.pk
            session.save()
        return client

    return make


@pytest.fixture
def staff(xledger, log, member):
    """A data protection lead, signed in with a second factor."""
    return member("anna", "lead")


# --- in a real browser ------------------------------------------------------------------------------------------------

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def _chromium(chromium):
    """One browser for the tests of a file: its loop runs in this thread, and would count as theirs for all who come after."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the register is asked between, and emptied after each test
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--no-first-run",
            ],
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def chrome(_chromium):
    """A browser in which nobody has been."""
    yield _chromium
    for context in _chromium.contexts:
        context.close()


class Eyes:
    """Looks at pages: whole words, nothing sticking out, nothing axe finds; at two widths.

    ``unsaid`` is how a word nobody wrote would look on the page. Pictures are kept in the folder LOFTE_SCREENSHOTS names.
    """

    def __init__(self, page, origin, locale, room, unsaid):
        self.page, self.origin, self.locale, self.room, self.seen = page, origin, locale, room, 0
        self._unsaid = rf"{unsaid}|\{{[a-z_]+\}}|\bNone\b"

    def go(self, path, name):
        answer = self.page.goto(self.origin + path)
        assert answer.status == 200, path
        self.look(name)

    def look(self, name):
        self.page.wait_for_load_state("load")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            assert not re.search(self._unsaid, self.page.inner_text("main")), name
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if folder := os.environ.get("LOFTE_SCREENSHOTS"):
                shot = Path(folder) / f"{self.room}-{self.locale}-{self.seen:02}-{name}-{width}.png"
                self.page.screenshot(path=shot, full_page=True)
            assert wide <= 0, f"{name} sticks out by {wide} at {width}"
        self.seen += 1
        if AXE.exists():
            self.page.evaluate(AXE.read_text())
            found = self.page.evaluate("(tags) => axe.run(document, {runOnly: tags})", TAGS)["violations"]
            assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], name


@pytest.fixture
def eyes(chrome, live_server):
    """``eyes(locale, room, unsaid)`` is a stranger's look at the living pages; with ``client=`` that of whoever is signed in."""

    def open_(locale, room, unsaid, client=None):
        context = chrome.new_context(bypass_csp=True)
        if client is not None:
            kept = [{"name": key, "value": each.value, "url": live_server.url} for key, each in client.cookies.items()]
            context.add_cookies(kept)
        return Eyes(context.new_page(), live_server.url, locale, room, unsaid)

    return open_
