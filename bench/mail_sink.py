"""A mail server that takes everything and remembers to whom: what a benchmark or a test sends to."""

from collections import Counter
from typing import Any, Self

from aiosmtpd.controller import Controller
from bench.load import free_port


class Sink:
    """``recipients`` counts the letters to each address; ``letters`` keeps them as (sender, recipients, bytes) when asked to."""

    def __init__(self, *, is_keeping: bool = False) -> None:
        self.port = free_port()
        self.recipients: Counter[str] = Counter()
        self.letters: list[tuple[str, tuple[str, ...], bytes]] = []
        self._is_keeping = is_keeping
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # the name aiosmtpd calls
        self.recipients.update(envelope.rcpt_tos)
        if self._is_keeping:
            self.letters.append((envelope.mail_from, tuple(envelope.rcpt_tos), bytes(envelope.content)))
        return "250 taken"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
