"""Drives a server from a process of its own and watches what it costs. wrk where it is installed, else a plain client."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """``cpu_s`` is processor time of the server, all threads; ``refused`` counts answers that were not 2xx."""

    answered: int
    refused: int
    seconds: float
    cpu_s: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        return self.answered / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / max(1, self.answered) * 1e6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(*arguments: str, port: int, ready: str = "/") -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a server, until it answers; ended with SIGTERM."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL)
    try:
        _await(process, f"http://127.0.0.1:{port}{ready}")
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def drive(process: subprocess.Popen[bytes], port: int, connections: int, requests: Path, seconds: float) -> Load:
    """Sends the prepared requests of a file (a JSON array of bodies; empty for GET /) over so many connections."""
    before, started = cpu_s(process.pid), time.monotonic()
    found = (_wrk if shutil.which("wrk") else _plain)(port, connections, requests, seconds)
    took = time.monotonic() - started
    return Load(
        found["answered"], found["refused"], found.get("seconds", took), cpu_s(process.pid) - before, found["p99_ms"]
    )


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


_LUA = """
local bodies, at, count = {}, 0, 0
function init(args)
  for line in io.lines(args[1]) do count = count + 1; bodies[count] = wrk.format("POST", "/lofte/consent",
    {["content-type"] = "application/json", ["accept"] = "application/json"}, line) end
end
function request()
  at = at + 1
  if count == 0 then return wrk.format("GET", "/") end
  if at >= count then wrk.thread:stop() end
  return bodies[math.min(at, count)]
end
function done(summary, latency)
  io.stderr:write(string.format('{"answered":%d,"refused":%d,"broken":%d,"seconds":%f,"p99_ms":%f}',
    summary.requests, summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout, summary.duration / 1e6, latency:percentile(99) / 1000))
end
"""


def _wrk(port: int, connections: int, requests: Path, seconds: float) -> dict[str, float]:
    script = requests.with_suffix(".lua")
    script.write_text(_LUA)
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{round(seconds)}s",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}/",
        "--",
        str(requests),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"\{.*\}", ended.stderr)
    if found is None:
        raise RuntimeError(f"wrk said nothing: {ended.stderr[-200:]}")
    result: dict[str, float] = json.loads(found[0])
    if result.pop("broken"):
        raise RuntimeError("wrk lost connections")
    result["answered"] -= result["refused"]
    return result


def _plain(port: int, connections: int, requests: Path, seconds: float) -> dict[str, float]:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.client", str(port), str(connections), str(requests), str(seconds)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    result: dict[str, float] = json.loads(ended.stdout)
    return result


def _await(process: subprocess.Popen[bytes], address: str) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not answer in 15 s")
