"""`lofte serve`: what is not fit to start with is one line; what starts answers, and ends cleanly."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from lofte.cli import serve
from lofte.cli.main import main
from lofte.kernel.problems import Problem

ROOT = Path(__file__).parents[2]
SITE = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<!doctype html><title>Ours</title><p>Hello"})

number = 7
"""


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


# What is not fit to start with


def test_a_taken_port_is_said_before_anything_is_opened(taken_port: int, tmp_path: Path, capsys) -> None:
    home = tmp_path / "home"

    assert main(["serve", "--home", str(home), "--port", str(taken_port)]) == 1
    assert f"error[serve.port-taken]: port {taken_port} on 127.0.0.1 cannot be used" in capsys.readouterr().err
    assert not home.exists()


def test_a_host_that_is_none_is_said(capsys, tmp_path: Path, free_port: int) -> None:
    assert main(["serve", "--home", str(tmp_path), "--port", str(free_port), "--host", "no.such.host.invalid"]) == 1
    assert "error[serve.port-taken]" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", ""])
def test_a_port_that_is_none_is_not_understood(port: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--port={port}"])

    assert ended.value.code == 2
    assert "expected a number from 1 to 65535" in capsys.readouterr().err


def test_a_data_directory_must_be_named(lofte, free_port: int) -> None:
    served = lofte("serve", "--port", str(free_port), LOFTE_HOME="")

    assert served.returncode == 1
    assert "error[settings.no-home]" in served.stderr


def test_without_a_publication_nothing_is_served(lofte, free_port: int) -> None:
    served = lofte("serve", "--port", str(free_port))

    assert served.returncode == 1
    assert "error[publication.none]: no policy has been published here yet. Run `lofte publish DIR`." in served.stderr
    assert "Traceback" not in served.stderr


def test_a_policy_with_errors_is_not_served(lofte, free_port: int, tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy.yaml").write_text("format: 1\n")

    served = lofte("serve", "--port", str(free_port), "--policy", str(tmp_path / "policy"))
    assert served.returncode == 1
    assert "error[policy.not-publishable]" in served.stderr
    assert "Traceback" not in served.stderr


@pytest.mark.parametrize(
    "name, said",
    [
        ("no_such_module:app", "No module named 'no_such_module'"),
        ("site_of_test:nothing", "nothing"),
        ("site_of_test:number", "is no application"),
        (":app", "cannot be loaded"),
        ("fallen_site:app", "invalid syntax"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_one_line(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, free_port: int
) -> None:
    (tmp_path / "site_of_test.py").write_text(SITE)
    (tmp_path / "fallen_site.py").write_text("app = = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    assert main(["serve", "--home", str(tmp_path / "home"), "--port", str(free_port), "--app", name]) == 1

    written = capsys.readouterr().err
    assert "--app: error[serve.no-app]" in written
    assert said in written
    assert written.count("\n") == 1


def test_a_module_without_a_name_means_its_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site_called_app.py").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    assert callable(serve._load("site_called_app"))


def test_a_free_port_passes(free_port: int) -> None:
    serve.demand_free("127.0.0.1", free_port)


def test_a_taken_port_is_a_problem_with_a_way_out(taken_port: int) -> None:
    with pytest.raises(Problem) as found:
        serve.demand_free("127.0.0.1", taken_port)

    assert "--port or LOFTE_PORT" in found.value.way_out


# What starts


class Server:
    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process, self.port = process, port

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def wait(self) -> None:
        for _ in range(300):
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.1)
        raise AssertionError("the server did not get ready")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


@pytest.fixture
def serving(house: Path, tmp_path: Path, free_port: int) -> Iterator[Callable[..., Server]]:
    """``serving("--app", "...")`` starts a server on the published house; it is killed when the test ends."""
    import shutil

    home = tmp_path / "served"
    shutil.copytree(house, home)
    (tmp_path / "site_of_test.py").write_text(SITE)
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Server:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "lofte.cli.main", "serve", "--home", str(home), "--port", str(free_port), *arguments],
            cwd=tmp_path, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        begun.append(process)
        server = Server(process, free_port)
        server.wait()
        return server

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def test_a_published_house_serves_the_site_behind_the_gate(serving) -> None:
    server = serving("--app", "site_of_test:app")

    status, page = server.get("/uk/")
    assert status == 200
    assert "<p>Hello" in page
    assert 'id="lofte-banner"' in page


def test_the_scripts_of_a_page_are_those_its_policy_names(serving) -> None:
    server = serving("--app", "site_of_test:app")

    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/uk/", timeout=10) as answer:
        policy, page = answer.headers["content-security-policy"], answer.read().decode()
    inline = re.findall(r"<script(?:\s[^>]*)?>(.+?)</script>", page, re.DOTALL)
    named = {b64encode(sha256(text.encode()).digest()).decode() for text in inline}
    assert 'id="lofte-banner"' in page
    assert len(named) > 1
    assert all(f"'sha256-{each}'" in policy for each in named)


def test_edge_and_pages_for_people_answer_on_the_same_port(serving) -> None:
    server = serving()

    found = {
        path: server.get(path)[0] for path in ("/healthz", "/lofte/policy/se/sv/", "/my/se/sv/", "/accounts/login/")
    }
    assert set(found.values()) == {200}, found
    assert server.get("/uk/")[0] == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_told_to_stop_ends_cleanly_and_can_start_again(number: signal.Signals, serving) -> None:
    first = serving()

    assert first.end(number) == 0
    assert "Traceback" not in first.process.stderr.read()

    second = serving()
    assert second.get("/readyz")[0] == 200


def test_a_second_server_on_the_same_house_is_refused(serving, tmp_path: Path) -> None:
    serving()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = probe.getsockname()[1]

    second = subprocess.run(
        [sys.executable, "-m", "lofte.cli.main", "serve", "--home", str(tmp_path / "served"), "--port", str(other)],
        cwd=tmp_path, text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert second.returncode == 1
    assert "error[evidence." in second.stderr
    assert "Traceback" not in second.stderr


def test_served_from_another_address_it_is_still_the_same_log(serving) -> None:
    server = serving()

    assert server.port != 8000
    assert server.get("/lofte/log/checkpoint")[1].startswith("localhost:8000/lofte/log\n")
    assert json.loads(server.get("/readyz")[1])["status"] == "ready"
