"""A connected database: everybody's rows are found along the keys, erased, corrected and copied; nobody else's are touched."""

import pytest
import sqlalchemy as sa

from lofte.core.systems import LIFTED, Change, Left, Who
from lofte.kernel.problems import Problem

KARI, OLA = "kari.nordmann@example.no", "ola@example.no"
NOBODY = Who((("email", "nobody@example.no"), ("name", "Nobody At All")))


def open_places(left: list[Left]) -> list[str]:
    return sorted({each.where for each in left if not each.exemption})


def test_a_good_mapping_has_nothing_in_its_way(shop):
    assert shop.source().check() == []


def test_a_person_is_found_along_foreign_keys_composite_ones_and_plain_columns(shop, who):
    found = shop.source().find(who)

    assert found.counts == {"customers": 2, "addresses": 1, "orders": 2, "order_lines": 3, 'odd "name"; --': 1}
    assert {(each.where, each.count, each.law) for each in found.kept} == {
        ("ledger", 1, "Bokføringsloven 13"),
        ("addresses", 1, "it holds another person's data too"),
    }


def test_a_shared_telephone_makes_nobody_elses_row_theirs(shop):
    found = shop.source().find(Who((("phone", "+47 900 12 345"),)))

    assert (
        found.counts["customers"] == 1
    )  # the one without an address; the others have one that is not known to be theirs


def test_somebody_who_is_not_there_is_not_found(shop, do):
    source = shop.source()
    found = source.find(NOBODY)
    source.erase(do("erase", NOBODY), found)

    assert (found.counts, found.kept) == ({}, ())
    assert source.verify(do("erase", NOBODY), found, []) == []
    assert len(shop.rows("customers")) == 3


def test_an_erasure_takes_the_persons_rows_and_no_others(shop, do, who):
    source, order = shop.source(), do("erase")
    found = source.find(who)
    source.erase(order, found)

    assert open_places(source.verify(order, found, [])) == []
    assert shop.column("customers", "email") == [OLA]
    assert shop.column("addresses", "street") == ["Delt vei 2, 5003 Bergen"]
    assert [(row["shop"], row["number"]) for row in shop.rows("orders")] == [("oslo", 2)]
    assert shop.column("order_lines", "article") == ["lampe"]
    assert shop.column("ledger", "billed_to") == ["Kari Nordmann", "Ola Hansen"]


def test_masks_are_of_the_columns_type_and_differ_from_row_to_row(shop, do, who):
    shop.add('odd "name"; --', **{"id": sa.Uuid().python_type(int=7), 'e mail"': f" {KARI}", "select": "K", "year": 1})
    source = shop.source()
    source.erase(do("erase"), source.find(who))
    masked = [row for row in shop.rows('odd "name"; --') if row['e mail"'] != OLA]

    assert len({row['e mail"'] for row in masked}) == len(masked) == 2
    assert all(row['e mail"'].startswith("erased-") for row in masked)
    assert {(row["select"], row["year"]) for row in masked} == {(None, 0)}


def test_erasing_again_changes_nothing_more(shop, do, who):
    source, order = shop.source(), do("erase")
    found = source.find(who)
    source.erase(order, found)
    before = {name: shop.rows(name) for name in shop.metadata.tables}
    source.erase(order, found)

    assert {name: shop.rows(name) for name in shop.metadata.tables} == before
    assert open_places(source.verify(order, found, [])) == []


def test_a_number_given_to_another_row_afterwards_is_not_erased_with_the_remembered_one(shop, do, who):
    source, order = shop.source(), do("erase")
    found = source.find(who)
    source.erase(order, found)
    shop.add(
        "customers", id=1, number=201, email="new@example.no", full_name="Ny Kunde", opted_in=True, is_blocked=False
    )
    shop.add("orders", shop="oslo", number=1, customer_id=1)
    shop.add("order_lines", shop="oslo", number=1, line=1, article="ny stol")
    source.erase(order, found)

    assert "new@example.no" in shop.column("customers", "email")
    assert "ny stol" in shop.column("order_lines", "article")
    assert open_places(source.verify(order, found, [])) == []


def test_nothing_is_erased_before_it_is_said(shop, do, who):
    source = shop.source()
    found = source.find(who)

    assert {"customers", "orders", "order_lines", "addresses"} <= set(
        open_places(source.verify(do("erase"), found, []))
    )


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE customers SET email = NULL WHERE id = 1",
        "DELETE FROM order_lines",
        "DELETE FROM order_lines WHERE line = 1",
    ],
)
def test_an_erasure_done_in_part_is_seen_whatever_is_left(shop, do, who, damage):
    source = shop.source()
    found = source.find(who)
    shop.do(damage)

    assert open_places(source.verify(do("erase"), found, []))


def test_a_column_that_was_not_cleared_is_named(shop, do, who):
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)
    table = shop.table('odd "name"; --')
    shop.do(table.update().where(table.c['e mail"'] != OLA).values(select="Kari"))

    assert open_places(source.verify(do("erase"), found, [])) == ['odd "name"; --.select']


