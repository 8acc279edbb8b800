"""`python -m demo`: the demonstration. scripts/run sets up what it needs and starts it.

A company site in five editions behind the gate, its third parties, a mailbox, and Löfte with the example policy. The last line
printed when all is ready is one line of JSON: site, console, mailbox, user, password, home.
"""

import json
import logging
import os
import shutil
import sys
from pathlib import Path

from demo.app import Demonstration
from demo.hosts import host_map
from demo.mailbox import Mailbox
from lofte.cli import serve, staff
from lofte.cli.wiring import House
from lofte.kernel.problems import Place, Problem

ROOT = Path(__file__).parents[1]
STAFF = "lead"


def main() -> int:
    try:
        return run(Path(os.environ.get("LOFTE_HOME") or ROOT / ".home"), _port())
    except Problem as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def run(home: Path, port: int) -> int:
    """Serves the demonstration until interrupted."""
    serve.demand_free("127.0.0.1", port)
    origin = f"http://localhost:{port}"
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the SMTP server tells every step of every mail
    mailbox = Mailbox()
    mailbox.start()
    os.environ.update(
        LOFTE_HOME=str(home),
        LOFTE_ORIGIN=origin,
        LOFTE_SMTP=f"smtp://127.0.0.1:{mailbox.port}",
        LOFTE_MAIL_FROM="Xledger <noreply@xledger.example>",
        LOFTE_MAIL_DOMAIN="mail.xledger.example",
        LOFTE_CANARY_MAILBOX=f"{origin}/mailbox",
        LOFTE_OUTBOUND="localhost",
    )
    demonstration = Demonstration(port, mailbox)
    try:
        return serve.serve(
            serve.Plan(
                home=home,
                origin=origin,
                port=port,
                policy=ROOT / "policies" / "xledger",
                site=demonstration.site,
                host_map=host_map(),
                around=demonstration.around,
                on_ready=lambda house: announce(house, origin),
            )
        )
    finally:
        mailbox.stop()


def announce(house: House, origin: str) -> None:
    """Says where everything is, for people and then for programs."""
    from demo import offers, on_file  # models: only once Django is set up

    on_file.put_on_file()
    offers.put_out()
    password = staff.first(house.home, STAFF)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    print(f"\n  The company's site   {origin}/")
    print(f"  The console          {origin}/console/   user {STAFF}, password {password}")
    print(f"  Mail to people       {origin}/mailbox/")
    print(f"  Data directory       {house.home}")
    if browser is None:
        print(
            "\n  No Chromium was found: promises that need a browser read unproved. scripts/run --with-browser installs it."
        )
    print("\n  Ctrl-C ends it.\n")
    addresses = {
        "site": f"{origin}/",
        "console": f"{origin}/console/",
        "mailbox": f"{origin}/mailbox/",
        "user": STAFF,
        "password": password,
        "home": str(house.home),
    }
    print(json.dumps(addresses), flush=True)


def _port() -> int:
    text = os.environ.get("LOFTE_PORT", "8000")
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Problem(
            "settings.bad-value", f"{text!r} is no port", Place(key="LOFTE_PORT"), expected="a number from 1 to 65535"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
