"""Takes one letter that came: reads it, and hands it to the room that gave out the address, once."""

import email
import hmac
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import IntegrityError, transaction

from lofte.core import clock
from lofte.core.mailing import inbound, reading
from lofte.core.mailing.models import Taken
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.kernel.problems import Problem

_REMEMBERED = timedelta(days=14)  # longer than any mail server tries


def is_ours(recipient: str) -> bool:
    """Whether we take mail to this address."""
    return inbound.found(recipient) is not None


def take(recipient: str, raw: bytes, sender: str | None = None) -> bool:
    """Hand a letter over. False when it was taken before. Raises Problem below status 500 for one that is refused for good."""
    found = inbound.found(recipient)
    if found is None:
        raise Problem("mail.no-such-address", "there is no such address here", status=404)
    if len(raw) > reading.MOST_BYTES:
        raise Problem("mail.too-large", "the letter is too large", status=413)
    handler, token = found
    return _handed_over(handler, token, reading.read(raw, sender), _hash(recipient, raw))


@in_transaction
def _handed_over(handler: inbound.Handler, token: str, message: inbound.Incoming, key: str) -> bool:
    try:
        with transaction.atomic():
            Taken.objects.create(hash=key)
    except IntegrityError:
        return False
    handler(token, message)
    return True


def _hash(recipient: str, raw: bytes) -> str:
    """The same when a server tries again, whatever it wrote above the letter meanwhile."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    headers = email.message_from_bytes(head + b"\n\n")
    named = "\0".join(str(headers.get(name, "")) for name in ("Message-ID", "Date", "From"))
    said = b"\0".join((b"lofte/taken/1", recipient.lower().encode(), named.encode("utf-8", "surrogateescape"), body))
    return hmac.new(settings.LOFTE_LIMITS_KEY, said, sha256).hexdigest()


@duty("mail.forget_taken", every=timedelta(days=1))
def forget_taken(at: datetime) -> int:
    """Forget which incoming mail was handed over two weeks ago: no mail server tries for so long."""
    gone, _ = Taken.objects.filter(at__lt=clock.now() - _REMEMBERED).delete()
    return gone
