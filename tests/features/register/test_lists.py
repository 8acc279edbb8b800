"""Lists of people in and out: declared fields for one purpose, judged first, nothing half done, nobody erased comes back unseen."""

import random
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.core import clock
from lofte.core.keys.models import OwnerKey
from lofte.core.models import Action, Person
from lofte.features.consent import verbs as consent
from lofte.features.register import exports, imports, reads, sheets, vcard, verbs
from lofte.features.register.models import Holding, Import, Look, Placement
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem

database = pytest.mark.django_db(databases=["default", "keys"])
INTO = imports.Into("customer", "NO", "nb", "fair-2026", "customer")


def sheet_of(text, name="people.csv", into=INTO, **columns):
    return sheets.read(name, text.encode(), imports.fields_for(into.purpose), columns)


def fates(text, into=INTO, **more):
    return [(each.outcome, *each.reasons) for each in imports.preview(sheet_of(text, into=into, **more), into)]


def take_in(text, into=INTO, **more):
    return imports.carry_out(sheet_of(text, into=into), into, text.encode(), by="staff:1", **more)


def out(form="csv"):
    count = exports.Count()
    return "".join(exports.export("customer", form, by="staff:1", count=count)), count


@database
def test_each_row_is_told_its_fate_before_anything_is_written(somebody):
    somebody()
    text = (
        "email,name,phone\n"
        "kari.nordmann@example.no,Kari,\n"
        "ola@example.no,Ola,22 00 00 00\n"
        "OLA@example.no,Ola D,\n"
        "nonsense,Nobody,\n"
        "per@example.no,Per,call me\n"
        ",Nameless,\n"
    )

    assert fates(text) == [
        ("merged",),
        ("new",),
        ("merged", ("", "row-3")),
        ("refused", ("email", "no-email")),
        ("refused", ("phone", "no-phone")),
        ("refused", ("", "nothing-to-find-by")),
    ]
    assert Person.objects.count() == 1
    assert not Import.objects.exists()


@database
def test_people_are_taken_in_with_purpose_source_relation_and_place(published):
    done = take_in("email;name;company\nola@example.no;Ola Dunk;Fjord AS\n")

    person = reads.person_of("email", "ola@example.no")
    assert done.counts == {"new": 1, "merged": 0, "refused": 0}
    assert {
        (each.field, each.value, each.source) for each in reads.open_all(person, "security", by="probe").values()
    } == {
        ("email", "ola@example.no", "import:fair-2026"),
        ("name", "Ola Dunk", "import:fair-2026"),
        ("company", "Fjord AS", "import:fair-2026"),
    }
    assert [each.relation for each in reads.relations_of(person)] == ["customer"]
    assert Placement.objects.of(person).count() == 1


@database
def test_nothing_is_written_while_a_row_is_refused(published):
    with pytest.raises(Problem, match=r"people\.refused"):
        take_in("email\nola@example.no\nnonsense\n")
    assert not Person.objects.exists()
    assert not OwnerKey.objects.exists()


@database
def test_the_good_rows_are_taken_in_when_that_is_asked_for(published):
    assert take_in("email\nola@example.no\nnonsense\n", leave_out_refused=True).counts == {
        "new": 1,
        "merged": 0,
        "refused": 1,
    }


@database
def test_the_same_file_again_changes_nothing(published):
    text = "email,name\nola@example.no,Ola\n"
    first, again = take_in(text), take_in(text)

    assert first.id == again.id
    assert Person.objects.count() == 1
    assert Action.objects.filter(action="people.imported").count() == 1


