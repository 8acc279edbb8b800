"""`lofte mail`: the key letters are signed with, letters that a mail server hands over, and whether the sending domain is ready.

How to set it all up: docs/howto/run-the-mail.md
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from ipaddress import ip_address

from lofte.cli import wiring
from lofte.kernel.problems import Problem

_ACTIONS = """actions:
  key [RECORD]      make the key letters are signed with (DKIM), or show the DNS record of the one there is;
                    RECORD is its name, such as lofte._domainkey.example.com (default: LOFTE_DKIM)
  receive           hand over one letter, read from standard input, to the address in --recipient
  check             is the domain letters are sent from ready: SPF, DKIM, DMARC, PTR, MX, TLS; exit code 1 when something is not"""
# What mail servers understand of a program they hand a letter to (sysexits.h).
_REFUSED, _NOT_NOW = 67, 75
_SPOKEN = "en-GB"  # the language of the command line


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "mail",
        help="the key letters are signed with, and letters that come",
        description=__doc__,
        epilog=_ACTIONS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["key", "receive", "check"], help="what to do")
    parser.add_argument("record", nargs="?", help="key: the name of the DNS record")
    parser.add_argument(
        "--recipient",
        metavar="ADDRESS",
        help="receive: whom it came to (default: RECIPIENT, as Exim and Postfix set it)",
    )
    parser.add_argument("--sender", metavar="ADDRESS", help="receive: sender of the envelope (default: SENDER)")
    parser.add_argument("--domain", default="", help="check: another domain than that of LOFTE_MAIL_FROM")
    parser.add_argument(
        "--address", action="append", default=[], metavar="IP", help="check: where receivers see letters come from; may be repeated"
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="check: say it as JSON, a line an item")
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return {"key": _key, "receive": _receive, "check": _check}[args.action](args)


def _check(args: argparse.Namespace) -> int:
    addresses = tuple(_address(each) for each in args.address)
    wiring.enter(args.home)
    from lofte.core.mailing import names, readiness

    lines = readiness.check(readiness.ours(args.domain.lower(), addresses), names.Dns())
    if args.json:
        print(json.dumps([{**asdict(line), "said": readiness.told(line, _SPOKEN)[0]} for line in lines], indent=2))
    for line in lines if not args.json else ():
        said, way_out = readiness.told(line, _SPOKEN)
        print(f"{line.state:8} {line.check:10} {said}")
        if way_out and line.state is not readiness.State.READY:
            print(f"{'':20}{way_out}")
    return int(any(line.state is readiness.State.FAULT for line in lines))


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise Problem("mail.no-address", f"{text} is no IP address", way_out="--address 203.0.113.7") from None


def _key(args: argparse.Namespace) -> int:
    if args.record:
        os.environ["LOFTE_DKIM"] = args.record
    home = wiring.enter(args.home)
    from django.conf import settings

    from lofte.core.mailing import signing

    if settings.LOFTE_DKIM is None:
        raise Problem(
            "mail.no-record", "no DNS record is named",
            way_out="lofte mail key lofte._domainkey.example.com, with the domain letters are sent from.",
        )  # fmt: skip
    selector, domain = settings.LOFTE_DKIM
    file = signing.key_file(home, selector, domain)
    if not file.exists():
        signing.make_key(home, selector, domain)
        print("a key was made; publish this record, then set LOFTE_DKIM to its name:", file=sys.stderr)
    print(f"{selector}._domainkey.{domain}. IN TXT ( {_quoted(signing.record_of(file))} )")
    return 0


def _quoted(value: str) -> str:
    """In pieces of at most 255 letters, as zone files have it."""
    return " ".join(f'"{value[at : at + 250]}"' for at in range(0, len(value), 250))


def _receive(args: argparse.Namespace) -> int:
    """The exit code is the answer to the mail server: 0 taken, 67 refused for good, 75 try again."""
    recipient = args.recipient or os.environ.get("RECIPIENT", "")
    sender = args.sender if args.sender is not None else os.environ.get("SENDER")
    if not recipient:
        raise Problem("mail.no-recipient", "nobody is named as recipient", way_out="Give --recipient ADDRESS.")
    try:
        wiring.enter(args.home)
        from lofte.core.mailing import reading, taking

        taking.take(recipient, sys.stdin.buffer.read(reading.MOST_BYTES + 1), sender)
    except Problem as problem:
        print(f"lofte: {problem}", file=sys.stderr)
        return _REFUSED if problem.status < 500 and not problem.code.startswith("settings.") else _NOT_NOW
    except Exception as error:
        print(f"lofte: the letter could not be taken ({type(error).__name__})", file=sys.stderr)
        return _NOT_NOW
    return 0
