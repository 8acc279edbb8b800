"""The demonstration on one port: stand-ins by host name, the mailbox by path, and everything else to the company's server.

It stands around edge and gate: what third parties answer is theirs, and no business of the company's gate.
"""

from collections.abc import Mapping

from demo.mailbox import BASE, Mailbox
from demo.site import site
from demo.standins import StandIn, stand_ins
from demo.wire import ASGIApp, Receive, Scope, Send, host_name


class Demonstration:
    """``inner`` is the company's server, edge and gate included; left out, the bare site as it lived before Löfte."""

    def __init__(self, inner: ASGIApp = site, mailbox: Mailbox | None = None) -> None:
        self.inner = inner
        self.mailbox = mailbox or Mailbox()
        self.stand_ins: Mapping[str, StandIn] = stand_ins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            stand_in = self.stand_ins.get(host_name(scope))
            if stand_in is not None:
                await stand_in(scope, receive, send)
                return
            if scope["path"] == BASE or scope["path"].startswith(f"{BASE}/"):
                await self.mailbox(scope, receive, send)
                return
        await self.inner(scope, receive, send)
