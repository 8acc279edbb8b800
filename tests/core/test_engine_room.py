"""Duties, limits, codes, retries, settings, logs and the door outwards."""

import json
import logging
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from lofte.core import actions, clock, codes, environment, limits, outbound, publication, retry, tasks
from lofte.core.logs import JsonFormatter
from lofte.core.models import Action, Code, Counter, Duty, Person
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def duty():
    """A duty of this test only; its runs, by instant."""
    runs = []

    @tasks.duty("test.count", every=timedelta(hours=1))
    def count(at):
        runs.append(at)
        if at.minute == 59:
            raise RuntimeError("kari@example.no")

    yield runs
    del tasks._known["test.count"]


def test_a_duty_runs_when_it_is_due_and_not_again_before_its_time(duty):
    for minutes in (0, 1, 58, 60, 61):
        tasks.run_due(AT + timedelta(minutes=minutes), only="test.count")

    assert duty == [AT, AT + timedelta(minutes=60)]


def test_a_duty_held_by_another_process_is_left_alone_until_its_lease_ends(duty):
    tasks.run_due(AT, only="test.count")
    later = AT + timedelta(hours=2)
    Duty.objects.filter(name="test.count").update(lease="other", lease_until=later + timedelta(minutes=5))
    assert tasks.run_due(later, only="test.count") == []

    assert tasks.run_due(later + timedelta(minutes=6), only="test.count") == ["test.count"]


def test_a_duty_that_fails_is_tried_again_soon_and_its_error_names_nobody(duty):
    tasks.run_due(AT + timedelta(minutes=59), only="test.count")
    row = Duty.objects.get(name="test.count")

    assert (row.failures, row.last_error) == (1, "RuntimeError")
    assert row.next_due == AT + timedelta(minutes=64)


def test_an_overdue_duty_is_visible(duty):
    tasks.run_due(AT, only="test.count")

    assert [row.name for row in tasks.overdue(AT + timedelta(hours=3)) if row.name == "test.count"] == ["test.count"]
    assert all(row.name != "test.count" for row in tasks.overdue(AT + timedelta(minutes=61)))


def test_a_limit_counts_within_its_window_and_names_nobody(home):
    hour = timedelta(hours=1)
    with clock.at(AT):
        assert [limits.allow("link", "kari@example.no", 3, hour) for _ in range(5)] == [True, True, True, False, False]
        assert limits.allow("link", "ola@example.no", 3, hour)
        assert limits.allow("other", "kari@example.no", 3, hour)
    with clock.at(AT + hour):
        assert limits.allow("link", "kari@example.no", 3, hour)
    assert "kari" not in str(list(Counter.objects.values()))


def test_a_code_opens_once_for_its_purpose_and_is_kept_only_as_a_hash():
    person = Person.objects.create()
    token = codes.issue("open", person.id, market="SE", locale="sv", lasts=timedelta(hours=1))

    assert len(token) == 43
    assert token not in str(list(Code.objects.values()))
    with pytest.raises(Problem, match=r"code\.unknown"):
        codes.redeem(token, "confirm")
    assert codes.redeem(token, "open").person_id == person.id
    with pytest.raises(Problem, match=r"code\.unknown"):
        codes.redeem(token, "open")


def test_wrong_used_and_expired_codes_are_one_answer():
    person = Person.objects.create()
    used = codes.issue("open", person.id, market="SE", locale="sv", lasts=timedelta(hours=1))
    codes.redeem(used, "open")
    expired = codes.issue("open", person.id, market="SE", locale="sv", lasts=timedelta(seconds=-1))
    said = set()
    for token in (used, expired, "wrong", used[:-1]):
        with pytest.raises(Problem) as refused:
            codes.redeem(token, "open")
        said.add(str(refused.value))

    assert len(said) == 1


def test_a_refused_request_is_logged_with_its_status_and_without_its_path():
    record = logging.LogRecord(
        "django.request", logging.WARNING, "f", 1, "%s: %s", ("Gone", "/my/kari@example.no/"), None
    )
    record.status_code = 410

    line = json.loads(JsonFormatter().format(record))

    assert (line["event"], line["status"]) == ("Gone", 410)
    assert "kari" not in json.dumps(line)


