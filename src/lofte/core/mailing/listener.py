"""Takes mail over SMTP or LMTP (LOFTE_INBOUND): only to addresses we gave out, and answered only when the room has it.

A mail server belongs in front of it, which knows spam, TLS and queues. There is no way through to other servers.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from lofte.core.mailing import reading, taking
from lofte.kernel.problems import Problem

_logger = logging.getLogger("lofte.mail")
_MOST_RECIPIENTS = 20


class _Handler:
    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def handle_RCPT(  # noqa: N802  # the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not taking.is_ours(address):
            return "550 5.1.1 no such address here"
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        loop = asyncio.get_running_loop()
        answers = [
            await loop.run_in_executor(self._threads, _take, recipient, content, envelope.mail_from or "")
            for recipient in envelope.rcpt_tos
        ]
        return _worst(answers) if not isinstance(server, LMTP) else "\r\n".join(answers)


def _worst(answers: list[str]) -> str:
    """One answer for all recipients: what was taken is known the second time, so trying again harms nobody."""
    for code in ("4", "2", "5"):
        for answer in answers:
            if answer.startswith(code):
                return answer
    return "250 2.0.0 ok"


def _take(recipient: str, content: bytes, sender: str) -> str:
    close_old_connections()
    try:
        taking.take(recipient, content, sender)
    except Problem as problem:
        if problem.status < 500:
            return "550 5.7.1 refused"
        _logger.error("mail could not be taken", extra={"fields": {"cause": problem.code}})
        return "451 4.3.0 not now"
    except Exception as error:
        _logger.error("mail could not be taken", extra={"fields": {"cause": type(error).__name__}})
        return "451 4.3.0 not now"
    finally:
        close_old_connections()
    return "250 2.0.0 taken"


class Listener:
    """Listens until closed. Raises OSError when the place is taken."""

    def __init__(self, protocol: str, host: str, port: int) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="lofte-inbound")
        self._controller = _Lmtp(self._threads, host, port) if protocol == "lmtp" else _Smtp(self._threads, host, port)

    def start(self) -> None:
        self._controller.start()

    def close(self) -> None:
        self._controller.stop()
        self._threads.shutdown()


class _Smtp(Controller):
    _kind: type[SMTP] = SMTP

    def __init__(self, threads: ThreadPoolExecutor, host: str, port: int) -> None:
        super().__init__(_Handler(threads), hostname=host, port=port, ready_timeout=10)

    def factory(self) -> Any:
        return self._kind(
            self.handler, data_size_limit=reading.MOST_BYTES, enable_SMTPUTF8=True, ident="lofte", timeout=60
        )  # fmt: skip


class _Lmtp(_Smtp):
    _kind = LMTP
