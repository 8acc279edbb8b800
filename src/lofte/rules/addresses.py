"""Whose an e-mail address is, as far as it shows: a company's own mailbox, somebody's at work, or a person's when in doubt."""

from lofte.rules.marketing import Who

_OF_NOBODY = frozenset({
    "info", "post", "firmapost", "kontakt", "contact", "office", "mail", "sales", "salg", "forsaljning", "myynti", "toimisto",
    "asiakaspalvelu", "kundtjanst", "kundeservice", "support", "faktura", "invoice", "laskut", "ekonomi", "regnskap", "admin",
    "hello", "hej", "hei", "team", "postmottak", "registrator", "kirjaamo", "reception", "booking",
})  # fmt: skip
_FOR_EVERYBODY = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com",
    "yahoo.com", "yahoo.co.uk", "proton.me", "protonmail.com", "gmx.com", "aol.com", "telia.com", "bredband.net", "spray.se",
    "hotmail.se", "live.se", "outlook.se", "online.no", "hotmail.no", "live.no", "getmail.no", "luukku.com", "suomi24.fi",
    "kolumbus.fi", "elisanet.fi", "btinternet.com", "sky.com", "comcast.net", "verizon.net", "att.net",
})  # fmt: skip


def who(address: str, company: str = "") -> Who:
    """``company`` is the one the person said they work for, empty when none is known."""
    local, _, domain = address.strip().casefold().rpartition("@")
    if domain in _FOR_EVERYBODY or not company.strip():
        return Who.NATURAL
    return Who.COMPANY if local.partition("+")[0] in _OF_NOBODY else Who.WORK_ADDRESS