def test_an_action_holds_nothing_that_looks_personal():
    actions.record("issue.sent", "staff:1", queued=3)
    assert Action.objects.get().details == {"queued": 3}

    with pytest.raises(ValueError, match="looks personal"):
        actions.record("issue.sent", "staff:1", to="kari@example.no")


class SerializationError(Exception):
    sqlstate = "40001"


@pytest.mark.django_db(transaction=True, databases=["default"])
def test_a_command_is_run_again_whole_when_the_database_could_not_order_it():
    tries = []

    @retry.in_transaction
    def command():
        tries.append(1)
        Person.objects.create()
        if len(tries) < 3:
            raise OperationalError from SerializationError()
        return "done"

    assert command() == "done"
    assert (len(tries), Person.objects.count()) == (3, 1)


@pytest.mark.django_db(transaction=True, databases=["default"])
def test_another_error_is_not_repeated():
    tries = []

    @retry.in_transaction
    def command():
        tries.append(1)
        raise OperationalError("disk I/O error")

    with pytest.raises(OperationalError):
        command()
    assert len(tries) == 1


def test_a_log_line_never_holds_what_was_interpolated():
    try:
        raise ValueError("kari@example.no is bad")
    except ValueError:
        record = logging.LogRecord(
            "django.request", logging.ERROR, "views.py", 1, "Failed: %s", ("/my/kari@example.no/",), sys.exc_info()
        )
    record.fields = {"duty": "sweep", "row": object()}
    line = JsonFormatter().format(record)

    assert "kari" not in line
    assert json.loads(line)["error"] == "ValueError"
    assert json.loads(line)["fields"] == {"duty": "sweep"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOFTE_ORIGIN", "localhost:8000"),
        ("LOFTE_ORIGIN", "https://example.com/path"),
        ("LOFTE_DATABASE", "mysql://u@h/db"),
        ("LOFTE_DATABASE", "postgresql://host"),
        ("LOFTE_SMTP", "localhost"),
        ("LOFTE_SMTP", "smtp://host:99999"),
        ("LOFTE_MAIL_FROM", "nobody"),
        ("LOFTE_HOME", ""),
        ("LOFTE_HOME", "/dev/null/x"),
    ],
)
def test_the_program_does_not_start_on_a_setting_it_does_not_understand(tmp_path, name, value):
    environ = {**os.environ, "LOFTE_HOME": str(tmp_path / "home"), name: value}
    ended = subprocess.run(
        [sys.executable, "-c", "import lofte.core.settings"], env=environ, capture_output=True, text=True, check=False
    )

    assert ended.returncode != 0
    assert f"{name}: error[settings.bad-value]" in ended.stderr


def test_keys_are_made_once_and_a_damaged_one_is_refused(tmp_path):
    (tmp_path / "keys").mkdir()
    key = environment.key_file(tmp_path, "x.key")
    assert environment.key_file(tmp_path, "x.key") == key
    assert stat.S_IMODE((tmp_path / "keys" / "x.key").stat().st_mode) == 0o600
    (tmp_path / "keys" / "x.key").write_bytes(b"short")

    with pytest.raises(Problem, match=r"settings\.bad-key"):
        environment.key_file(tmp_path, "x.key")


def test_the_publication_is_read_anew_when_it_changes_and_refused_when_it_was_altered(published, republish, home):
    assert publication.current().digest == published.digest
    again = republish(lambda policy: None)
    assert publication.current().digest == again.digest
    for file in (home / "published" / "objects").iterdir():
        file.write_bytes(file.read_bytes().replace(b"Small Company", b"Large Company"))
    publication.forget()

    with pytest.raises(Problem, match=r"publication\.altered"):
        publication.current()


def test_without_a_publication_there_is_one_clear_line(home):
    publication.forget()
    with pytest.raises(Problem, match=r"publication\.none"):
        publication.current()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost:1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/latest",
     "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd", "http://user@example.com/", "gopher://x/"],
)  # fmt: skip
def test_the_door_outwards_does_not_lead_inwards(url):
    with pytest.raises(Problem, match=r"outbound\.refused"):
        outbound.get(url)


def test_a_private_host_is_reached_when_it_is_named():
    with pytest.raises(Problem, match=r"outbound\.failed"):
        outbound.get("http://127.0.0.1:1/", also=frozenset({"127.0.0.1"}))
