"""`lofte gate`: the edge and the gate in front of a site that is a server of its own, whatever it is written in."""

import argparse
import os
from pathlib import Path

from lofte.cli import wiring
from lofte.cli.serve import Plan, port_number, serve
from lofte.gate.consent import Declarations
from lofte.gate.upstream import PATIENCE_S, Upstream


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("gate", help="hold what a site of its own may not load", description=__doc__)
    wiring.add_home(parser)
    parser.add_argument("--upstream", required=True, metavar="URL", help="the site: http://host:port or https://host")
    parser.add_argument(
        "--upstream-host",
        default="",
        metavar="NAME",
        help="the name to ask the site for (default: the one we are asked for)",
    )
    parser.add_argument("--origin", help="where visitors reach the site, for example https://www.example.com")
    parser.add_argument(
        "--people",
        default="",
        metavar="ORIGIN",
        help="an origin of its own for console, portal and forms (default: none)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("LOFTE_PORT", "8000"),
        help="port to listen on (default: LOFTE_PORT, else 8000)",
    )
    parser.add_argument(
        "--behind-proxy", default="", metavar="ADDRESSES", help="proxies whose X-Forwarded headers are believed"
    )
    parser.add_argument("--policy", type=Path, metavar="DIR", help="publish this policy first, when it has changed")
    parser.add_argument(
        "--mode", choices=("strict", "soft"), default="strict", help="soft: accepting needs no reload (default strict)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_S,
        metavar="SECONDS",
        help="how long the site may be silent (default 60)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    site = Upstream(args.upstream, host=args.upstream_host, patience_s=args.patience)
    origin = args.origin or os.environ.get("LOFTE_ORIGIN") or f"http://localhost:{args.port}"
    return serve(
        Plan(
            home=args.home and Path(args.home), origin=origin, host=args.host, port=args.port, policy=args.policy,
            behind_proxy=args.behind_proxy, site=site, mode=args.mode, people=args.people, websockets=site.tunnel(_may_keep),
        )
    )  # fmt: skip


def _may_keep(name: bytes) -> bool:
    """Whether a cookie may be set where no choice is looked at: only what is necessary in every market."""
    from lofte.core import publication

    published = publication.current()
    for market in published.policy.markets:
        declarations = Declarations(published, market, {})
        cookie = declarations.cookie(name.decode("latin-1"))
        if cookie is None or cookie.purpose not in declarations.necessary:
            return False
    return True
