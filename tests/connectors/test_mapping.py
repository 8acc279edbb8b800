"""A mapping is read strictly: each mistake has its file, line, key and way out, and nothing runs while there is one."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lofte.connectors.sql import mapping
from lofte.core import clock
from lofte.core.systems import Act, Who
from lofte.kernel.problems import Problem

WHO = Who((("email", "kari.nordmann@example.no"),))
ADDRESSES = (
    "  addresses:\n    via: customers\n    purpose: customer\n    erase: delete\n    columns: { street: dialogue }\n"
)
LINES = "  order_lines:\n    via: orders\n    erase: delete\n"
# What stands in the good mapping, what is put there instead, what must be expected, and at which key.
MISTAKES = {
    "a key nobody knows": (ADDRESSES, ADDRESSES.replace("columns", "colums"), "`columns`", "tables.addresses.colums"),
    "a word nobody knows": (LINES, LINES.replace("delete", "shred"), "'delete', 'clear' or 'keep'", "tables.order_lines.erase"),
    "no decision": (LINES, LINES.replace("    erase: delete\n", ""), "delete, clear or keep", "tables.order_lines.erase"),
    "rows kept under no law": ('    law: "Bokføringsloven 13"\n', "", "`erase: keep` with `law`", "tables.ledger.law"),
    "a mask without a value": (", mask: 0 }", " }", "`erase: mask` with `mask`", 'tables.odd "name"; --.columns.year.mask'),
    "nobody's rows": (LINES, LINES.replace("    via: orders\n", ""), "`find` or `via`", "tables.order_lines"),
    "a path into nowhere": (LINES, LINES.replace("via: orders", "via: order"), "a table of this file", "tables.order_lines.via"),
    "a path to itself": (LINES, LINES.replace("orders", "order_lines"), "another mapped table", "tables.order_lines.via"),
    "a column that would stay": (
        "{ email: 'e mail\"' }", "{ email: other }", "the column under `columns`", 'tables.odd "name"; --.find.email',
    ),
    "a column twice": (
        ADDRESSES, f"{ADDRESSES}    not_personal: {{ street: why }}\n", "one of the two", "tables.addresses.not_personal.street",
    ),
    "the address with its password": ("LOFTE_SOURCE_SHOP", "postgresql://u:hunter2@host/db", "a name in capitals", "url_from"),
    "a duplicate": ('country: "NO"', 'country: "NO"\ncountry: "SE"', "each key once", "country"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_has_its_place_and_what_was_expected(small_shop, what):
    right, wrong, expected, key = MISTAKES[what]
    small_shop.mapping(lambda text: text.replace(right, wrong, 1))
    text = small_shop.file.read_text(encoding="utf-8")
    assert wrong in text
    _, _, problems = mapping.understand("shop.yaml", text)
    seen = [(problem.place.key, problem.expected, problem.place.line) for problem in problems]

    assert any(place == key and expected in hint for place, hint, _ in seen), seen
    assert all(0 < line <= text.count("\n") for *_, line in seen)
    assert "hunter2" not in str(problems)
    with pytest.raises(Problem):
        small_shop.source()


UNFIT = {
    "a column that is gone": ("street: dialogue", "strasse: dialogue", "addresses.strasse"),
    "a table that is gone": ("  order_lines:", "  order_rows:", "order_rows"),
    "a number as text": ("mask: 0 }", "mask: none }", "another type"),
    "a mask that is too long": ("erased-{unique}@", "e" * 200 + "{unique}@", "longer than the 200"),
    "a unique column masked alike": ("erased-{unique}@", "erased@", "must be another"),
    "a column that must hold something": (
        'erase: mask, mask: "erased-{unique}@invalid.example"', "erase: clear", "must hold something",
    ),
    "no foreign key": ("{ table: customers, columns: { customer_number: number } }", "customers", "no foreign key joins"),
    "a mark of another type": ("opted_in: false", "opted_in: never", "another type"),
    "an unknown field": ("{ street: dialogue }", "{ street: home }", "declares no field `home`"),
    "an unknown purpose": ("purpose: accounting", "purpose: curiosity", "declares no purpose `curiosity`"),
    "a field the purpose does not use": ("purpose: accounting", "purpose: newsletter\n    find: { email: billed_to }", ""),
    "a way to find that is anybody's": ("{ email: email, phone: phone }", "{ name: full_name }", "not told apart by a name"),
    "rows that would be stopped": (LINES, LINES.replace("delete", "keep\n    law: x"), "would stop the delete"),
    "an exemption for nothing": ("not_personal:\n", "exempt: { nowhere.at_all: because }\nnot_personal:\n", "nowhere.at_all"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNFIT)
def test_what_does_not_fit_the_database_or_the_policy_stops_it(small_shop, what):
    right, wrong, said = UNFIT[what]
    small_shop.mapping(lambda text: text.replace(right, wrong, 1))
    problems = small_shop.source().check()

    assert any(said in problem.detail for problem in problems) or (not said and problems == []), [
        str(each) for each in problems
    ]
    if problems:
        with pytest.raises(Problem):
            small_shop.source().find(WHO)


def test_two_foreign_keys_to_one_table_must_be_told_apart(shop):
    reference = sa.ForeignKey("customers.id")
    shop.make(
        "gifts", sa.Column("id", sa.Integer, primary_key=True), sa.Column("giver", sa.Integer, reference),
        sa.Column("taker", sa.Integer, sa.ForeignKey("customers.id")), sa.Column("wish", sa.String(50)),
    )  # fmt: skip
    shop.add("gifts", id=1, giver=1, taker=3)
    shop.add("gifts", id=2, giver=3, taker=3)
    plain = "  gifts:\n    via: customers\n    erase: delete\nnot_personal:"
    shop.mapping(lambda text: text.replace("not_personal:", plain, 1))
    assert "more than one foreign key" in shop.source().check()[0].detail

    told = plain.replace(
        "via: customers",
        "via: [{ table: customers, columns: { giver: id } }, { table: customers, columns: { taker: id } }]",
    )
    shop.mapping(lambda text: text.replace("not_personal:", told, 1))
    assert shop.source().find(WHO).counts["gifts"] == 1


def test_a_table_without_a_key_says_so_and_takes_one_from_the_mapping(small_shop):
    small_shop.do("CREATE TABLE signups (email TEXT, at TEXT)")
    small_shop.do(
        "INSERT INTO signups VALUES ('kari.nordmann@example.no', 'x'), ('kari.nordmann@example.no', 'y'), ('ola@example.no', 'z')"
    )
    rules = "  signups:\n    find: { email: email }\n    erase: delete\nnot_personal:"
    small_shop.mapping(lambda text: text.replace("not_personal:", rules, 1))
    assert "no primary key" in small_shop.source().check()[0].detail

    small_shop.mapping(lambda text: text.replace("not_personal:", rules.replace("erase", "key: [email]\n    erase"), 1))
    source = small_shop.source()
    found = source.find(WHO)
    source.erase(Act(uuid4(), "erase", WHO), found)
    with small_shop.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT email FROM signups")).scalars().all() == ["ola@example.no"]


UNMAPPED = {
    "an address in a column with a dull name": ("col7", "kari@example.no", "email in 100 % of 3 values"),
    "addresses in running text": ("remark", "please write to kari@example.no", "email"),
    "a Swedish number": ("ref", "811228-9874", "swedish-number"),
    "a Norwegian number": ("ref", "01010750160", "norwegian-number"),
    "a Finnish number": ("ref", "131052-308T", "finnish-number"),
    "an account": ("ref", "SE4550000000058398257466", "iban"),
    "telephone numbers": ("ref", "+46 70 123 45 67", "phone"),
    "a telling name over an empty column": ("förnamn", None, "its name says name"),
}


@pytest.mark.parametrize("what", UNMAPPED)
def test_it_does_not_start_while_a_column_looks_personal_and_is_unmapped(shop, what):
    name, value, said = UNMAPPED[what]
    table = shop.make("leads", sa.Column("id", sa.Integer, primary_key=True), sa.Column(name, sa.String(80)))
    shop.do(table.insert(), [{"id": n, name: value} for n in (1, 2, 3)])
    problems = shop.source().check()

    assert [(problem.code, problem.place.key) for problem in problems] == [
        ("source.unmapped", f"tables.leads.columns.{name}")
    ]
    assert said in problems[0].detail
    assert value is None or value not in str(problems[0])
    with pytest.raises(Problem, match=r"source\.unmapped"):
        shop.source().find(WHO)


def test_a_column_called_not_personal_with_a_reason_is_left_alone(shop):
    table = shop.make("leads", sa.Column("id", sa.Integer, primary_key=True), sa.Column("box", sa.String(80)))
    shop.do(table.insert(), [{"id": 1, "box": "support@shop.example"}])
    shop.mapping(lambda text: text + "  leads.box: Our own mailboxes\n")

    assert shop.source().check() == []


def test_a_column_added_later_is_seen_within_a_day(small_shop):
    source = small_shop.source()
    source.start()
    small_shop.do("ALTER TABLE order_lines ADD COLUMN email VARCHAR(80)")
    source.start()
    with clock.at(clock.now() + timedelta(hours=25)), pytest.raises(Problem, match=r"source\.unmapped"):
        source.start()


def test_a_mistyped_sqlite_file_is_not_made(small_shop, monkeypatch, tmp_path):
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", f"sqlite:///{tmp_path}/mistyped.sqlite3")
    with pytest.raises(Problem, match=r"source\.unreachable"):
        small_shop.source().check()

    assert not (tmp_path / "mistyped.sqlite3").exists()


@pytest.mark.parametrize(
    "url", ["", "not a url", "oracle://x/y", "http://x", "postgresql", "sqlite://", "sqlite:///:memory:"]
)
def test_an_address_that_is_none_is_refused(small_shop, monkeypatch, url):
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", url)

    with pytest.raises(Problem, match=r"source\.(no-url|bad-url|unreachable)"):
        small_shop.source().check()


@given(st.text(max_size=300))
def test_no_text_is_a_traceback(text):
    found, _, problems = mapping.understand("x.yaml", text)

    assert found is not None or problems


KEYS = st.sampled_from(
    ["tables", "find", "via", "columns", "erase", "connector", "format", "url_from", "law", "mask", "a"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
SHAPES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@given(SHAPES)
def test_no_shape_is_a_traceback(content):
    text = json.dumps({"connector": "sql", "format": "sql/1", "tables": content})
    found, _, problems = mapping.understand("x.yaml", text)

    assert found is not None or problems