@database
def test_an_import_that_was_killed_goes_on_where_it_was(published, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    text = "email\n" + "".join(f"p{number}@example.no\n" for number in range(7))
    welcome, met = verbs.welcome, []

    def breaks():
        met.append(1)
        if len(met) == 6:
            raise KeyboardInterrupt
        return welcome()

    monkeypatch.setattr(verbs, "welcome", breaks)
    with pytest.raises(KeyboardInterrupt):
        take_in(text)
    assert (Person.objects.count(), Import.objects.get().done, OwnerKey.objects.count()) == (4, 4, 4)

    assert take_in(text).counts == {"new": 7, "merged": 0, "refused": 0}
    assert Person.objects.count() == 7


@database
def test_somebody_who_was_erased_comes_back_only_on_a_newer_ground(somebody, log):
    assert rights.erase(somebody(), by="person").is_complete
    text = "email\nkari.nordmann@example.no\n"

    assert fates(text) == [("refused", ("email", "erased-before"))]
    same_day = imports.Into("customer", "NO", "nb", "fair-2026", "customer", clock.now().date())
    later = imports.Into("customer", "NO", "nb", "fair-2026", "customer", date(2999, 1, 1))
    assert fates(text, same_day) == [("refused", ("email", "erased-before"))]
    assert fates(text, later) == [("new",)]


@database
def test_somebody_who_objected_is_not_taken_in_again(somebody):
    person = somebody(purpose="answers")
    consent.object_to(person, "answers", method="portal")

    into = imports.Into("answers", "NO", "nb", "fair-2026")
    assert fates("email\nkari.nordmann@example.no\n", into) == [("refused", ("email", "objected"))]


@database
def test_an_address_that_is_being_confirmed_is_left_alone(published):
    person = verbs.welcome(provisional=True)
    verbs.hold(person, {"email": "ola@example.no"}, "newsletter", source="form:newsletter", market="NO", locale="nb")

    assert fates("email\nola@example.no\n") == [("refused", ("email", "unconfirmed"))]


@database
def test_a_number_two_people_share_is_nobody(somebody):
    for each in (somebody("a@example.no"), somebody("b@example.no")):
        verbs.hold(each, {"phone": "22 00 00 00"}, "customer", source="staff:1", market="NO", locale="nb")

    assert fates("phone\n+47 22 00 00 00\n") == [("refused", ("phone", "several-people"))]
    assert fates("email,phone\nc@example.no,22000000\n") == [("new",)]


@database
@pytest.mark.parametrize(
    ("into", "code"),
    [
        (imports.Into("newsletter", "NO", "nb", "x"), "people.needs-consent"),
        (imports.Into("profiling", "NO", "nb", "x"), "register.undeclared"),
        (imports.Into("statistics", "NO", "nb", "x"), "register.undeclared"),
        (imports.Into("customer", "NO", "sv", "x", "customer"), "people.no-edition"),
        (imports.Into("customer", "XX", "nb", "x", "customer"), "people.no-edition"),
        (imports.Into("customer", "NO", "nb", "x"), "people.no-relation"),
        (imports.Into("customer", "NO", "nb", "x", "prospect"), "register.undeclared"),
    ],
)
def test_a_list_needs_a_purpose_a_place_and_a_clock(published, into, code):
    with pytest.raises(Problem) as refused:
        fates("email\nola@example.no\n", into)
    assert refused.value.code == code


@database
def test_dialogue_and_undeclared_fields_are_not_taken_from_lists(published):
    for field in ("dialogue", "topics", "shoe-size"):
        with pytest.raises(Problem, match=r"register\.undeclared"):
            sheet_of("email,Extra\nola@example.no,x\n", Extra=field)
    assert sheet_of("email,dialogue,Shoe\nola@example.no,x,43\n").left_out == ("dialogue", "Shoe")


@database
def test_a_formula_is_text_and_said_so(published):
    found = imports.preview(sheet_of('email,name\nola@example.no,"=HYPERLINK(""x"")"\n'), INTO)[0]

    assert found.disarmed == ("name",)
    assert found.values["name"] == 'HYPERLINK("x")'


@database
def test_columns_of_other_names_are_mapped(published):
    sheet = sheets.read(
        "x.csv", "﻿E-post\tNavn\nola@example.no\tØyvind\n".encode(), imports.fields_for("customer"),
        {"E-post": "email", "Navn": "name"},
    )  # fmt: skip

    assert sheet.columns == {"E-post": "email", "Navn": "name"}
    assert sheet.rows[0].cells == {"E-post": "ola@example.no", "Navn": "Øyvind"}


@database
@pytest.mark.parametrize(
    ("content", "columns", "code"),
    [
        (b"\xff\x00caf\xe9", {}, "people.encoding"),
        (b"Name and address\nx\n", {}, "people.no-column"),
        (b"email\nx\n", {"Mail": "email"}, "people.no-column"),
        (b"email,Email\na@b.no,c@d.no\n", {}, "people.column-twice"),
        (b"", {}, "people.no-column"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_way_out(published, content, columns, code):
    with pytest.raises(Problem) as refused:
        sheets.read("x.csv", content, imports.fields_for("customer"), columns)
    assert refused.value.code == code


@database
def test_a_torn_row_is_refused(published):
    assert fates("email,name\nola@example.no,Ola,Dunk\n") == [("refused", ("", "torn-row"))]


@database
def test_cards_are_taken_in(published):
    text = (
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Dunk;Ola;;;\r\nFN:Ola\r\n  Dunk\r\nitem1.EMAIL;TYPE=INTERNET:old@example.no\r\n"
        "EMAIL;TYPE=INTERNET,PREF:ola@example.no\r\nTEL;VALUE=uri:tel:+47-22-00-00-00\r\nORG:Fjord\\, Fjell AS;Salg\r\n"
        "NOTE:secret\r\nEND:VCARD\r\n"
    )
    sheet = sheet_of(text, "people.vcf")

    assert sheet.left_out == ("NOTE",)
    assert imports.preview(sheet, INTO)[0].values == {
        "name": "Ola Dunk",
        "email": "ola@example.no",
        "phone": "+47-22-00-00-00",
        "company": "Fjord, Fjell AS",
    }


def test_an_old_card_in_quoted_printable_is_read():
    text = (
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:=C5s;=\n=D8yvind\n"
        "EMAIL:o@example.no\nEND:VCARD\n"
    )

    assert vcard.read(text)[0]["N"] == "Øyvind Ås"


@pytest.mark.parametrize(
    "text", ["FN:x\n", "BEGIN:VCARD\nFN:x\n", "BEGIN:VCARD\nBEGIN:VCARD\n", "BEGIN:VCARD\nnonsense\n", "END:VCARD\n"]
)
def test_a_broken_card_is_named_by_its_line(text):
    with pytest.raises(Problem, match=r"vcard\.broken"):
        vcard.read(text)


@given(
    st.dictionaries(
        st.sampled_from(["FN", "ORG", "TITLE", "ROLE"]),
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    )
)
def test_what_is_written_is_read_back(values):
    person = Person().id
    text = vcard.write(person, values)

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert {name: vcard.read(text)[0][name] for name in values} == values


@given(st.text())
def test_any_text_is_read_or_refused_and_never_fails_otherwise(text):
    with suppress(Problem):
        vcard.read("BEGIN:VCARD\n" + text + "\nEND:VCARD\n")


@database
@pytest.mark.parametrize("form", ["csv", "vcard"])
def test_who_is_exported_can_see_the_look_and_comes_back_the_same(somebody, form):
    person = somebody(name="Kari, Nordmann")
    written, count = out(form)

    assert count.given == 1
    assert Look.objects.of(person).get().by == "staff:1"
    sheet = sheet_of(written, "x.csv" if form == "csv" else "x.vcf")
    found = imports.preview(sheet, INTO)[0]
    assert (found.outcome, found.person, found.values["name"]) == ("merged", person, "Kari, Nordmann")


@database
def test_a_cell_a_spreadsheet_would_run_leaves_disarmed_and_comes_back_whole(somebody):
    somebody(name="-Kari")

    written, _ = out()
    assert "'-Kari" in written
    assert imports.preview(sheet_of(written), INTO)[0].values["name"] == "-Kari"


@database
def test_those_who_may_not_be_used_for_the_purpose_are_withheld(somebody):
    person = somebody(purpose="answers")
    consent.object_to(person, "answers", method="portal")
    count = exports.Count()

    written = "".join(exports.export("answers", "csv", by="staff:1", count=count))
    assert (count.given, count.withheld, written.count("\r\n")) == (0, 1, 1)


@database
def test_a_large_list_in_any_order_gives_everybody_once(published):
    rows = [f"p{number}@example.no,Person {number}\n" for number in range(250)]
    random.Random(7).shuffle(rows)
    take_in("email,name\n" + "".join(rows))

    assert Person.objects.count() == 250
    assert Holding.everyone.count() == 500
    assert Import.objects.get().finished_at
