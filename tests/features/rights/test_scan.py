"""The one search for many: finds what is there wherever it is stored, for whom it is, and goes on where it was stopped."""

import os
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connections

from lofte.core import clock
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.features.rights import erasure, scan, together, verbs
from lofte.features.rights.models import Erasure
from lofte.features.rights.scan import Needle, Place, Wanted

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
on_sqlite = pytest.mark.skipif("connections['default'].vendor != 'sqlite'", reason="about files of SQLite")


def raw(text):
    return Needle("raw", text.encode(), any_case=True)


@pytest.fixture
def table():
    """A table nobody declared, as grows in every company."""
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE old_export (n INTEGER, note TEXT, more TEXT)")
    yield (
        lambda *notes: (
            connections["default"]
            .cursor()
            .executemany("INSERT INTO old_export VALUES (%s, %s, %s)", [(n, note, "x") for n, note in enumerate(notes)])
        )
    )
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE old_export")


def found(wanted, after=None):
    hits = {}
    for step in scan.steps(wanted, after):
        for (whose, where, form), count in step.hits.items():
            hits[whose, where, form] = hits.get((whose, where, form), 0) + count
    return hits


@pytest.mark.parametrize(
    ("wanted", "stored"),
    [
        ("Åsa Öberg", "ÅSA ÖBERG"), ("Åsa Öberg", "åsa öBERG"), ("ØYVIND ÅS", "brev til Øyvind ås, sendt"),
        ("kari@example.no", "KARI@Example.NO"),
        ("Иванова Мария Петровна", "ИВАНОВА мария Петровна"), ("ÅÄÖÅÄÖÅÄÖÅÄÖ", "xx åäöåäöåäöåäö xx"), ("李小龙 Lee", "李小龙 LEE"),
        ("Jürgen Weiß", "JÜRGEN WEIß"), ("O’Connor Zoë", "o’connor zoË"),
    ],
)  # fmt: skip
def test_a_value_is_found_in_capitals_and_small_letters_of_every_script(wanted, stored):
    sieve = Wanted({"a": [raw(wanted)]})

    assert sieve.may_hold(stored.encode())
    assert sieve.held(stored.encode()) == {("a", "raw")}


@pytest.mark.parametrize("stored", ["Asa Oberg", "Åsa  Öberg", "Åsa Öber", "", "\udcc3\udca5"])
def test_what_only_looks_alike_is_not_found(stored):
    assert Wanted({"a": [raw("Åsa Öberg")]}).held(stored.encode(errors="surrogateescape")) == set()


def test_a_value_of_exact_bytes_is_not_found_in_other_capitals():
    sieve = Wanted({"a": [Needle("encoded", b"QWxhZGRpbg")]})

    assert sieve.held(b"xQWxhZGRpbgx") == {("a", "encoded")}
    assert sieve.held(b"qwxhzgrpbg") == set()


def test_overlapping_values_of_several_people_are_each_found_and_nobody_elses():
    sieve = Wanted({"kari": [raw("Kari Nordmann")], "ola": [raw("Nordmann AS")], "eva": [raw("Eva Dahl")], "none": []})

    assert sieve.held(b"to kari nordmann as") == {("kari", "raw"), ("ola", "raw")}


def test_each_persons_rows_are_counted_where_they_are(table, home):
    table("Kari Nordmann", "Ola Hansen og Kari Nordmann", "nobody", None, "OLA HANSEN")

    hits = found(Wanted({"kari": [raw("Kari Nordmann")], "ola": [raw("Ola Hansen")]}))

    assert hits == {("kari", "default.old_export.note", "raw"): 2, ("ola", "default.old_export.note", "raw"): 2}


@on_sqlite
def test_a_search_stopped_after_any_step_and_resumed_finds_the_same(table, home, monkeypatch):
    monkeypatch.setattr(scan, "_SLICE", 3)
    table(*(f"row {n} of Kari Nordmann" if n % 4 == 0 else f"row {n}" for n in range(20)))
    (home / "copy.txt").write_text("Kari Nordmann")
    wanted = Wanted({"kari": [raw("Kari Nordmann")]})
    whole = found(wanted)
    steps = list(scan.steps(wanted))

    assert whole["kari", "default.old_export.note", "raw"] == 5
    assert whole["kari", "file:copy.txt", "raw"] == 1
    for number in range(len(steps)):
        hits = {}
        for step in [*steps[: number + 1], *scan.steps(wanted, steps[number].place)]:
            for key, count in step.hits.items():
                hits[key] = hits.get(key, 0) + count
        assert hits == whole, steps[number].place


