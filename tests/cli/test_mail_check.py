"""`lofte mail check` says what a mailbox provider sees of the sending domain."""

import json
from pathlib import Path
from typing import Any

import pytest

from lofte.cli.main import main
from lofte.core.mailing import names, readiness

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class Zone:
    """Nothing but an SPF record for one address."""

    def texts(self, name: str) -> tuple[str, ...]:
        return ("v=spf1 ip4:203.0.113.7 -all",) if name == "example.no" else ()

    def addresses(self, name: str, version: int) -> tuple[str, ...]:
        return ()

    def mail_servers(self, name: str) -> tuple[tuple[int, str], ...]:
        return ()

    def names_of(self, address: str) -> tuple[str, ...]:
        return ()


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(names, "Dns", Zone)
    monkeypatch.setattr(readiness, "greet", lambda host: "silent")
    settings.LOFTE_MAIL_DOMAIN = ""


def test_each_line_says_what_was_seen_and_the_way_out(in_force: Path, entered: Path, capsys) -> None:
    assert main(["mail", "check", "--domain", "Example.NO", "--address", "203.0.113.7"]) == 1

    said = capsys.readouterr().out
    assert "ready    spf        example.no lets 203.0.113.7 send." in said
    assert "fault    dmarc      example.no has no DMARC record." in said
    assert "Add a TXT record at _dmarc.example.no" in said


def test_it_can_be_read_by_a_program(in_force: Path, entered: Path, capsys) -> None:
    main(["mail", "check", "--domain", "example.no", "--address", "203.0.113.7", "--json"])

    lines = json.loads(capsys.readouterr().out)
    assert {line["check"] for line in lines} == {"spf", "dkim", "dmarc", "alignment", "ptr", "mx", "tls", "one_click"}
    assert next(line for line in lines if line["check"] == "spf")["code"] == "spf_passes"


def test_what_is_no_address_is_refused(in_force: Path, entered: Path, capsys) -> None:
    assert main(["mail", "check", "--address", "mail.example.no"]) != 0
    assert "no IP address" in capsys.readouterr().err
