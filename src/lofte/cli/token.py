"""`lofte token`: what other systems show when they ask *may I use, send, share this?* A token is shown once and kept nowhere.

The console does the same at /console/tokens/. How to ask: docs/howto/ask-from-another-system.md
"""

import argparse

from lofte.cli import wiring
from lofte.kernel.problems import Problem

_ACTIONS = """actions:
  list                                   tokens, their scopes, until when, and the day they were last used
  add NAME --scope S [--scope S ...]     a new token for a system; scopes may also stand in one list, comma between
  revoke NAME                            it opens nothing from now on

scopes: decide:use, decide:send, decide:share (ask about that act); people:find (name a person by address or number)"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "token",
        help="let another system ask for decisions",
        description=__doc__,
        epilog=_ACTIONS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["list", "add", "revoke"], help="what to do")
    parser.add_argument("name", nargs="?", help="the system's name, for add and revoke")
    parser.add_argument("--scope", action="append", default=[], metavar="SCOPE", help="add: what it may be for")
    parser.add_argument(
        "--days", type=int, default=90, metavar="N", help="add: how long it is valid (default 90, at most 366)"
    )
    parser.add_argument(
        "--per-minute", type=int, default=600, metavar="N", help="add: how many questions a minute (default 600)"
    )
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    from lofte.core.gates import tokens
    from lofte.core.roles import OPERATOR

    if args.action == "list":
        return _list()
    if not args.name:
        raise Problem("token.no-name", f"token {args.action} needs a name", way_out=f"lofte token {args.action} NAME")
    if args.action == "revoke":
        tokens.revoke(tokens.named(args.name).pk, OPERATOR)
        print(f"{args.name} is revoked")
        return 0
    scopes = [each.strip() for said in args.scope for each in said.split(",") if each.strip()]
    secret = tokens.add(args.name, scopes, by=OPERATOR, days=args.days, per_minute=args.per_minute)
    print(f"token: {secret}\nIt is shown this once. Revoke it with: lofte token revoke {args.name}")
    return 0


def _list() -> int:
    from lofte.core import clock
    from lofte.core.gates import tokens

    at = clock.now()
    for row in tokens.all_of():
        used = f"last used {row.last_used}" if row.last_used else "never used"
        print(
            f"{row.name}\t{tokens.state_of(row, at)}\t{','.join(row.scopes)}\tuntil {row.expires_at:%Y-%m-%d}\t{used}"
        )
    return 0
