"""`lofte doctor`: each thing looked at is broken in turn, and the doctor says what it saw and the way out."""

import json
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from lofte.cli import doctor
from lofte.cli.doctor import Finding, examine
from lofte.cli.main import main
from lofte.core import publication
from lofte.core.mailing import names
from lofte.core.models import Duty, Outbox
from lofte.features.findings import verbs as findings
from lofte.features.rights import requests

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def of(home: Path, check: str) -> list[Finding]:
    """What the doctor says of one check."""
    publication.forget()
    return [finding for finding in examine(home) if finding.check == check]


@pytest.fixture
def healthy(in_force: Path, entered: Path, letterbox: Any) -> Path:
    """A published house that nothing ails."""
    entered.chmod(0o700)
    return entered


def test_a_healthy_house_has_no_failure(healthy: Path, capsys) -> None:
    publication.forget()

    assert main(["doctor"]) == 0

    said = capsys.readouterr().out
    assert "failure" not in said
    for line in (
        "keys         ours alone",
        "publication  version 2023-01",
        "duties       none overdue",
        "0 letters wait",
    ):
        assert line in said


def test_every_check_says_something(healthy: Path) -> None:
    publication.forget()

    said = {finding.check for finding in examine(healthy)}
    expected = {
        "python",
        "stores",
        "disk",
        "clock",
        "copies",
        "keys",
        "mail",
        "sending",
        "browser",
        "publication",
        "evidence",
        "duties",
        "requests",
        "staff",
        "transfers",
        "tags",
        "promises",
    }
    assert said == expected


def test_as_json_each_finding_is_an_item(healthy: Path, capsys) -> None:
    publication.forget()

    assert main(["doctor", "--json"]) == 0

    said = json.loads(capsys.readouterr().out)
    assert {"check": "keys", "state": "ok", "said": "ours alone", "way_out": ""} in said


def test_keys_open_to_others_are_a_failure(healthy: Path, capsys) -> None:
    (healthy / "keys" / "log.key").chmod(0o644)
    publication.forget()

    assert main(["doctor"]) == 1

    said = capsys.readouterr().out
    assert "failure  keys         others may read log.key" in said
    assert "chmod 700" in said


def test_a_keys_folder_open_to_others_is_a_failure(healthy: Path) -> None:
    (healthy / "keys").chmod(0o755)

    [finding] = of(healthy, "keys")
    assert (finding.state, finding.said) == ("failure", "others may read the folder itself")


def test_a_data_directory_open_to_others_is_a_warning(healthy: Path) -> None:
    healthy.chmod(0o755)

    assert [finding.state for finding in of(healthy, "keys")] == ["ok", "warning"]


def test_a_mail_server_that_went_away_is_a_failure(healthy: Path, settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = free.getsockname()[1]

    finding = of(healthy, "mail")[0]
    assert finding.state == "failure"
    assert finding.said.endswith("does not answer (ConnectionRefusedError)")
    assert "LOFTE_SMTP" in finding.way_out


def test_without_a_mail_server_letters_wait(healthy: Path, settings: Any) -> None:
    settings.EMAIL_HOST = ""

    finding = of(healthy, "mail")[0]
    assert (finding.state, finding.way_out) == ("warning", "Set LOFTE_SMTP.")


def test_a_damaged_publication_is_a_failure(healthy: Path) -> None:
    manifest = json.loads(next((healthy / "published" / "publications").iterdir()).read_bytes())
    (healthy / "published" / "objects" / manifest["files"]["SE/sv/policy.html"]).write_bytes(b"another promise")

    [finding] = of(healthy, "publication")
    assert finding.state == "failure"
    assert "the frozen bytes of SE/sv/policy.html were changed" in finding.said
    assert "Publish again" in finding.way_out


def test_a_missing_frozen_file_is_a_failure(healthy: Path) -> None:
    manifest = json.loads(next((healthy / "published" / "publications").iterdir()).read_bytes())
    (healthy / "published" / "objects" / manifest["files"]["NO/nb/banner.html"]).unlink()

    [finding] = of(healthy, "publication")
    assert finding.state == "failure"
    assert "missing" in finding.said


def test_where_nothing_is_published_the_doctor_says_how_to(entered: Path, letterbox: Any) -> None:
    [finding] = of(entered, "publication")

    assert (finding.state, finding.said) == ("failure", "no policy has been published here yet")
    assert finding.way_out == "Run `lofte publish DIR`."


def test_where_nothing_is_published_every_other_check_is_still_made(entered: Path, letterbox: Any) -> None:
    publication.forget()

    said = {finding.check for finding in examine(entered)}
    assert {"stores", "disk", "keys", "mail", "evidence", "duties"} <= said


def test_facts_that_wait_too_long_are_a_failure(healthy: Path) -> None:
    Outbox.objects.create(kind="action", fact={}, made_at=timezone.now() - timedelta(minutes=6))

    [finding] = of(healthy, "evidence")
    assert finding.state == "failure"
    assert "1 facts on their way" in finding.said


def test_an_overdue_duty_is_named(healthy: Path) -> None:
    Duty.objects.create(name="retention.sweep", every_s=300, next_due=timezone.now() - timedelta(hours=1))

    [finding] = of(healthy, "duties")
    assert (finding.state, finding.said) == ("failure", "overdue: retention.sweep")


def test_somebody_who_was_not_answered_in_time_is_counted_and_not_named(healthy: Path) -> None:
    publication.forget()
    late = timezone.now() - timedelta(days=60)
    requests.receive(
        None, "access", by="staff:1", channel="phone", market="SE", locale="sv", at=late, words="Allt om mig"
    )  # fmt: skip

    [finding] = of(healthy, "requests")
    assert (finding.state, finding.said) == ("warning", "1 open, 0 with a week or less, 1 past the last day")


def test_a_clock_behind_work_already_done_is_a_failure(healthy: Path) -> None:
    ahead = timezone.now() + timedelta(hours=2)
    Duty.objects.create(name="retention.sweep", every_s=300, next_due=ahead, last_finished=ahead)

    [finding] = of(healthy, "clock")
    assert finding.state == "failure"
    assert "before work already done" in finding.said


def test_a_full_disk_is_a_failure(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1e6}))

    assert of(healthy, "disk")[0].state == "failure"


