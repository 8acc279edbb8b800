"""Hands messages to the mail server over a few connections that stay open, each on a thread of its own."""

import re
import smtplib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from uuid import UUID

from django.conf import settings

from lofte.core.mailing.assembly import Outgoing
from lofte.core.mailing.journal import Journal

CONNECTIONS = 4
_LETTERS_A_CONNECTION = 500  # servers close one that asks for much more
_NOT_NOW = 421  # the server closes the connection: RFC 5321 3.8
TAKEN = 250


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server said of one letter: 250 for taken, its code and words for a refusal; 0 when it was not asked."""

    row: UUID
    code: int
    words: str = ""


class UnreachableError(Exception):
    """The server is not there, or went away. ``is_open`` where it may have taken the letter although nobody heard it."""

    def __init__(self, error: str, *, is_open: bool = False) -> None:
        super().__init__(error)
        self.is_open = is_open


Made = Callable[[], Outgoing]
Became = Outcome | tuple[UUID, Exception]


def connect() -> smtplib.SMTP:
    server = smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=settings.EMAIL_TIMEOUT)
    if settings.EMAIL_USE_TLS:
        server.starttls()
    if settings.EMAIL_HOST_USER:
        server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    server.ehlo_or_helo_if_needed()
    return server


class Connection:
    """One connection to the server, made when it is needed and again when it has grown old."""

    def __init__(self) -> None:
        self._server: smtplib.SMTP | None = None
        self._letters = 0

    def hand(self, row: UUID, letter: Outgoing, journal: Journal) -> Outcome:
        """Give one letter to the server. Raises UnreachableError."""
        for is_last in (False, True):
            try:
                return self._hand(row, letter, journal)
            except UnreachableError as error:
                self.close()
                if is_last or error.is_open:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        server, self._server, self._letters = self._server, None, 0
        if server is not None:
            try:
                server.quit()
            except (OSError, smtplib.SMTPException):
                server.close()

    def _hand(self, row: UUID, letter: Outgoing, journal: Journal) -> Outcome:
        is_begun = False
        try:
            server = self._opened()
            if refusal := _refused(server, letter):
                if refusal[0] == _NOT_NOW:
                    raise UnreachableError("closing")
                server.rset()
                return Outcome(row, *refusal)
            journal.begins(row)
            is_begun = True
            server.send(_quoted(letter.message) + b".\r\n")
            code, words = server.getreply()
            journal.ends(row, code)
        except smtplib.SMTPResponseException as error:  # hello, log in
            raise UnreachableError(type(error).__name__) from error
        except (OSError, smtplib.SMTPException) as error:
            raise UnreachableError(type(error).__name__, is_open=is_begun) from error
        self._letters += 1
        return Outcome(row, TAKEN if code < 300 else code, _said(words))

    def _opened(self) -> smtplib.SMTP:
        if self._letters >= _LETTERS_A_CONNECTION:
            self.close()
        if self._server is None:
            self._server = connect()
        return self._server


class Pool:
    """A few connections that share the letters of a batch."""

    def __init__(self, size: int = CONNECTIONS) -> None:
        self._connections = [Connection() for _ in range(size)]
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="lofte-mail")

    def hand_over(self, letters: Sequence[tuple[UUID, Made]], journal: Journal) -> Iterator[Became]:
        """Each letter with what became of it. When the server goes away, the letters that were not begun come as code 0."""
        waiting: SimpleQueue[tuple[UUID, Made]] = SimpleQueue()
        for letter in letters:
            waiting.put(letter)
        workers = min(len(letters), len(self._connections))
        works = [self._threads.submit(_work, each, waiting, journal) for each in self._connections[:workers]]
        for work in works:
            yield from work.result()
        while True:  # nobody is left who could hand them over
            try:
                yield Outcome(waiting.get_nowait()[0], 0)
            except Empty:
                return

    def close(self) -> None:
        for each in self._connections:
            each.close()
        self._threads.shutdown()


def _work(connection: Connection, waiting: "SimpleQueue[tuple[UUID, Made]]", journal: Journal) -> list[Became]:
    """Until none waits, or the server is gone."""
    done: list[Became] = []
    while True:
        try:
            row, made = waiting.get_nowait()
        except Empty:
            return done
        try:
            done.append(connection.hand(row, made(), journal))
        except Exception as error:
            done.append((row, error))
            if isinstance(error, UnreachableError):
                return done  # else this letter cannot be built, and the others go on


def _refused(server: smtplib.SMTP, letter: Outgoing) -> tuple[int, str] | None:
    """Ask whether the server takes a letter, in one breath where it can listen so (RFC 2920): the first no, or None when it waits
    for the words."""
    addresses = smtplib.quoteaddr(letter.sender), smtplib.quoteaddr(letter.recipient)
    steps = (f"MAIL FROM:{addresses[0]}", f"RCPT TO:{addresses[1]}", "DATA")
    is_in_one = server.has_extn("pipelining")
    if is_in_one:
        server.send("".join(f"{step}\r\n" for step in steps))
    refusal: tuple[int, str] | None = None
    for step, wanted in zip(steps, (250, 250, 354), strict=True):
        code, words = server.getreply() if is_in_one else server.docmd(step)
        if code // 100 != wanted // 100:
            refusal = refusal or (code, _said(words))
            if not is_in_one or code == _NOT_NOW:
                return refusal
        elif refusal and wanted == 354:
            server.send(b".\r\n")  # it waits for words all the same: none
            server.getreply()
    return refusal


def _quoted(message: bytes) -> bytes:
    """A dot at the start of a line is doubled; a line with one alone ends the words (RFC 5321 4.5.2)."""
    quoted = re.sub(rb"(?m)^\.", b"..", message)
    return quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"


def _said(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
