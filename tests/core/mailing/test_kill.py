"""kill -9 in the middle of a campaign, again and again: nobody gets a letter twice, and nobody who has withdrawn gets one."""

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench.mail_house import is_withdrawn, people
from bench.mail_sink import Sink

from lofte.core.mailing.handing import CONNECTIONS

ROOT, PEOPLE, KILLS = Path(__file__).parents[3], 1500, 4


def house(what, environ):
    command = [sys.executable, "-m", "bench.mail_house", what, environ["LOFTE_HOME"], str(PEOPLE)]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)


def wait_for(sink, count, process):
    while sum(sink.recipients.values()) < count and process.poll() is None:
        time.sleep(0.002)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_campaign_that_is_killed_and_started_again_writes_to_each_once_and_to_nobody_who_said_no(tmp_path, engine):
    with Sink() as sink:
        environ = {
            **os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "LOFTE_HOME": str(tmp_path / "home"), "LOFTE_DATABASE": "",
            "LOFTE_SMTP": f"smtp://127.0.0.1:{sink.port}", "LOFTE_MAIL_FROM": "Example <news@news.example.com>",
        }  # fmt: skip
        if engine == "postgres":
            server = os.environ.get("LOFTE_TEST_POSTGRES")
            if not server:
                pytest.skip("LOFTE_TEST_POSTGRES names no cluster")
            environ["LOFTE_DATABASE"] = _database(server)
        (tmp_path / "home").mkdir()
        assert house("fill", environ).wait(300) == 0

        for kill in range(1, KILLS + 1):
            process = house("send", environ)
            wait_for(sink, kill * PEOPLE // (KILLS + 2), process)
            assert process.poll() is None, "it ended before it was killed"
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        ended = house("send", environ)
        assert ended.wait(300) == 0

        allowed = {who.email for number, who in enumerate(people(PEOPLE)) if not is_withdrawn(number)}
        assert set(sink.recipients.values()) == {1}, "somebody was written to twice"
        assert set(sink.recipients) <= allowed, "somebody who has withdrawn was written to"
        # Only where the server's answer was missing at the moment of death is it left open, and then nothing is sent.
        assert len(allowed) - len(sink.recipients) <= KILLS * CONNECTIONS


def _database(server: str) -> str:
    import psycopg

    name = f"mail_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"
