"""A mail server of our own for a while: Debian's Exim on a free loopback port, with a spool in a scratch folder.

Domains say what becomes of a letter: `reject.example.test` is refused at once, `late-bounce.example.test` is taken and comes
back as a delivery report, `full.example.test` comes back as a full mailbox, and anything else goes to the sink. With `is_holding`
letters are taken and kept, as a busy server does.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

from bench.load import free_port

_USER = "Debian-exim"
_CONFIG = """
primary_hostname = mx.example.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
exim_user = {user}
exim_group = {user}
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/exim.pid
queue_only = {holding}
tls_advertise_hosts =
host_lookup =
never_users =
acl_smtp_rcpt = acl_rcpt
dns_dnssec_ok = 0
smtp_accept_max_per_connection = 1000
begin acl
acl_rcpt:
  deny message = 5.1.1 no such user here
       domains = reject.example.test
  accept
begin routers
bounce:
  driver = redirect
  domains = late-bounce.example.test
  data = :fail: 550 5.1.1 mailbox unknown
  allow_fail
full:
  driver = redirect
  domains = full.example.test
  data = :fail: 552 5.2.2 mailbox is full
  allow_fail
sink:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = sink
begin transports
sink:
  driver = smtp
  hosts = 127.0.0.1
  hosts_override
  port = {sink}
  allow_localhost
begin retry
* * F,1h,15m
"""


@dataclass(frozen=True, slots=True)
class Exim:
    port: int
    folder: Path

    def flush(self) -> None:
        """Try everything in the queue now."""
        subprocess.run(["exim4", "-C", str(self.folder / "exim.conf"), "-qff"], check=False, capture_output=True)

    def cpu_s(self) -> float:
        """Processor time of the server and of all it has started and seen end."""
        pid = int((self.folder / "exim.pid").read_text())
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(each) for each in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def held(self) -> int:
        """How many letters it has taken and not passed on."""
        return sum(1 for _ in (self.folder / "spool").rglob("*-H"))


def why_not() -> str:
    """What is missing to run it; empty when nothing is."""
    if shutil.which("exim4") is None:
        return "Exim is not installed (Debian: apt-get install exim4-daemon-light, as root)"
    return "" if os.getuid() == 0 else "Exim takes a configuration of one's own from root only"


@contextmanager
def running(sink: int, *, is_holding: bool = False) -> Iterator[Exim]:
    user = pwd.getpwnam(_USER)
    folder = Path(tempfile.mkdtemp(prefix="lofte-exim-"))
    folder.chmod(0o755)
    (folder / "spool").mkdir()
    for each in (folder, folder / "spool"):
        os.chown(each, user.pw_uid, user.pw_gid)
    exim = Exim(free_port(), folder)
    config = folder / "exim.conf"
    config.write_text(
        _CONFIG.format(port=exim.port, user=_USER, folder=folder, sink=sink, holding="true" if is_holding else "false")
    )
    try:
        passing_on = [] if is_holding else ["-q5s"]
        subprocess.run(["exim4", "-C", str(config), "-bd", *passing_on], check=True, capture_output=True)
        _await(exim.port)
        yield exim
    finally:
        _stop(folder / "exim.pid")
        shutil.rmtree(folder, ignore_errors=True)


def _await(port: int) -> None:
    for _ in range(100):
        try:
            create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Exim did not answer in 5 s")


def _stop(pid_file: Path) -> None:
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, 15)
    except (OSError, ValueError):
        return
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)
