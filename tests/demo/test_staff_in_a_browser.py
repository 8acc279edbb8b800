"""The demonstration as a new member of staff meets it: the board by password alone, then a second factor, then people."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
pytestmark = [pytest.mark.long, pytest.mark.browser]


def app_shows(secret: str) -> str:
    """What an authenticator app shows for a secret now: RFC 6238, six digits, thirty seconds."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`python -m demo` in a process of its own; what it prints when it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("demo") / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=CLEAN | {"LOFTE_HOME": str(home), "LOFTE_PORT": str(port)},
    )  # fmt: skip
    try:
        yield _ready(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        if process.stdout:
            process.stdout.close()


def _ready(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            said: dict[str, str] = json.loads(line)
            return said
    raise AssertionError("the demonstration ended before it was ready")


@pytest.mark.parametrize("locale, wanted", [("sv-SE", "Personer"), ("fi-FI", "Henkilöt")])
def test_a_password_opens_the_board_and_enrolling_leads_on_to_people(
    chrome: Any, demonstration: dict[str, str], locale: str, wanted: str
) -> None:
    password = demonstration["password"]
    if locale == "fi-FI":  # the second to come has enrolled already with the first language
        done = subprocess.run(
            [sys.executable, "-m", "lofte.cli.main", "staff", "reset-factor", "lead", "--home", demonstration["home"]],
            cwd=ROOT, env=CLEAN, text=True, capture_output=True, timeout=60, check=True,
        )  # fmt: skip
        password = done.stdout.partition("password: ")[2].strip()
    page = chrome.new_context(locale=locale).new_page()
    page.goto(demonstration["console"])
    page.fill("#id_login", demonstration["user"])
    page.fill("#id_password", password)
    page.click("main button")
    assert page.url == demonstration["console"]
    assert page.locator(".verdict").count() > 0

    page.click("nav a[href='/console/people/']")
    assert page.url.endswith("/accounts/2fa/totp/activate/")
    page.fill("#id_code", app_shows(page.inner_text("main form code").strip()))
    page.click("main form button")
    assert page.url.endswith("/accounts/2fa/recovery-codes/")
    page.click("main a.button:not(.quiet)")

    assert page.url.endswith("/console/people/")
    assert page.inner_text("h1") == wanted
    page.context.close()
