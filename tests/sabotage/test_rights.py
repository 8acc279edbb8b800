"""Break what people are promised when they use their rights: see, object, restrict, ask, take along, be gone. Exactly that promise
turns red.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import connection

from lofte.connectors.sql import client
from lofte.core import clock, obligations, ports, systems
from lofte.core.models import Obligation, new_id
from lofte.features.rights import gathering, package, requests
from lofte.features.rights import verbs as rights
from lofte.features.rights.models import Erasure, Request, Step
from lofte.probes.instruments.canary import leaving, person
from lofte.rules.controls import LOCALES
from lofte.web.portal import acts

pytestmark = pytest.mark.xdist_group("sabotage")

RIGHTS = frozenset({"P05", "P06", "P12", "P16", "P28", "P29", "P30", "P31", "P32"})


def _in_every_language(system, promise, part):
    said = {locale: system.reason(promise, locale) for locale in LOCALES}
    assert all(part in text and len(text) > len(part) + 20 for text in said.values())
    assert len({said["sv"], said["nb"], said["fi"], said["en-GB"]}) == 4


# --- P12, P28 -------------------------------------------------------------------------------------------------------


def test_an_objection_nobody_honours_breaks_p12(system, broken_by, monkeypatch):
    monkeypatch.setattr(acts.verbs, "object_to", lambda person_id, purpose: None)

    assert broken_by(RIGHTS) == {"P12"}
    assert "all the same" in system.reason("P12")


def test_a_restriction_nobody_honours_breaks_p28(system, broken_by, monkeypatch):
    monkeypatch.setattr(ports, "is_restricted", lambda person_id: False)
    monkeypatch.setattr(ports, "restricted_of", lambda people: frozenset())

    assert broken_by(RIGHTS) == {"P28"}
    assert "used all the same" in system.reason("P28")


# --- P29 ------------------------------------------------------------------------------------------------------------

_MAPPING = """\
connector: sql
format: sql/1
url_from: LOFTE_SOURCE_SHOP
tables:
  buyers:
    find: { email: mail }
    purpose: customer
    erase: delete
    columns: { mail: email, full_name: name }
