"""Step-up: acts that cannot be undone, or hand everything over, ask for a code to the mailbox when the visit is no longer young.

The link in the mail proves the mailbox once; somebody else may sit down at the screen later. Which acts ask, and after how long,
is the policy's `rights` section. Six digits are enough because they open only together with the visit's own secret of 256 bits,
for ten minutes and five tries. A code that fits begins the visit anew under a new secret.
"""

import secrets
from datetime import datetime, timedelta

from lofte.core import actions, clock, codes, limits, mail, ports, publication
from lofte.core.retry import in_transaction
from lofte.features.rights.nouns import Grant
from lofte.kernel.problems import Place, Problem
from lofte.rules import clocks

SESSION_LASTS = timedelta(minutes=30)
CODE_LASTS = timedelta(minutes=10)
PER_PERSON = (5, timedelta(hours=1))  # letters with a code, window
TRIES = (5, CODE_LASTS)
_DIGITS = 6
_SHORTEST = timedelta(minutes=1)  # somebody must be able to press the button


def proved_at(grant: Grant) -> datetime:
    """When this visit last showed that it reads the mailbox."""
    return grant.expires_at - SESSION_LASTS


def is_fresh(grant: Grant, act: str) -> bool:
    """Whether this visit may do the act (``download``, ``correct``, ``erase``) without a code, by the policy in force."""
    rights, proved = publication.current().policy.rights, proved_at(grant)
    lasts_until = max(clocks.add_period(proved, rights.fresh_for), proved + _SHORTEST)
    return act not in rights.fresh_code or clock.now() < lasts_until


@in_transaction
def mail_code(grant: Grant) -> bool:
    """A new code to the address on file; an earlier one no longer counts. False when too many were sent, or nothing is on file."""
    address = ports.register().read(grant.person_id, "rights", ("email",), by="rights").get("email")
    if not address or not limits.allow("portal-code", str(grant.person_id), *PER_PERSON):
        return False
    codes.revoke_all(grant.person_id, "step-up")
    digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    codes.issue(
        "step-up",
        grant.person_id,
        market=grant.market,
        locale=grant.locale,
        lasts=CODE_LASTS,
        token=_bound(grant, digits),
    )
    words = mail.compose(
        "code", grant.market, grant.locale, code=f"{digits[:3]} {digits[3:]}",
        minutes=int(CODE_LASTS.total_seconds() // 60),
    )  # fmt: skip
    mail.send(mail.Letter("code", grant.person_id, address, words, "rights"))
    actions.record("portal.code_sent", "system", market=grant.market)
    return True


def prove(grant: Grant, typed: str) -> Grant:
    """The visit anew, fresh, under a new secret. Raises Problem `code.wrong` for a code that is wrong, used or too old."""
    # Outside of any transaction: a try that fails must stay counted.
    if not limits.allow("portal-code-try", grant.token, *TRIES):
        codes.revoke_all(grant.person_id, "step-up")
        raise _wrong()
    return _prove(grant, "".join(each for each in typed if each.isdecimal() and each.isascii()))


@in_transaction
def _prove(grant: Grant, digits: str) -> Grant:
    try:
        codes.redeem(_bound(grant, digits), "step-up")
    except Problem:
        raise _wrong() from None
    fresh = begin(grant)
    codes.revoke(grant.token, "session")
    actions.record("portal.code_given", "person", market=grant.market)
    return fresh


def begin(grant: Grant) -> Grant:
    """The same person's visit under a new secret, from now."""
    token = codes.issue(
        "session", grant.person_id, market=grant.market, locale=grant.locale, lasts=SESSION_LASTS, single_use=False
    )
    made = codes.peek(token, "session")
    assert made is not None
    assert made.expires_at is not None
    return Grant(token, grant.person_id, grant.market, grant.locale, made.expires_at)


def _bound(grant: Grant, digits: str) -> str:
    return f"{grant.token}.{digits}"


def _wrong() -> Problem:
    return Problem(
        "code.wrong",
        "this code does not fit, or no longer",
        Place(key="code"),
        way_out="Ask for a new one.",
        status=422,
    )
