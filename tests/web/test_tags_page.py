"""The live inventory in the console: alarms, what staff find them to be, and the declared tags."""

from datetime import UTC, datetime

import pytest

from lofte.core.models import Action
from lofte.features.findings import verbs
from lofte.rules.catalogue import LOCALES, say

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
PAGE = "/console/operation/tags/"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def met(xledger, log):
    for seen_by, kind, what in (
        ("gate", "script", "chat.example"), ("gate", "script", "www.googletagmanager.com"), ("browser", "img-src", "px.example"),
    ):  # fmt: skip
        verbs.note(seen_by, kind, what, "SE", "/se/kontakt/")
    verbs.flush(AT)


@pytest.fixture
def operator(met, member):
    return member("per", "operator", factor=False)


@pytest.mark.parametrize("locale", LOCALES)
def test_alarms_and_declared_tags_are_told_in_the_readers_language(operator, locale):
    operator.post("/console/locale/", {"locale": locale, "next": PAGE})
    shown = operator.get(PAGE).content.decode()

    alarms, declared = shown.split('id="declared"')
    assert "chat.example" in alarms
    assert "px.example" in alarms
    assert "googletagmanager" not in alarms
    assert say(locale, "tags.declared.never") in declared
    assert say(locale, "tags.alarms.count", n=1) in operator.get("/console/operation/").content.decode()


def test_an_alarm_settled_is_gone_and_who_settled_it_is_kept(operator):
    operator.post(f"{PAGE}settle/", {"what": "chat.example", "seen_by": "gate", "answer": "removed"})

    assert (
        "<code>chat.example</code>" not in operator.get(PAGE).content.decode().replace("Noted", "").split("alarms")[-1]
    )
    assert "<code>px.example</code>" in operator.get(PAGE).content.decode()
    assert Action.objects.get(action="findings.settled").actor.startswith("staff:")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"what": "chat.example", "seen_by": "gate", "answer": "fine"}, 400),
        ({"what": "never.example", "seen_by": "gate", "answer": "noise"}, 404),
    ],
)
def test_what_cannot_be_settled_is_refused(operator, fields, status):
    assert operator.post(f"{PAGE}settle/", fields).status_code == status


def test_only_whoever_may_see_the_operation_sees_it(met, member):
    assert member("bo", "register").get(PAGE).status_code == 403