@on_sqlite
def test_tables_without_row_numbers_or_with_a_column_of_that_name_are_read_whole(home, monkeypatch):
    monkeypatch.setattr(scan, "_SLICE", 2)
    with closing(sqlite3.connect(home / "odd.db")) as odd:
        odd.execute("CREATE TABLE a (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID")
        odd.execute("CREATE TABLE b (rowid TEXT, v TEXT)")
        odd.execute("CREATE TABLE c (rowid TEXT, _rowid_ TEXT, oid TEXT)")
        odd.execute("""CREATE TABLE "d""; --" ("e""f" TEXT)""")
        for n in range(5):
            odd.execute("INSERT INTO a VALUES (?, ?)", (str(n), b"\xff Kari Nordmann"))
            odd.execute("INSERT INTO b VALUES ('same', 'kari nordmann')")
            odd.execute("INSERT INTO c VALUES ('same', 'same', 'KARI NORDMANN')")
            odd.execute("""INSERT INTO "d""; --" VALUES ('Kari Nordmann')""")
        odd.commit()

    hits = found(Wanted({"k": [raw("Kari Nordmann")]}))

    places = {("a", "v"), ("b", "v"), ("c", "oid"), ('d"; --', 'e"f')}
    assert hits == {("k", f"file:odd.db.{table}.{column}", "raw"): 5 for table, column in places}


def test_a_value_across_two_blocks_of_a_large_file_is_found(home, monkeypatch):
    monkeypatch.setattr(scan, "_BLOCK", 1000)
    for start in range(980, 1002):
        (home / "large.log").write_bytes(b"." * start + "Kåre Ødegård".encode() + b"." * 3000)

        assert found(Wanted({"k": [raw("Kåre Ødegård")]})) == {("k", "file:large.log", "raw"): 1}


@pytest.mark.parametrize("content", [b"an old export", b"SQLite format 3\0"])
def test_a_file_that_is_removed_while_it_is_looked_at_holds_nothing(home, monkeypatch, content):
    copy, is_sqlite = home / "copy", scan._is_sqlite

    def then_remove(file):
        found = is_sqlite(file)
        if file == copy:
            file.unlink()
        return found

    monkeypatch.setattr(scan, "_is_sqlite", then_remove)
    for search in (scan.size, lambda: found(Wanted({"a": [raw("Ann")]}))):
        copy.write_bytes(content)
        search()
        assert not copy.exists()


def test_a_folder_that_is_removed_while_everything_is_read_holds_nothing(home, monkeypatch):
    folder, scandir = home / "half-made", os.scandir

    def too_late(path):
        if str(path) == str(folder):
            folder.rmdir()
        return scandir(path)

    folder.mkdir()
    monkeypatch.setattr(os, "scandir", too_late)
    scan.size()
    assert not folder.exists()


def test_one_search_of_many_people_leaves_open_only_who_is_still_somewhere(table, somebody, log, monkeypatch):
    people = [somebody(f"person{n}.nordmann@example.no", f"Person{n} Nordmann") for n in range(6)]
    table("person3.nordmann@example.no")
    reads = []
    real = scan.steps
    monkeypatch.setattr(scan, "steps", lambda *given: reads.append(1) or real(*given))
    for person in people:
        erasure.begin(person, "sweep")
    assert {row.state for row in Erasure.objects.all()} == {"verified"}

    assert verbs.resume(clock.now()) == 5
    assert len(reads) == 1
    assert [row.subject for row in Erasure.objects.exclude(state="done")] == [people[3]]
    assert Erasure.objects.get(subject=people[3]).residue[0]["where"] == "default.old_export.note"


@pytest.fixture
def large(monkeypatch):
    """Every house counts as large, and writes down every step."""
    monkeypatch.setattr(erasure, "AT_ONCE", 0)
    monkeypatch.setattr(erasure, "WRITE_EVERY", timedelta(0))


def test_in_a_large_house_the_answer_does_not_wait_for_the_search(somebody, log, large):
    person = somebody()

    done = verbs.erase(person)
    assert (done.is_complete, Erasure.objects.get().state) == (False, "verified")

    assert verbs.resume(clock.now()) == 1
    assert [work.finished_at is not None for work in Work.objects.filter(name="rights.search")] == [True]


@pytest.mark.parametrize("dies_at", [1, 7, 20])
def test_a_search_that_was_killed_goes_on_where_it_was_and_finds_what_it_had_found(
    somebody, log, large, table, monkeypatch, dies_at
):
    table("kari.nordmann@example.no")
    person, other = somebody(), somebody("ola.hansen@example.no", "Ola Hansen")
    for each in (person, other):
        erasure.begin(each, "sweep")
    told = []

    def die(done, total):
        told.append(done)
        if len(told) == dies_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together.resume(clock.now(), die)
    place = Work.objects.get().place
    assert "nordmann" not in str(place)
    assert person.hex not in str(place).replace("-", "")
    looked = []
    real = scan.steps
    monkeypatch.setattr(scan, "steps", lambda wanted, after, **_: looked.append(after) or real(wanted, after))

    assert verbs.resume(clock.now()) == 1

    assert looked[0] == Place(*place["after"])
    assert progress.under_way() == []
    left = Erasure.objects.exclude(state="done").get()
    assert (left.subject, {each["where"] for each in left.residue}) == (person, {"default.old_export.note"})


def test_a_search_out_of_time_stops_and_the_next_round_goes_on(somebody, log, large):
    erasure.begin(somebody(), "sweep")

    done = [together.resume(clock.now(), at_most=timedelta(0)) for _ in range(400) if erasure.unproved()]

    assert len(done) > 10
    assert done[-1] == 1
    assert progress.under_way() == []