def test_a_slow_flush_is_a_warning(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SLOW_FLUSH_MS", 0.0)

    flush = of(healthy, "disk")[1]
    assert flush.state == "warning"
    assert "faster flush" in flush.way_out


def test_without_a_browser_the_doctor_says_what_stays_unproved(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)

    [finding] = of(healthy, "browser")
    assert finding.state == "warning"
    assert "unproved" in finding.said


def test_a_check_that_cannot_be_made_is_a_failure_and_no_traceback(
    healthy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(_: Path) -> None:
        raise RuntimeError("kari.nordmann@example.no")

    monkeypatch.setattr(doctor.shutil, "disk_usage", fall)

    [finding] = of(healthy, "disk")
    assert (finding.state, finding.said) == ("failure", "could not be checked (RuntimeError)")


def test_the_flush_test_leaves_nothing_behind(healthy: Path) -> None:
    before = sorted(os.listdir(healthy))
    of(healthy, "disk")

    assert sorted(os.listdir(healthy)) == before


def test_a_new_house_in_a_process_of_its_own_says_what_is_missing(lofte) -> None:
    examined = lofte("doctor")

    assert examined.returncode == 1
    assert "failure  publication  no policy has been published here yet" in examined.stdout
    assert "Traceback" not in examined.stderr


def test_one_who_approves_alone_is_a_warning_and_two_with_a_second_factor_are_well(healthy: Path) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.contrib.auth.models import User

    from lofte.cli import staff

    staff.add("anna", roles=["lead"])
    [finding] = of(healthy, "staff")
    assert (finding.state, finding.said) == (
        "warning", "1 reach people (1 without a second factor), 1 may approve for others",
    )  # fmt: skip
    assert "take two people" in finding.way_out

    staff.add("bo", roles=["lead"])
    for user in User.objects.all():
        TOTP.activate(user, generate_totp_secret())
    assert of(healthy, "staff") == [Finding("staff", "ok", "2 reach people, 2 may approve for others", "")]


def test_a_file_of_roles_with_a_fault_is_a_failure_with_the_way_out(healthy: Path) -> None:
    from lofte.cli import staff

    staff.add("anna")
    (healthy / "roles.yaml").write_text("roles: [")

    [finding] = of(healthy, "staff")
    assert finding.state == "failure"
    assert "Mend the file" in finding.way_out


def test_the_sending_domain_is_asked_for_only_where_others_could_ask_too(
    healthy: Path, settings: Any, monkeypatch
) -> None:
    settings.DEFAULT_FROM_EMAIL = "noreply@localhost"
    assert [(each.state, each.said) for each in of(healthy, "sending")] == [
        ("ok", "localhost is no public domain: nothing to ask")
    ]

    class Empty:
        def __init__(self, patience_s: float) -> None: ...

        def _none(self, *asked: Any) -> tuple[Any, ...]:
            return ()

        texts = addresses = mail_servers = names_of = _none

    settings.DEFAULT_FROM_EMAIL = "news@example.se"
    monkeypatch.setattr(names, "Dns", Empty)
    (found,) = of(healthy, "sending")
    assert found.state == "warning"
    assert found.said.startswith("example.se: not ready: spf, dmarc, alignment, mx, one_click; ")
    assert found.way_out == "lofte mail check"


def test_what_our_pages_carry_and_nobody_declared_is_named(healthy: Path) -> None:
    findings.note("gate", "script", "chat.example", "SE", "/se/")
    findings.note("gate", "script", "www.googletagmanager.com", "SE", "/se/")
    findings.note("browser", "img-src", "extension.example", "SE", "/se/")
    findings.flush(timezone.now())

    (found,) = of(healthy, "tags")
    assert (found.state, found.said) == ("warning", "undeclared on our pages: chat.example")
