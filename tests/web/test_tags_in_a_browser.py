"""The live inventory in a real browser, in every language and at two widths."""

from datetime import timedelta

import pytest

from lofte.core import clock
from lofte.features.findings import verbs
from lofte.rules.catalogue import LOCALES

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True), pytest.mark.long]


def test_the_inventory_is_readable(eyes, member, xledger, log):
    for seen_by, kind, what in (
        ("gate", "script", "cdn.a-long-name-of-a-host-nobody-ever-declared.chat.example"), ("gate", "script", "bat.bing.com"),
        ("browser", "lofte-local", "ajs_anonymous_id"), ("gate", "frame", "www.youtube.com"),
    ):  # fmt: skip
        verbs.note(seen_by, kind, what, "SE", "/se/kontakt/")
    verbs.flush(clock.now() - timedelta(hours=3))
    look = eyes("sv", "tags", r"\b(tags|console)\.[a-z_]+\b", client=member("per", "operator", factor=False))

    for locale in LOCALES:
        look.page.goto(f"{look.origin}/console/operation/tags/")
        look.page.click(f'button[name="locale"][value="{locale}"]')
        look.look(f"inventory-{locale}")
