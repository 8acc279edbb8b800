"""The canary's mailbox, read through the API that Mailpit made common.

Only ever asked for addresses the canary made up.
"""

import json
import re
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

from lofte.core import outbound
from lofte.kernel.problems import Problem
from lofte.probes.probe import Unable

_LINK = re.compile(r"https?://[^\s\"'<>\)\]]+")


@dataclass(frozen=True, slots=True)
class Letter:
    id: str
    subject: str
    text: str
    html: str
    list_unsubscribe: str
    list_unsubscribe_post: str
    message_id: str = ""
    reply_to: str = ""
    sender: str = ""
    """The envelope's sender, to whom reports of failure go."""

    def link_with(self, part: str) -> str:
        """The first address in the letter that holds ``part``; empty when there is none."""
        return next((found for found in _LINK.findall(self.text) if part in found), "")


class Mailbox:
    def __init__(self, base: str | None) -> None:
        if not base:
            raise Unable("no-mailbox", "no mailbox is set")
        self._base = base.rstrip("/")
        host = self._base.split("//", 1)[-1].split("/", 1)[0].rpartition(":")
        self._also = frozenset({(host[0] or host[2]).lower()})
        self._read: dict[str, Letter] = {}  # a letter never changes

    def letters_to(self, address: str) -> list[Letter]:
        """Every letter to an address, newest first."""
        found = self._ask(f"/api/v1/search?query={quote('to:' + address)}")
        ids = [one["ID"] for one in found.get("messages", [])]
        self._read |= {each: self._letter(each) for each in ids if each not in self._read}
        return [self._read[each] for each in ids]

    def wait_for(self, address: str, part: str, *, known: int = 0, timeout_s: float = 60) -> Letter | None:
        """The newest letter to ``address`` beyond the ``known`` first ones that links to ``part``; None when time is
        up.
        """
        until = time.monotonic() + timeout_s
        while True:
            letters = self.letters_to(address)
            fresh = letters[: max(len(letters) - known, 0)]
            if letter := next((one for one in fresh if one.link_with(part)), None):
                return letter
            if time.monotonic() > until:
                return None
            time.sleep(0.1)

    def source(self, letter: Letter) -> EmailMessage:
        """The letter as it came, with its headers and files."""
        return message_from_bytes(self.raw(letter), policy=policy.default)

    def raw(self, letter: Letter) -> bytes:
        """Every byte of it, as a signature covers them."""
        return outbound.get(f"{self._base}/api/v1/message/{letter.id}/raw", also=self._also).body

    def forget(self, address: str) -> None:
        """Remove what was sent to the canary."""
        found = self._ask(f"/api/v1/search?query={quote('to:' + address)}")
        ids = [one["ID"] for one in found.get("messages", [])]
        if ids:
            body = json.dumps({"IDs": ids}).encode()
            outbound.request(
                "DELETE",
                f"{self._base}/api/v1/messages",
                content=body,
                also=self._also,
                headers={"Content-Type": "application/json"},
            )

    def _letter(self, message_id: str) -> Letter:
        found = self._ask(f"/api/v1/message/{message_id}")
        way_out = found.get("ListUnsubscribe") or {}
        return Letter(
            message_id,
            found.get("Subject", ""),
            found.get("Text", ""),
            found.get("HTML", ""),
            way_out.get("Header", ""),
            way_out.get("HeaderPost", ""),
            found.get("MessageID", "").strip("<>"),
            next((one["Address"] for one in found.get("ReplyTo") or ()), ""),
            found.get("ReturnPath", "").strip("<>"),
        )

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            answer = outbound.get(self._base + path, also=self._also)
        except Problem as problem:
            raise Unable("no-mailbox", "the mailbox did not answer") from problem
        if answer.status != 200:
            raise Unable("no-mailbox", f"the mailbox answered {answer.status}")
        found: dict[str, Any] = json.loads(answer.body)
        return found