COPIES = {
    "as written": KARI,
    "in capitals": KARI.upper(),
    "in a sentence": f"wrote to {KARI} in May",
    "in an address": "?to=kari.nordmann%40example.no",
    "a telephone number with spaces": "ring 900 12 345 etter fem",
    "a telephone number from abroad": "0047-90012345",
    "a name": "Møte med Kari Nordmann",
    "an unsalted hash": "ecd1d4f8",
}


@pytest.mark.parametrize("what", COPIES)
def test_a_copy_in_a_table_nobody_mapped_is_found(shop, do, who, what):
    import hashlib

    text = hashlib.sha256(KARI.encode()).hexdigest() if "hash" in what else COPIES[what]
    table = shop.make("old_export", sa.Column("n", sa.Integer, primary_key=True), sa.Column("note", sa.Text))
    shop.mapping(lambda text: text + "  old_export: an export somebody forgot\n")
    shop.do(table.insert().values(n=1, note=text))
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)

    assert open_places(source.verify(do("erase"), found, [])) == ["old_export.note"]


def test_a_copy_in_json_is_found_escaped_or_not(shop, do, who):
    who = Who((*who.values, ("name", "Kåre Ødegård")))
    shop.add("side_notes", id=2, body={"to": [{"name": "Kåre Ødegård"}]})
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase", who), found)

    assert open_places(source.verify(do("erase", who), found, [])) == ["side_notes.body"]


def test_a_named_reason_lets_a_copy_stay_and_stands_beside_it(shop, do, who):
    shop.add("side_notes", id=2, body={"to": KARI})
    shop.mapping(lambda text: text + "exempt: { side_notes.body: 'Backup of the court case, until it ends' }\n")
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)
    left = source.verify(do("erase"), found, [])

    assert open_places(left) == []
    assert ("side_notes.body", "Backup of the court case, until it ends") in {
        (each.where, each.exemption) for each in left
    }


def test_a_statute_covers_the_persons_rows_and_no_further_copy(shop, do, who):
    shop.add("ledger", id=9, customer_number=103, billed_to=f"for {KARI}")
    shop.add("ledger", id=10, customer_number=103, billed_to=f"for {KARI}")
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)

    assert open_places(source.verify(do("erase"), found, [])) == ["ledger.billed_to"]


def test_what_the_source_alone_knew_is_searched_for_too(shop, do, who):
    shop.do("UPDATE customers SET phone = '+47 411 22 333' WHERE id = 1")
    shop.add("side_notes", id=2, body={"call": "41122333"})
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)

    assert open_places(source.verify(do("erase"), found, [])) == ["side_notes.body"]


def test_a_namesake_keeps_nobodys_erasure_open(shop, do, who):
    shop.add(
        "customers",
        id=4,
        number=104,
        email="other@example.no",
        full_name="Kari Nordmann",
        opted_in=True,
        is_blocked=False,
    )
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase"), found)

    assert open_places(source.verify(do("erase"), found, [])) == []
    assert "other@example.no" in shop.column("customers", "email")


def test_letters_that_a_collation_takes_for_each_other_are_two_people(shop):
    shop.add("customers", id=5, number=105, email="bjørn@example.no", opted_in=True, is_blocked=False)
    source = shop.source()

    assert source.find(Who((("email", "bjorn@example.no"),))).counts == {}
    assert source.find(Who((("email", "BJØRN@example.no"),))).counts == {"customers": 1}


