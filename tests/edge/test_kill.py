"""The drill: a server under load is killed without warning; what it acknowledged must be there when it comes back."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from bench.consent import prepare
from bench.load import free_port
from bench.world import publish_example

from lofte.evidence.log import open_log

ROUNDS, VISITORS = 5, 16
ROOT = Path(__file__).parents[2]


def start(home, port):
    command = [sys.executable, "-m", "bench.edge_server", str(home), str(home / "evidence.sqlite3"), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    for _ in range(200):
        try:
            urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process
    raise AssertionError("the server did not start")


def visit(port, bodies, acknowledged):
    """One visitor after the other on one connection, until the server is gone."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as answers:
            for body in bodies:
                head = f"POST /lofte/consent HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
                connection.sendall(head.encode() + b"\r\n\r\n" + body)
                status, length = answers.readline(), 0
                while (line := answers.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                told = answers.read(length)
                if status.split()[1:2] != [b"201"] or len(told) < length:
                    return
                acknowledged.append(json.loads(told))
    except OSError:
        return


@pytest.mark.long
def test_no_acknowledged_consent_is_lost_when_the_server_is_killed(tmp_path):
    publish_example(tmp_path)
    acknowledged = []
    for _ in range(ROUNDS):
        prepare(tmp_path, tmp_path / "bodies", 4_000)
        bodies = (tmp_path / "bodies").read_bytes().splitlines()
        port = free_port()
        process = start(tmp_path, port)
        visitors = [
            threading.Thread(target=visit, args=(port, bodies[number::VISITORS], acknowledged))
            for number in range(VISITORS)
        ]
        for visitor in visitors:
            visitor.start()
        time.sleep(random.uniform(0.2, 1.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for visitor in visitors:
            visitor.join()
    log = open_log(tmp_path / "evidence.sqlite3", tmp_path / "keys", "bench.example/log", lambda: datetime.now(UTC))
    try:
        lost = [told["index"] for told in acknowledged if not is_there(log, told)]
        wrong = log.check_everything()
    finally:
        log.close()

    assert len(acknowledged) > 100
    assert lost == []
    assert wrong == []


def is_there(log, told):
    opened = log.opened(told["index"]) if told["index"] < log.size() else None
    return opened is not None and json.loads(opened.who) == told["who"]["payload"]