"""


@dataclass
class Shop:
    """A connected web shop where the canaries that walk their rights have bought something."""

    file: Path

    def ask(self, sql, *values):
        with closing(sqlite3.connect(self.file, timeout=10, isolation_level=None)) as database:
            return database.execute(sql, values).fetchall()


@pytest.fixture
def shop(system, tmp_path, monkeypatch):
    made = Shop(tmp_path / "shop.sqlite3")
    made.ask("CREATE TABLE buyers (id INTEGER PRIMARY KEY, mail TEXT, full_name TEXT)")
    hatch = person.hatch

    def bought(world, mailbox, *edition):
        one = hatch(world, mailbox, *edition)
        if (
            not edition
        ):  # one of those that walk their rights; the others, one for each edition, are taken away as made-up people
            made.ask("INSERT INTO buyers (mail, full_name) VALUES (?, ?)", one.address, one.name)
        return one

    monkeypatch.setattr(person, "hatch", bought)
    monkeypatch.setattr(leaving, "_ELSEWHERE_S", 0.5)
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", f"sqlite:///{made.file}")
    mapping = tmp_path / "creatio.yaml"
    mapping.write_text(_MAPPING)
    systems.connect("creatio", client.connect("creatio", mapping))
    yield made
    obligations.hurry("creatio")
    _finish_erasures()
    systems.disconnect_all()


def _finish_erasures():
    """What the sabotage held up comes to its end."""
    obligations.carry_out()
    rights.resume(clock.now() + timedelta(hours=2))
    left = Erasure.objects.exclude(state=Erasure.State.DONE)
    assert not list(left.values_list("by", "state", "residue", "elsewhere", "kept"))


def test_a_connected_system_that_erases_leaves_the_promises_kept(system, broken_by, shop):
    assert broken_by(RIGHTS) == set()
    assert "connected systems (1)" in system.reason("P29")
    assert shop.ask("SELECT * FROM buyers") == []


def test_a_connector_that_says_erased_and_did_nothing_breaks_p29(system, broken_by, shop, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(client.SqlSource, "erase", lambda self, act, found: None)
        broken = broken_by(RIGHTS)

    assert broken == {"P29"}
    _in_every_language(system, "P29", "creatio")


def test_a_connector_that_even_reads_back_what_is_not_so_breaks_p29(system, broken_by, shop, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(client.SqlSource, "erase", lambda self, act, found: None)
        patched.setattr(client.SqlSource, "verify", lambda self, act, found, exported: [])
        broken = broken_by(RIGHTS)
    shop.ask("DELETE FROM buyers")

    assert broken == {"P29"}
    _in_every_language(system, "P29", "creatio.buyers.mail")


def test_an_erasure_a_system_has_owed_too_long_breaks_p29(system, broken_by):
    row = Obligation(
        id=new_id(), subject=new_id(), owner=new_id(), system="creatio", what="erase", about=new_id(),
        made_at=clock.now() - timedelta(days=40), due=clock.now() - timedelta(days=12), next_at=clock.now() + timedelta(days=1),
    )  # fmt: skip
    row.save(force_insert=True)
    try:
        assert broken_by(RIGHTS) == {"P29"}
    finally:
        Obligation.objects.filter(pk=row.pk).delete()

    _in_every_language(system, "P29", "creatio")


def test_a_copy_of_a_person_in_a_side_table_breaks_p29(system, broken_by, monkeypatch):
    hatch = person.hatch

    def copied(*given):
        one = hatch(*given)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO audience VALUES (%s)", [sha256(one.address.encode()).hexdigest()])
        return one

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE audience (uploaded text)")
    try:
        with monkeypatch.context() as patched:
            patched.setattr(person, "hatch", copied)
            patched.setattr(leaving, "_ELSEWHERE_S", 0.5)
            broken = broken_by(RIGHTS)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE audience")
        _finish_erasures()

    assert broken == {"P29"}
    _in_every_language(system, "P29", "audience.uploaded")


# --- P30 ------------------------------------------------------------------------------------------------------------


def test_an_export_that_misses_a_table_breaks_p30(system, broken_by, monkeypatch):
    count, build = gathering.count, package.build
    monkeypatch.setattr(
        gathering, "count", lambda person_id: [one for one in count(person_id) if one.table != "register_dialogue"]
    )
    monkeypatch.setattr(package, "build", lambda *given: build(*given) | {"dialogue": []})

    assert broken_by(RIGHTS) == {"P30"}
    _in_every_language(system, "P30", "register_dialogue")


def test_an_export_that_counts_rows_and_leaves_them_out_breaks_p30(system, broken_by, monkeypatch):
    build = package.build
    monkeypatch.setattr(package, "build", lambda *given: build(*given) | {"looks": []})

    assert broken_by(RIGHTS) == {"P30"}
    assert "register_look" in system.reason("P30")


# --- P28 again, P32 -------------------------------------------------------------------------------------------------


def test_a_correction_that_is_not_kept_breaks_p28(system, broken_by, monkeypatch):
    monkeypatch.setattr(acts.verbs, "correct", lambda person_id, holding, value: True)

    assert broken_by(RIGHTS) == {"P28"}
    assert "was not kept" in system.reason("P28")


def _forget(request_id):
    Step.objects.filter(request=request_id).delete()
    Request.objects.filter(pk=request_id).delete()


def test_a_request_stuck_past_its_deadline_breaks_p32(system, broken_by):
    stuck = requests.receive(
        None, "complaint", by="staff:1", channel="post", market="SE", locale="sv", at=clock.now() - timedelta(days=80)
    )
    try:
        assert broken_by(RIGHTS) == {"P32"}
    finally:
        _forget(stuck)

    _in_every_language(system, "P32", "1 ")
    assert "past their last day" in system.reason("P32")


def test_a_question_that_lands_in_another_market_breaks_p32(system, broken_by, monkeypatch):
    receive = requests.receive
    abroad = {"market": "US", "locale": "en-US"}
    monkeypatch.setattr(requests, "receive", lambda *given, **named: receive(*given, **(named | abroad)))

    assert broken_by(RIGHTS) == {"P32"}
    assert "wrong market" in system.reason("P32")


def test_a_question_nobody_acknowledges_breaks_p32(system, broken_by, monkeypatch):
    monkeypatch.setattr(requests, "acknowledge", lambda request_id, by: False)

    assert broken_by(RIGHTS) == {"P32"}
    assert "no confirmation" in system.reason("P32")
