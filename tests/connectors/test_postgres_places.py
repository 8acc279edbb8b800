"""Where PostgreSQL keeps data besides plain columns: other schemas, materialised views, JSON, arrays, bytes."""

import pytest
import sqlalchemy as sa

from lofte.core.systems import Who

KARI = "kari.nordmann@example.no"
# What makes the place and puts the address there, and where it is then.
PLACES = {
    "another schema": (
        ["CREATE SCHEMA archive", "CREATE TABLE archive.people (mail TEXT)", "INSERT INTO archive.people VALUES (:v)"],
        "archive.people.mail",
    ),
    "a materialised view": (
        [
            "CREATE TABLE src (m TEXT)", "INSERT INTO src VALUES (:v)",
            "CREATE MATERIALIZED VIEW kept AS SELECT m AS mail FROM src", "DELETE FROM src",
        ],
        "kept.mail",
    ),
    "JSON": (
        ["CREATE TABLE notes (body JSONB)", "INSERT INTO notes VALUES (jsonb_build_object('to', CAST(:v AS TEXT)))"], "notes.body",
    ),
    "an array": (["CREATE TABLE lists (members TEXT[])", "INSERT INTO lists VALUES (ARRAY['x', :v])"], "lists.members"),
    "bytes": (
        ["CREATE TABLE files (content BYTEA)", "INSERT INTO files VALUES (convert_to('to ' || :v, 'UTF8'))"], "files.content",
    ),
    "a partition": (
        [
            "CREATE TABLE log (at INT, line TEXT) PARTITION BY LIST (at)", "CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1)",
            "INSERT INTO log VALUES (1, :v)",
        ],
        "log_1.line",
    ),
    "a word index": (
        ["CREATE TABLE words (index TSVECTOR)", "INSERT INTO words VALUES (to_tsvector('simple', :v))"], "words.index",
    ),
}  # fmt: skip


@pytest.mark.postgres
@pytest.mark.parametrize("shop", ["postgres"], indirect=True)
@pytest.mark.parametrize("place", PLACES)
def test_a_copy_is_found_wherever_it_is(shop, do, who, place):
    script, where = PLACES[place]
    with shop.engine.begin() as connection:
        for statement in script:
            connection.execute(sa.text(statement), {"v": KARI} if ":v" in statement else {})
    made = {where.rpartition(".")[0], *(["log"] if place == "a partition" else [])}
    shop.mapping(lambda text: text + "".join(f"  {name}: a place under test\n" for name in sorted(made)))
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)

    assert where in {each.where for each in source.verify(do("erase"), found, []) if not each.exemption}


@pytest.mark.postgres
@pytest.mark.parametrize("shop", ["postgres"], indirect=True)
def test_a_table_of_another_schema_is_mapped_by_its_full_name(shop, do):
    shop.do("CREATE SCHEMA crm")
    shop.do("CREATE TABLE crm.people (id INT PRIMARY KEY, mail TEXT)")
    shop.do(f"INSERT INTO crm.people VALUES (1, '{KARI}')")
    rules = "  crm.people:\n    find: { email: mail }\n    erase: delete\nnot_personal:"
    shop.mapping(lambda text: text.replace("not_personal:", rules, 1))
    who = Who((("email", KARI),))
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase", who), found)

    assert found.counts["crm.people"] == 1
    assert source.find(who).counts == {}
