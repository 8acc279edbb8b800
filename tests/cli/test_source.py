"""`lofte source`: says what stands in the way of a connected system, before anything is connected."""

import json
import sqlite3
from pathlib import Path

import pytest

from lofte.cli.main import main

POLICY = Path(__file__).parents[2] / "policies" / "xledger"
MAPPING = """\
connector: sql
format: sql/1
url_from: CRM_ADDRESS
tables:
  people:
    find: { email: email }
    purpose: contact
    erase: delete
    columns: { email: email, name: name }
"""


@pytest.fixture
def database(tmp_path, monkeypatch):
    """A small CRM and the mapping of it."""
    file = tmp_path / "crm.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, name TEXT)")
        connection.execute("INSERT INTO people VALUES (1, 'kari@example.no', 'Kari Nordmann')")
    connection.close()
    monkeypatch.setenv("CRM_ADDRESS", f"sqlite:///{file}")
    (tmp_path / "creatio.yaml").write_text(MAPPING)
    return file


def run(*args):
    return main(["source", *map(str, args)])


def test_a_mapping_that_fits_is_ready(database, tmp_path, capsys):
    assert run("check", tmp_path / "creatio.yaml", "--policy", POLICY) == 0
    assert capsys.readouterr().out == "creatio: ready\n"


def test_a_column_nobody_mapped_is_named_and_its_values_are_not(database, tmp_path, capsys):
    with sqlite3.connect(database) as connection:
        connection.execute("ALTER TABLE people ADD COLUMN second TEXT")
        connection.execute("UPDATE people SET second = 'secret@example.no'")
    connection.close()

    assert run("check", tmp_path / "creatio.yaml", "--policy", POLICY, "--json") == 1
    said = capsys.readouterr().out
    assert [(each["system"], each["code"]) for each in json.loads(said)] == [("creatio", "source.unmapped")]
    assert "people.second" in said
    assert "secret" not in said


def test_a_file_that_is_not_there_and_a_system_the_policy_lacks_are_problems(database, tmp_path, capsys):
    (tmp_path / "creatio.yaml").rename(tmp_path / "unheard-of.yaml")

    assert run("check", tmp_path / "creatio.yaml", "--policy", POLICY) == 1
    assert run("check", tmp_path / "unheard-of.yaml", "--policy", POLICY) == 1
    assert "declares no system `unheard-of`" in capsys.readouterr().out


def test_a_scan_lists_what_looks_personal_before_there_is_a_mapping(database, capsys):
    assert run("scan", "--url-from", "CRM_ADDRESS", "--json") == 0
    said = capsys.readouterr().out

    assert [(each["table"], each["column"]) for each in json.loads(said)] == [("people", "email")]
    assert "kari" not in said


def test_a_scan_asks_where_the_address_is(capsys):
    assert run("scan") == 1
    assert "--url-from" in capsys.readouterr().err


def test_a_scan_changes_nothing(database):
    before = database.read_bytes()
    run("scan", "--url-from", "CRM_ADDRESS")

    assert database.read_bytes() == before


def test_a_fides_dataset_becomes_a_draft_on_standard_output(tmp_path, capsys):
    dataset = tmp_path / "dataset.yml"
    dataset.write_text(
        "dataset:\n  - fides_key: crm\n    collections:\n      - name: people\n        fields:\n"
        "          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }\n"
        "          - { name: genome, data_categories: [user.genetic] }\n"
    )

    assert run("import-fides", dataset, "--policy", POLICY, "--purpose", "contact") == 0
    said = capsys.readouterr()
    assert "find:\n      email: email" in said.out
    assert "people.genome" in said.err