INJECTIONS = [
    "x' OR '1'='1", 'x" OR ""="', "x'); DROP TABLE customers; --", "%", "_", "\\", "x\\' OR 1=1 -- ", "{unique}", ":n",
    "%(n)s", "?",
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_what_a_person_is_called_is_never_sql(shop, do, text):
    who = Who((("email", f"{text}@example.no"), ("email", text), ("phone", text), ("name", f"{text} {text}")))
    source = shop.source()
    found = source.find(who)
    source.erase(do("erase", who), found)
    source.correct(do("correct", who, change=Change("name", text, text)), found)

    assert found.counts == {}
    assert len(shop.rows("customers")) == 3


def test_a_copy_holds_every_mapped_value_with_field_and_purpose(shop, do):
    records = shop.source().export(do("export"))
    values = {
        (each.where, value.name, value.field, value.purpose, value.value) for each in records for value in each.values
    }

    assert ("customers", "full_name", "name", "customer", "Kari Nordmann") in values
    assert ("ledger", "billed_to", "name", "accounting", "Kari Nordmann") in values
    assert ("orders", "delivery_note", "dialogue", "customer", "Ring på hos naboen, andre etasje") in values
    assert ('odd "name"; --', "year", "topics", "newsletter", "1980") in values
    assert not any("Ola" in value[-1] or OLA in value[-1] for value in values)


def test_a_copy_is_read_back(shop, do):
    source, order = shop.source(), do("export")
    records = source.export(order)

    assert source.verify(order, source.find(order.who), records) == []
    assert [each.where for each in source.verify(order, source.find(order.who), records[1:])] == [records[0].where]


def test_a_copy_takes_one_statement_a_table(shop, do):
    source = shop.source()
    source.start()
    said = []

    def listen(_, __, statement, *___):
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        source.export(do("export"))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    asked = [each for each in said if "FROM" in each and "customers" not in each.split("FROM")[0]]

    # Six tables, and one more question of each foreign key to a table whose rows can be shared.
    assert len([each for each in asked if each.lstrip().startswith("SELECT")]) <= 7


def test_a_correction_reaches_the_rows_people_are_found_in(shop, do, who):
    source = shop.source()
    order = do(
        "correct", Who((*who.values, ("name", "Kari Hansen"))), change=Change("name", "Kari Nordmann", "Kari Hansen")
    )
    found = source.find(order.who)
    source.correct(order, found)

    assert source.verify(order, found, []) == []
    assert shop.column("customers", "full_name") == ["Kari Hansen", "Kari Hansen", "Ola Hansen"]
    assert shop.column("ledger", "billed_to") == ["Kari Nordmann", "Ola Hansen"]


def test_a_new_address_is_carried_even_though_people_are_found_by_it(shop, do, who):
    source, new = shop.source(), "kari@new.example"
    order = do("correct", Who((*who.values, ("email", new))), change=Change("email", KARI, new))
    found = source.find(order.who)
    source.correct(order, found)
    source.correct(order, found)

    assert source.verify(order, found, []) == []
    assert shop.column("customers", "email")[0] == new
    assert {row['e mail"'] for row in shop.rows('odd "name"; --')} == {new, OLA}


def test_a_correction_that_did_not_hold_is_seen(shop, do, who):
    source = shop.source()
    order = do("correct", who, change=Change("name", "Kari Nordmann", "Kari Hansen"))

    assert "customers.full_name" in open_places(source.verify(order, source.find(who), []))


def test_a_withdrawal_and_a_restriction_are_carried_where_the_mapping_says_how(shop, do):
    source = shop.source()
    for order in (do("withdraw", purpose="newsletter"), do("restrict")):
        found = source.find(order.who)
        assert open_places(source.verify(order, found, []))
        source.mark(order, found)
        assert source.verify(order, found, []) == []

    assert (source.takes("withdraw", "newsletter"), source.takes("withdraw", "customer")) == (True, False)
    assert [bool(each) for each in shop.column("customers", "opted_in")] == [False, False, True]
    assert [bool(each) for each in shop.column("customers", "is_blocked")] == [True, True, False]


def test_the_end_of_a_restriction_is_carried_where_the_mapping_says_how_and_else_not_owed(shop, do):
    source = shop.source()
    for order in (do("restrict"), do("restrict", purpose=LIFTED)):
        source.mark(order, source.find(order.who))
        assert source.verify(order, source.find(order.who), []) == []

    assert not any(shop.column("customers", "is_blocked"))
    assert source.takes("restrict", LIFTED)
    source.mapping.tables["customers"].released.clear()
    assert (source.takes("restrict", LIFTED), source.takes("restrict", "")) == (False, True)


def refer_to_customers(shop, name):
    """A table that refers to customers, which nobody mapped."""
    reference = sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id"))
    shop.make(name, sa.Column("id", sa.Integer, primary_key=True), reference)


def test_a_table_that_refers_to_what_goes_must_be_mapped(shop, who):
    refer_to_customers(shop, "complaints")

    with pytest.raises(Problem, match=r"source\.does-not-fit.*complaints.*would stop the delete"):
        shop.source().find(who)


def test_an_error_in_the_middle_leaves_everything_as_it_was(shop, do, who):
    source = shop.source()
    found = source.find(who)
    refer_to_customers(shop, "late_complaints")
    shop.add("late_complaints", id=1, customer_id=1)
    before = {name: shop.rows(name) for name in shop.metadata.tables}

    with pytest.raises(Problem, match=r"source\.referenced"):
        source.erase(do("erase"), found)
    assert {name: shop.rows(name) for name in shop.metadata.tables} == before


def test_reading_cannot_write(shop):
    engine = shop.source()._engine(read_only=True)

    with pytest.raises(sa.exc.SQLAlchemyError), engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM order_lines"))
    assert len(shop.rows("order_lines")) == 4


def test_no_error_quotes_a_value_or_the_password(shop, monkeypatch):
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", "postgresql://boss:s3cret@127.0.0.1:1/none")
    with pytest.raises(Problem) as raised:
        shop.source().find(Who((("email", KARI),)))

    assert raised.value.code == "source.unreachable"
    assert "s3cret" not in str(raised.value)
    assert KARI not in str(raised.value)
    assert raised.value.__cause__ is None
