"""The demonstration on one port: stand-ins by host name, the mailbox by path, and everything else to the company's server.

It stands around edge and gate: what third parties answer is theirs, and no business of the company's gate.
"""

from collections.abc import Mapping

from demo.mailbox import BASE, Mailbox
from demo.site import site
from demo.standins import StandIn, stand_ins
from demo.wire import ASGIApp, Receive, Scope, Send, host_name


class Demonstration:
    """``site`` goes behind the gate; ``around(server)`` puts the third parties and the mailbox beside the finished server.

    Called as an ASGI app it is the bare site with its third parties: how the company lived before Löfte.
    ``port`` is the one they all share; pages take it from the request's Host.
    """

    def __init__(self, port: int, mailbox: Mailbox | None = None) -> None:
        self.port = port
        self.mailbox = mailbox or Mailbox()
        self.site: ASGIApp = site
        self.stand_ins: Mapping[str, StandIn] = stand_ins()
        self._bare = self.around(site)

    def around(self, server: ASGIApp) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                stand_in = self.stand_ins.get(host_name(scope))
                if stand_in is not None:
                    await stand_in(scope, receive, send)
                    return
                if scope["path"] == BASE or scope["path"].startswith(f"{BASE}/"):
                    await self.mailbox(scope, receive, send)
                    return
            await server(scope, receive, send)

        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._bare(scope, receive, send)
