"""`lofte records`: what the console gives, at the shell."""

import csv
import io
import json
import shutil

import pytest

pytestmark = pytest.mark.long


def test_the_records_are_printed_as_a_table_and_for_machines(lofte, house, tmp_path):
    shutil.copytree(house, tmp_path / "home")
    told = lofte("records", "--locale", "sv")
    rows = list(csv.reader(io.StringIO(told.stdout.lstrip("\ufeff"))))
    machine = lofte("records", "--form", "jsonld")

    assert (told.returncode, machine.returncode) == (0, 0), told.stderr + machine.stderr
    assert rows[0][3] == "Ändamål"
    assert len(json.loads(machine.stdout)["@graph"]) == 5
