"""`lofte records`: the records of processing (GDPR 30) on standard output, as the console gives them."""

import argparse
import sys

from lofte.cli import wiring
from lofte.rules.catalogue import LOCALES


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("records", help="print the records of processing", description=__doc__)
    parser.add_argument(
        "--form", choices=["csv", "jsonld"], default="csv", help="a table, or DPV for machines (default csv)"
    )
    parser.add_argument("--locale", choices=LOCALES, default="en-GB", help="csv: the language (default en-GB)")
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    from lofte.core import actions
    from lofte.core.publication import current
    from lofte.core.roles import OPERATOR
    from lofte.web.console.records import file_of, spoken

    published = current()
    content, _ = file_of(published, args.form, spoken(published, args.locale))
    actions.record("records.taken-out", OPERATOR, form=args.form, publication=published.digest)
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return 0
