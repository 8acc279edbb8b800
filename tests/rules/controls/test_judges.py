"""Worked cases: for every reason a judge can give, an observation that leads to it."""

from dataclasses import replace
from datetime import date

import pytest

from lofte.rules.control import Status
from lofte.rules.controls import LOCALES, all_controls, reason, words_of
from lofte.rules.controls._basis import BasisSeen
from lofte.rules.controls._clocked import Clocked, Led
from lofte.rules.controls._gates import Left, Passage, Way
from lofte.rules.controls._recipients import Denied, Moved, RecipientOnFile, Recipients, TransferOnFile
from lofte.rules.controls._seen import CookieDeclared, Newcomers, Page, Stored, TagDeclared, Visit
from lofte.rules.controls.analytics_optout import OptedOut
from lofte.rules.controls.cms_cookies_declared import CmsCookies, CmsSite, SiteCookie
from lofte.rules.controls.consent_recorded import ConsentRecords
from lofte.rules.controls.contact_on_every_page import WANTED, ContactShown
from lofte.rules.controls.contact_route import Asked, Routes
from lofte.rules.controls.cookie_list_current import CookieLists
from lofte.rules.controls.customer_fields_declared import CustomerData
from lofte.rules.controls.data_secured import Doors, Secured, Stores, Ways
from lofte.rules.controls.erasure_complete import ErasureWalk
from lofte.rules.controls.events_registered import Attended, Events
from lofte.rules.controls.export_machine_readable import ExportWalk
from lofte.rules.controls.forms_only_declared_fields import FormSeen, FormsSeen
from lofte.rules.controls.holds_named_in_law import Statutes, StatuteWalk
from lofte.rules.controls.inquiries_answered import Inquired, Inquiries
from lofte.rules.controls.language_remembered import LanguageChoices, Switch
from lofte.rules.controls.law_pack_current import LawPacks, PackSeen
from lofte.rules.controls.legitimate_interest_balanced import Balanced, Objection
from lofte.rules.controls.locales_complete import Editions
from lofte.rules.controls.market_contacts import ControllersShown
from lofte.rules.controls.materials_by_grant import Asked as MaterialAsked
from lofte.rules.controls.materials_by_grant import Materials
from lofte.rules.controls.newsletter_only_with_consent import Chosen, Sends, Subscribed
from lofte.rules.controls.no_identifiers_in_tags import Leak, Told
from lofte.rules.controls.no_undeclared_disclosure import Ways as WaysOut
from lofte.rules.controls.pixels_aggregate import PixelYield
from lofte.rules.controls.pixels_not_identifying import PixelsTold
from lofte.rules.controls.portal_gives_access import PortalWalk
from lofte.rules.controls.purpose_limited import Uses
from lofte.rules.controls.relations_have_clocks import Relations
from lofte.rules.controls.versions_signed import PublicationSeen
from lofte.rules.controls.withdrawal_at_once import Withdrawals, WithdrawalWalk
from lofte.rules.controls.works_without_cookies import CookielessVisit

PAGE = Page("/lofte/policy/se/sv/")
BARE = Page("/lofte/policy/se/sv/", ("Xledger AB",))
DAY_S = 86400

OWN = CookieDeclared("lofte", "cookie", "first", "necessary", True, 180 * DAY_S)
GA = CookieDeclared("_ga*", "cookie", "first", "statistics", False, 730 * DAY_S)
IDE = CookieDeclared("IDE", "cookie", "third", "marketing", False, 390 * DAY_S, host="doubleclick.net")
TAGS = (
    TagDeclared("ga4", "statistics", ("*.google-analytics.com",)),
    TagDeclared("ads", "marketing", ("*.doubleclick.net",)),
    TagDeclared("pixel", "marketing", ("connect.facebook.net",)),
)
HOSTS = ("www.google-analytics.com", "ad.doubleclick.net", "connect.facebook.net")
LOFTE = Stored("lofte", "cookie", "localhost", "first", 180 * DAY_S)
GA_SEEN = Stored("_ga_X1", "cookie", "localhost", "first", 730 * DAY_S)
IDE_SEEN = Stored("IDE", "cookie", "ad.doubleclick.net", "third", 390 * DAY_S)


def _newcomers(**changed: Visit) -> Newcomers:
    phases = {
        "before": Visit("SE", "before"),
        "rejected": Visit("SE", "rejected", (LOFTE,)),
        "accepted": Visit("SE", "accepted", (LOFTE, GA_SEEN, IDE_SEEN), HOSTS),
        "withdrawn": Visit("SE", "withdrawn", (LOFTE,)),
    } | changed
    return Newcomers(("SE",), tuple(phases.values()), {"SE": (OWN, GA, IDE)}, TAGS)


NEWCOMERS = _newcomers()
BLIND = replace(NEWCOMERS, instrument_sees=False)
HALF = replace(NEWCOMERS, expected=("SE", "NO"))
EARLY = Visit("SE", "before", (), ("www.google-analytics.com", "ad.doubleclick.net", "connect.facebook.net"))
LATE = Visit("SE", "withdrawn", (), ("www.google-analytics.com", "ad.doubleclick.net", "connect.facebook.net"))
QUIET = Visit("SE", "accepted", (LOFTE,))
HOLDABLE = {"fields": ["visit-time"], "also": ["browser-id"]}
TIMED = replace(GA, data=("visit-time",))
LEFT = Visit("SE", "withdrawn", (LOFTE, GA_SEEN, Stored("_fbp", "cookie", "localhost", "first"), IDE_SEEN))
LEFTOVERS = (
    OWN,
    replace(GA, tag="ga4"),
    CookieDeclared("_fbp", "cookie", "first", "marketing", False, None, tag="pixel"),
    IDE,
)

LEAK = Leak("a.example", "email", "hashed")
HONOURED = Objection("contact", True, True)
CUSTOMER = {"relation": "customer", "fields": ["name", "company"]}


SECURED = Secured(Stores(9, people=3), Ways("tls", "https://a.example"), Doors(True), recorded=True)


def _secured(stores: Stores | None = None, **changed: object) -> Secured:
    return replace(SECURED, **({"stores": stores} if stores else {}), **changed)


TODAY = date(2026, 11, 22)
US = TransferOnFile("US", "dpf")
IRISH = RecipientOnFile("google", "IE", frozenset({"SE", "US"}), (US,), ("*.google-analytics.com",))
BRITISH = RecipientOnFile(
    "partners-gb", "GB", frozenset({"GB"}), (TransferOnFile("GB", "adequacy", date(2031, 12, 27)),)
)
AMERICAN = RecipientOnFile("partners-us", "US", frozenset({"US"}))
STRAY = RecipientOnFile("acme", "US", frozenset({"SE"}), (US,), ("tag.acme.example",))
ON_FILE = (IRISH, BRITISH, AMERICAN)
SEEN = Recipients(ON_FILE, TODAY, (("SE", "www.google-analytics.com"),))
OFFICES = {"markets": ["SE", "NO", "GB", "FI"]}

K, B, U = Status.KEPT, Status.BROKEN, Status.UNPROVED
PUBLISHED = PublicationSeen("2023-01", True, True)
FORM = FormSeen("newsletter", "/news/se/sv/")
RECORDS = ConsentRecords(2, 0, 0, 1)
WALK = WithdrawalWalk("SE", True, True, True, listed=True, withdrawn=True, by_page=True)
SUBSCRIBED = Subscribed("SE", 0, True, True, True)
CHOSEN = Chosen("SE", shown=True, saved=True)
PACK = PackSeen("SE", "SE", 12)

LED = Led(walked=True)
PASSED = Passage(5, done=True)
HELD = StatuteWalk(5, held=True)
STATUTES = Statutes(1, walk=HELD)

GATED = [
    (control, parameters, *case)
    for control, parameters in (
        ("analytics_after_consent", {"purpose": "statistics", "tags": ["ga4"]}),
        ("ads_after_consent", {"purpose": "marketing"}),
        ("pixels_after_consent", {"purpose": "marketing", "tags": ["pixel"]}),
    )
    for case in (
        (NEWCOMERS, K, "kept"),
        (_newcomers(before=EARLY), B, "early"),
        (_newcomers(rejected=EARLY), B, "early"),
        (_newcomers(withdrawn=LATE), B, "after-withdrawal"),
        (replace(_newcomers(withdrawn=LEFT), cookies={"SE": LEFTOVERS}), B, "left"),
        (_newcomers(accepted=QUIET), U, "never-loaded"),
        (HALF, U, "unseen"),
        (BLIND, U, "blind"),
    )
]
BASES = [
    (control, {"basis": "contract"}, *case)
    for control in ("event_on_contract", "customer_on_contract")
    for case in (
        (BasisSeen({"event": "contract"}, 3, 0, (PAGE,)), K, "kept"),
        (BasisSeen({"event": "consent"}, 3, 0, (PAGE,)), B, "declared-otherwise"),
        (BasisSeen({"event": "contract"}, 3, 1, (PAGE,)), B, "held-otherwise"),
        (BasisSeen({"event": "contract"}, 3, 0, (BARE,)), B, "not-said"),
        (BasisSeen({}, 0, 0, ()), U, "not-declared"),
    )
]
CLOCKS = [
    (control, {}, *case)
    for control in ("gone_after_withdrawal_or_inactivity", "gone_after_relation")
    for case in (
        (Clocked(5, 0, swept_hours=3, led=LED), K, "kept"),
        (Clocked(0, 0, swept_hours=3, still_there=False, led=LED), K, "kept"),
        (Clocked(5, 0, swept_hours=3), U, "nobody"),
        (Clocked(5, 1, 40, 3), B, "overdue"),
        (Clocked(5, 0, swept_hours=3, looked=100, put_off=2, led=LED), B, "put-off"),
        (Clocked(5, 0, swept_hours=3, untrue_signals=1, led=LED), B, "untrue-signals"),
        (Clocked(5, 0, swept_hours=3, let_alone=1, led=LED), B, "brake"),
        (Clocked(5, 0, swept_hours=3, is_brake_loose=True, led=LED), B, "brake"),
        (Clocked(5, 0, swept_hours=3, led=replace(LED, forged=True)), B, "forged"),
        (Clocked(5, 0, swept_hours=3, led=replace(LED, clockless=True)), B, "clockless"),
        (Clocked(5, 0, swept_hours=3, led=replace(LED, late_days=30)), B, "dated-late"),
        (Clocked(5, 0, swept_hours=3, led=replace(LED, still_there=True)), B, "not-swept"),
        (Clocked(5, 0, swept_hours=3, led=replace(LED, early=True)), B, "early"),
        (Clocked(5, 0, swept_hours=3, led=replace(LED, deaf=True)), B, "deaf"),
        (Clocked(5, 0, swept_hours=3, still_there=True), B, "not-swept"),
        (Clocked(5, 0), U, "never-swept"),
        (Clocked(5, 0, swept_hours=90), U, "sweep-late"),
        (Clocked(0, 0, swept_hours=3), U, "nobody"),
    )
]
GATES = [
    (control, {}, *case)
    for control, faults, ways, more in (
        (
            "partners_agreed", ("not-agreed",), ("expired", "field", "purpose", "untold", "before-evidence"),
            ("untold", "unrecalled"),
        ),
        (
            "authority_decision_on_file", ("no-decision", "one-signer", "beyond-decision"),
            ("no-decision", "no-case", "not-released", "alone", "field"), (),
        ),
        (
            "transfer_case_noticed", ("no-notice", "no-decision", "one-signer", "beyond-decision"),
            ("no-notice", "notice-runs", "notice-too-short", "not-released", "alone", "field", "objected"), ("untold",),
        ),
    )
    for case in (
        (Way(PASSED, used=3), K, "kept"),
        *((Way(PASSED, (Left(one, "partners-se", 2),)), B, one) for one in faults),
        *((Way(replace(PASSED, let_through=(one,))), B, f"passed-{one}") for one in ways),
        *((Way(replace(PASSED, **{one.removeprefix("un"): False})), B, one) for one in ("unlogged", *more)),
        (Way(PASSED, lacking=("partners-se",)), B, "not-on-file"),
        (Way(replace(PASSED, beyond=("phone",))), B, "beyond"),
        (Way(None), U, "no-way"),
        (Way(Passage(5)), U, "not-walked"),
    )
]  # fmt: skip
OUTSIDE = [
    ("no_undeclared_disclosure", {}, *case)
    for case in (
        (WaysOut(PASSED, used=3), K, "kept"),
        *((WaysOut(PASSED, (Left(one, "x", 1),)), B, one) for one in ("undeclared", "no-ground", "no-evidence", "not-recalled")),
        *(
            (WaysOut(replace(PASSED, let_through=(one,))), B, f"passed-{one}")
            for one in ("recipient", "purpose", "market", "nothing-on-file", "sold")
        ),
        (WaysOut(PASSED, unlogged=2), B, "unlogged"),
        (WaysOut(PASSED, strangers=("shop",)), B, "strangers"),
        (WaysOut(PASSED, alone=1), B, "alone"),
        (WaysOut(None), U, "not-tried"),
        (WaysOut(Passage(0)), U, "not-tried"),
    )
]  # fmt: skip
HOLDS = [
    ("holds_named_in_law", {}, *case)
    for case in (
        (STATUTES, K, "kept"),
        (replace(STATUTES, lawless=1), B, "lawless"),
        (replace(STATUTES, over=1), B, "over"),
        (replace(STATUTES, unreviewed=1), B, "unreviewed"),
        *(
            (replace(STATUTES, walk=replace(HELD, let_through=(one,))), B, f"passed-{one}")
            for one in ("statute", "citation", "end", "past", "wide")
        ),
        (replace(STATUTES, walk=replace(HELD, lost=("accounting: name",))), B, "lost"),
        (replace(STATUTES, walk=replace(HELD, stayed=("customer: phone",))), B, "stayed"),
        (replace(STATUTES, walk=replace(HELD, outlived=True)), B, "outlived"),
        (replace(STATUTES, without_law=("US",)), U, "without-law"),
        (replace(STATUTES, walk=None), U, "nobody"),
    )
]
INQUIRED = Inquired("SE", True, True, True, True, True, True, True, True)
GIVEN = MaterialAsked("SE", *[True] * 8)
ATTENDED = Attended("SE", *[True] * 9)


def _met(walk, **changed):
    """Nothing went wrong in Norway, and in Sweden what is ``changed``."""
    return (replace(walk, market="NO"), replace(walk, **changed))


LOGGED_IN = CookieDeclared("wordpress_logged_in_*", "cookie", "first", "necessary", True, 15 * DAY_S)
COMMENT = CookieDeclared("comment_author_*", "cookie", "first", "preferences", False, 348 * DAY_S)
SIGNED_IN = SiteCookie("wordpress_logged_in_ab", "login", lifetime_s=14 * DAY_S + DAY_S // 2)
COMMENTED = SiteCookie("comment_author_ab", "comments", lifetime_s=30_000_000)
BASKET = SiteCookie("shop_basket", "functional")


def _wordpress(*cookies, declared=(LOGGED_IN, COMMENT), is_gated=True, silent=None):
    site = CmsSite("wordpress", "WordPress 6.1.9 (0.1.0)", is_gated, cookies)
    return CmsCookies((site,), silent or {}, {"SE": declared})


CASES = [
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, COMMENTED), K, "kept"),
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, replace(BASKET, is_held=True)), K, "kept"),
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, BASKET), B, "undeclared"),
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, COMMENTED, declared=(LOGGED_IN,)), B, "undeclared"),
    ("cms_cookies_declared", {}, _wordpress(BASKET, is_gated=False, silent={"blog": "x"}), B, "undeclared"),
    (
        "cms_cookies_declared",
        {},
        _wordpress(COMMENTED, declared=(replace(COMMENT, necessary=True),)),
        B,
        "without-consent",
    ),
    # The closer line decides, whatever a wider one says.
    (
        "cms_cookies_declared",
        {},
        _wordpress(
            replace(COMMENTED, name="comment_author_email_ab"),
            declared=(COMMENT, replace(COMMENT, name="comment_author_email_*", necessary=True)),
        ),
        B,
        "without-consent",
    ),
    (
        "cms_cookies_declared",
        {},
        _wordpress(SIGNED_IN, declared=(replace(LOGGED_IN, necessary=False),)),
        B,
        "login-by-consent",
    ),
    ("cms_cookies_declared", {}, _wordpress(replace(SIGNED_IN, lifetime_s=16 * DAY_S)), B, "longer"),
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, declared=(replace(LOGGED_IN, lifetime_s=None),)), B, "longer"),
    ("cms_cookies_declared", {}, CmsCookies((), {}, {"SE": (LOGGED_IN,)}), U, "not-connected"),
    ("cms_cookies_declared", {"system": "blog"}, _wordpress(SIGNED_IN), U, "not-connected"),
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, silent={"blog": "wordpress.unreachable"}), U, "silent"),
    ("cms_cookies_declared", {}, _wordpress(), U, "silent"),
    ("cms_cookies_declared", {}, _wordpress(SIGNED_IN, is_gated=False), U, "ungated"),
    ("cms_cookies_declared", {}, _wordpress(replace(SIGNED_IN, is_life_known=False)), U, "lifetime-unknown"),
    *GATED,
    *BASES,
    *CLOCKS,
    *GATES,
    *OUTSIDE,
    *HOLDS,
    ("market_contacts", {}, ControllersShown((PAGE,)), K, "kept"),
    ("market_contacts", {}, ControllersShown((PAGE, BARE)), B, "not-named"),
    ("market_contacts", {}, ControllersShown(()), U, "no-pages"),
    ("locales_complete", {"locales": ["sv"]}, Editions(("sv", "nb"), 40), K, "kept"),
    ("locales_complete", {}, Editions(("sv", "nb"), 40, (("nb", "banner"),)), B, "lacking"),
    ("locales_complete", {"locales": ["fi"]}, Editions(("sv", "nb"), 40), B, "no-edition"),
    ("locales_complete", {}, Editions((), 0), U, "nothing-seen"),
    ("forms_only_declared_fields", {}, FormsSeen((FORM,), site=9), K, "kept"),
    ("forms_only_declared_fields", {}, FormsSeen((replace(FORM, undeclared=("age",)),)), B, "undeclared"),
    ("forms_only_declared_fields", {}, FormsSeen((FORM,), took_extra=("newsletter",)), B, "took-extra"),
    ("forms_only_declared_fields", {}, FormsSeen((replace(FORM, unsaid=("purpose",)),)), B, "unsaid"),
    ("forms_only_declared_fields", {}, FormsSeen((FORM,), unseen=("event",), site=9), K, "kept-so-far"),
    ("forms_only_declared_fields", {}, FormsSeen((FORM,)), U, "unread"),
    (
        "forms_only_declared_fields",
        {"fields": ["email"]},
        FormsSeen((FORM,), declared=(("x", "age"),)),
        B,
        "declared-more",
    ),
    ("no_identifiers_in_tags", {}, Told(True, 3, {"a.example": 2}), K, "kept"),
    ("no_identifiers_in_tags", {}, Told(False), U, "blind"),
    ("no_identifiers_in_tags", {}, Told(True, 3), U, "never-loaded"),
    ("no_identifiers_in_tags", {}, Told(True, 0, {"a.example": 2}), U, "nothing-typed"),
    ("no_identifiers_in_tags", {}, Told(True, 3, {"a.example": 2}, (LEAK,)), B, "leak"),
    ("no_identifiers_in_tags", {"fields": ["phone"]}, Told(True, 3, {"a.example": 2}, (LEAK,)), K, "kept"),
    ("pixels_not_identifying", {}, PixelsTold(Told(True, 3, {"a.example": 2}), (PAGE,)), K, "kept"),
    ("pixels_not_identifying", {}, PixelsTold(Told(True, 3, {"a.example": 2}, (LEAK,)), (BARE,)), B, "leak"),
    ("pixels_not_identifying", {}, PixelsTold(Told(True, 3), (PAGE, BARE)), B, "unlinked"),
    ("pixels_not_identifying", {}, PixelsTold(Told(True, 3), (PAGE,)), U, "never-loaded"),
    ("pixels_not_identifying", {}, PixelsTold(Told(True, 0, {"a.example": 2}), (PAGE,)), U, "nothing-typed"),
    ("pixels_not_identifying", {}, PixelsTold(Told(False), (PAGE,)), U, "blind"),
    ("pixels_aggregate", {}, PixelYield(("A pixel",), {}), U, "no-sizes"),
    ("pixels_aggregate", {}, PixelYield(("A pixel",), {"import:a": 3}), B, "single"),
    ("analytics_optout", {}, OptedOut(True, {"a.example": 2}, {}, (PAGE,)), K, "kept"),
    ("analytics_optout", {}, OptedOut(True, {"a.example": 2}, {"a.example": 1}, (BARE,)), B, "measured"),
    ("analytics_optout", {}, OptedOut(True, {"a.example": 2}, {}, (PAGE, BARE)), B, "unlinked"),
    ("analytics_optout", {}, OptedOut(True, {}, {}, (PAGE,)), U, "never-measured"),
    ("analytics_optout", {}, OptedOut(True, {"a.example": 2}, {}, ()), U, "no-link"),
    ("analytics_optout", {}, OptedOut(False, {}, {}, (PAGE,)), U, "blind"),
    ("forms_only_declared_fields", {}, FormsSeen(()), U, "no-forms"),
    ("data_secured", {}, _secured(), K, "kept"),
    ("data_secured", {}, _secured(ways=Ways("here", "http://localhost")), K, "kept-here"),
    ("data_secured", {}, _secured(Stores(0)), U, "nothing-searched"),
    ("data_secured", {}, _secured(recorded=None), U, "nothing-searched"),
    ("data_secured", {}, _secured(ways=Ways("unreached", "https://a.example")), U, "unreached"),
    ("data_secured", {}, _secured(doors=Doors(False)), U, "no-console"),
    ("data_secured", {}, _secured(Stores(9, in_clear=("register_person.name",))), B, "in-clear"),
    ("data_secured", {}, _secured(Stores(9, unsealed=("register_holding.sealed",))), B, "unsealed"),
    ("data_secured", {}, _secured(Stores(9, keyless=1)), B, "keyless"),
    ("data_secured", {}, _secured(Stores(9, loose_keys=("keys/log.key",))), B, "loose-keys"),
    ("data_secured", {}, _secured(ways=Ways("clear", "http://a.example")), B, "no-tls"),
    ("data_secured", {}, _secured(ways=Ways("tls", "https://a.example", clear_mail="mx.example")), B, "mail-in-clear"),
    ("data_secured", {}, _secured(ways=Ways("tls", "https://a.example", "", "db.example")), B, "database-in-clear"),
    ("data_secured", {}, _secured(doors=Doors(True, ("/console/people/",))), B, "open-to-all"),
    ("data_secured", {}, _secured(doors=Doors(True, (), ("/console/people/",))), B, "password-enough"),
    ("data_secured", {"second_factor": False}, _secured(doors=Doors(True, (), ("/console/people/",))), K, "kept"),
    ("data_secured", {}, _secured(recorded=False), B, "unrecorded"),
    ("purpose_limited", {}, Uses(5, looks=3, holdings=9), K, "kept"),
    ("purpose_limited", {}, Uses(5, gave=("read",)), B, "gave-read"),
    ("purpose_limited", {}, Uses(5, gave=("field",)), B, "gave-field"),
    ("purpose_limited", {}, Uses(5, gave=("keep",)), B, "gave-keep"),
    ("purpose_limited", {}, Uses(5, gave=("mail",)), B, "gave-mail"),
    ("purpose_limited", {}, Uses(5, purposeless=2), B, "looks"),
    ("purpose_limited", {}, Uses(5, stray_mails=2), B, "mails"),
    ("purpose_limited", {}, Uses(5, strays=("newsletter: phone",)), B, "beyond"),
    ("purpose_limited", {}, Uses(5, undeclared=("register_holding.note",)), B, "undeclared"),
    ("purpose_limited", {}, Uses(0), U, "not-tried"),
    ("customer_fields_declared", CUSTOMER, CustomerData(("name",), ("name",), 1, 1, 0, False), K, "kept"),
    ("customer_fields_declared", CUSTOMER, CustomerData(("name",), ("shoe",), 1, 1, 0, False), B, "held"),
    ("customer_fields_declared", CUSTOMER, CustomerData(("name",), ("name",), 1, 1, 0, True), B, "took"),
    ("customer_fields_declared", CUSTOMER, CustomerData(("shoe",), ("name",), 1, 1, 0, False), B, "declared-more"),
    ("customer_fields_declared", CUSTOMER, CustomerData(("name",), ("name",), 1, 1, 1, False), B, "unsourced"),
    ("customer_fields_declared", CUSTOMER, CustomerData(("name",), (), 0, 0, 0, None), U, "not-tried"),
    ("relations_have_clocks", {"relations": ["customer"]}, Relations({"customer": "end"}, 3, 0), K, "kept"),
    ("relations_have_clocks", {"relations": ["guest"]}, Relations({"customer": "end"}, 3, 0), B, "unknown-relation"),
    ("relations_have_clocks", {}, Relations({"customer": ""}, 3, 0), B, "no-clock"),
    ("relations_have_clocks", {}, Relations({"customer": "end"}, 3, 2), B, "holdings-without-clock"),
    ("relations_have_clocks", {}, Relations({}, 0, 0), U, "no-relations"),
    ("newsletter_only_with_consent", {}, Sends(("NO", "SE"), _met(SUBSCRIBED), 7, choices=_met(CHOSEN)), K, "kept"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED, unconfirmed=1), 7), B, "unconfirmed"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED), 7, 2), B, "without-consent"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED), 7, to_dead=1), B, "dead"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED, waits=False)), B, "acts-on-get"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED, lasts=False)), B, "burnt"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED), opened=("SE: a.example",)), B, "opened"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED), followed=("SE",)), B, "followed"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), choices=_met(CHOSEN, shown=False)), B, "no-choice"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), choices=_met(CHOSEN, looked=False)), B, "chosen-by-looking"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), choices=_met(CHOSEN, saved=False)), B, "choice-lost"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED)), U, "not-chosen"),
    ("newsletter_only_with_consent", {}, Sends(("FI",), _met(SUBSCRIBED)), U, "not-walked"),
    ("newsletter_only_with_consent", {}, Sends(("SE",), _met(SUBSCRIBED, received=False)), U, "never-arrived"),
    ("legitimate_interest_balanced", {}, Balanced({"contact": 10}, (PAGE,), HONOURED), K, "kept"),
    ("legitimate_interest_balanced", {}, Balanced({"contact": 10}, (PAGE,)), U, "not-tried"),
    ("legitimate_interest_balanced", {}, Balanced({"contact": 10}, (PAGE,), Objection("contact", False)), B, "no-way"),
    (
        "legitimate_interest_balanced",
        {},
        Balanced({"contact": 10}, (PAGE,), Objection("contact", True)),
        B,
        "not-honoured",
    ),
    ("legitimate_interest_balanced", {}, Balanced({"contact": None}, (PAGE,)), B, "no-test"),
    ("legitimate_interest_balanced", {}, Balanced({"contact": 2000}, (PAGE,)), B, "old-test"),
    ("legitimate_interest_balanced", {}, Balanced({"contact": 10}, (BARE,)), B, "not-shown"),
    ("legitimate_interest_balanced", {}, Balanced({}, ()), U, "nothing-rests"),
    ("consent_recorded", {}, ConsentRecords(9, 0, 0, 3, wordless=("/forms/se/sv/inquiry/",)), B, "wordless"),
    ("consent_recorded", {}, RECORDS, K, "kept"),
    ("consent_recorded", {}, replace(RECORDS, without_wording=1), B, "without-wording"),
    ("consent_recorded", {}, replace(RECORDS, unlogged=1), B, "unlogged"),
    ("consent_recorded", {}, replace(RECORDS, refused=("proof",)), B, "receipt-refused"),
    ("consent_recorded", {}, replace(RECORDS, ticked=("/se/",)), B, "ticked"),
    ("consent_recorded", {}, replace(RECORDS, records=0), U, "no-consents"),
    ("no_transfer_outside_eea", OFFICES, SEEN, K, "kept"),
    ("no_transfer_outside_eea", OFFICES, replace(SEEN, on_file=(*ON_FILE, STRAY)), B, "declared"),
    (
        "no_transfer_outside_eea",
        OFFICES,
        Recipients((replace(STRAY, markets=frozenset({"US"})),), TODAY, (("SE", "tag.acme.example"),)),
        B,
        "contacted",
    ),
    ("no_transfer_outside_eea", OFFICES, replace(SEEN, contacted=None), U, "declared-only"),
    ("no_transfer_outside_eea", OFFICES, replace(SEEN, moved=(Moved("SE", "partners-us", "US", 1, True),)), B, "moved"),
    ("no_transfer_outside_eea", OFFICES, replace(SEEN, moved=(Moved("SE", "partners-gb", "GB", 1, True),)), K, "kept"),
    ("transfer_tool_on_file", OFFICES, SEEN, K, "kept"),
    ("transfer_tool_on_file", OFFICES, replace(SEEN, moved=(Moved("SE", "partners-us", "US", 1, False),)), B, "moved"),
    ("transfer_tool_on_file", OFFICES, replace(SEEN, moved=(Moved("US", "partners-us", "US", 1, False),)), K, "kept"),
    (
        "transfer_tool_on_file",
        OFFICES,
        replace(SEEN, denied=(Denied("g", "US", frozenset({"SE"}), False),)),
        B,
        "denied",
    ),
    (
        "transfer_tool_on_file",
        OFFICES,
        replace(SEEN, denied=(Denied("g", "US", frozenset({"SE"}), True),)),
        U,
        "unlisted",
    ),
    ("transfer_tool_on_file", OFFICES, replace(SEEN, on_file=(replace(STRAY, transfers=()),)), B, "no-tool"),
    ("transfer_tool_on_file", OFFICES, replace(SEEN, today=date(2032, 1, 1)), B, "expired"),
    ("transfer_tool_on_file", OFFICES, replace(SEEN, contacted=(("SE", "tag.acme.example"),)), B, "contacted"),
    ("transfer_tool_on_file", OFFICES, replace(SEEN, contacted=None), U, "declared-only"),
    ("law_pack_current", {}, LawPacks((PACK,)), K, "kept"),
    ("law_pack_current", {}, LawPacks((PACK,), ("NO",)), B, "no-pack"),
    ("law_pack_current", {}, LawPacks((replace(PACK, expired=("age",)),)), B, "expired"),
    ("law_pack_current", {}, LawPacks((replace(PACK, uncited=("age",)),)), B, "uncited"),
    ("law_pack_current", {}, LawPacks((replace(PACK, checked_days=400),)), B, "unchecked"),
    ("law_pack_current", {}, LawPacks((PACK,), ignored=("SE: floor",)), B, "ignored"),
    ("law_pack_current", {}, LawPacks(()), U, "no-markets"),
    ("portal_gives_access", {}, PortalWalk(True, 3, unrestricted=True), B, "not-restricted"),
    ("portal_gives_access", {}, PortalWalk(True, 4), K, "kept"),
    ("portal_gives_access", {}, PortalWalk(True, 4, tells_apart=("status",)), B, "tells-apart"),
    ("portal_gives_access", {}, PortalWalk(True, 4, open_without_link=True), B, "open-to-all"),
    ("portal_gives_access", {}, PortalWalk(False, 4), B, "not-opened"),
    ("portal_gives_access", {}, PortalWalk(True, 4, hidden=("phone",)), B, "hidden"),
    ("portal_gives_access", {}, PortalWalk(True, 4, uncorrected=True), B, "not-corrected"),
    ("portal_gives_access", {}, PortalWalk(True, 0), U, "nothing-held"),
    ("erasure_complete", {}, ErasureWalk(True, 90, in_log=True), K, "kept"),
    ("erasure_complete", {}, ErasureWalk(False, 90, in_log=True), B, "not-possible"),
    ("erasure_complete", {}, ErasureWalk(True, 90, ("mail.body",), in_log=True), B, "residue"),
    ("erasure_complete", {}, ErasureWalk(True, 90, obligations_open=("creatio",), in_log=True), B, "elsewhere"),
    ("erasure_complete", {}, ErasureWalk(True, 90), B, "no-evidence"),
    ("erasure_complete", {}, ErasureWalk(True, 90, in_log=True, back=2), B, "back"),
    ("erasure_complete", {}, ErasureWalk(True, 0, in_log=True), U, "not-searched"),
    ("export_machine_readable", {}, ExportWalk(True, 6), K, "kept"),
    ("export_machine_readable", {}, ExportWalk(False, 0), B, "no-file"),
    ("export_machine_readable", {}, ExportWalk(True, 6, errors=("holdings[0]",)), B, "not-valid"),
    ("export_machine_readable", {}, ExportWalk(True, 6, lacking=("consents",)), B, "incomplete"),
    ("export_machine_readable", {}, ExportWalk(True, 0), U, "empty"),
    ("withdrawal_at_once", {}, Withdrawals(("NO", "SE"), _met(WALK), midway=0), K, "kept"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK)), U, "not-midway"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), (WithdrawalWalk("SE", False),), midway=0), U, "no-mail"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, link=False)), B, "no-link"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, one_click=False)), B, "no-header"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, listed=False)), B, "no-list"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, signed=False)), B, "unsigned"),
    ("withdrawal_at_once", {}, Withdrawals(("NO", "SE"), _met(WALK, signed=True), midway=0), K, "kept"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, acts_on_get=True)), B, "acts-on-get"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, asks_who=True)), B, "asks-who"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, withdrawn=False)), B, "no-effect"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, by_page=False)), B, "page-without-effect"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK, sent_after=2)), B, "sent-after"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK), midway=1), B, "midway"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK), complained=1), B, "complained"),
    ("withdrawal_at_once", {}, Withdrawals(("SE",), _met(WALK), midway=0, after=1), B, "after"),
    ("contact_route", {}, Routes((PAGE,)), U, "partly"),
    ("contact_route", {}, Routes((PAGE,), (PAGE,), Asked(True, True, 30, True)), K, "kept"),
    ("contact_route", {}, Routes((PAGE,), (BARE,)), B, "no-way"),
    ("contact_route", {}, Routes((PAGE,), late=1, longest_days=3), B, "late"),
    ("contact_route", {}, Routes((PAGE,), asked=Asked(False)), B, "not-taken"),
    ("contact_route", {}, Routes((PAGE,), asked=Asked(True, False, 30, True)), B, "astray"),
    ("contact_route", {}, Routes((PAGE,), asked=Asked(True, True, 30, True), astray=("SE",)), B, "astray"),
    ("contact_route", {}, Routes((PAGE,), asked=Asked(True, True, 90, True)), B, "no-last-day"),
    ("contact_route", {}, Routes((PAGE,), asked=Asked(True, True, 30)), B, "not-told"),
    ("contact_route", {}, Routes((BARE,)), B, "no-authority"),
    ("contact_route", {}, Routes(()), U, "no-pages"),
    ("inquiries_answered", {}, Inquiries(("NO", "SE"), _met(INQUIRED), open=3), K, "kept"),
    ("inquiries_answered", {}, Inquiries(("SE",), (INQUIRED,), open=3, late=1, longest_days=4), B, "late"),
    ("inquiries_answered", {}, Inquiries(("SE",), (INQUIRED,), unanswered=2), B, "unanswered"),
    ("inquiries_answered", {}, Inquiries(("SE",), (Inquired("SE"),)), B, "not-taken"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, in_time=False)), B, "no-last-day"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, told=False)), B, "not-told"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, answered=False)), B, "no-answer"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, threaded=False)), B, "loose"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, heard=False)), B, "unheard"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, closed=False)), B, "not-closed"),
    ("inquiries_answered", {}, Inquiries(("SE",), _met(INQUIRED, let_be=False)), B, "used"),
    ("inquiries_answered", {}, Inquiries(("FI", "SE"), _met(INQUIRED)), U, "not-walked"),
    ("materials_by_grant", {}, Materials(("NO", "SE"), _met(GIVEN), links=7), K, "kept"),
    ("materials_by_grant", {}, Materials(("SE",), (GIVEN,), late=1), B, "late"),
    ("materials_by_grant", {}, Materials(("SE",), (GIVEN,), endless=1), B, "endless"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, shut=False)), B, "open"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, taken=False)), B, "not-taken"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, mailed=False)), B, "no-letter"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, waits=False)), B, "acts-on-get"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, given=False)), B, "not-given"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, counted=False)), B, "uncounted"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, ends=False)), B, "outlives"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, dies=False)), B, "lingers"),
    ("materials_by_grant", {}, Materials(("SE",), _met(GIVEN, let_be=False)), B, "used"),
    ("materials_by_grant", {}, Materials(("SE",)), U, "not-walked"),
    ("events_registered", {}, Events(("NO", "SE"), _met(ATTENDED), events=2), K, "kept"),
    ("events_registered", {}, Events(("SE",), (ATTENDED,), overbooked=1), B, "overbooked"),
    ("events_registered", {}, Events(("SE",), (ATTENDED,), overdue=3, longest_days=2), B, "overdue"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, taken=False)), B, "not-taken"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, confirmed=False)), B, "not-confirmed"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, dated=False)), B, "no-calendar"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, listed=False)), B, "not-listed"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, waits=False)), B, "acts-on-get"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, freed=False)), B, "not-cancelled"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, promoted=False)), B, "not-promoted"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, stays=False)), B, "early"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, gone=False)), B, "still-there"),
    ("events_registered", {}, Events(("SE",), _met(ATTENDED, let_be=False)), B, "used"),
    ("events_registered", {}, Events(("SE",)), U, "not-walked"),
    ("cookies_as_declared", {}, NEWCOMERS, K, "kept"),
    (
        "cookies_as_declared",
        {},
        _newcomers(accepted=Visit("SE", "accepted", (Stored("x", "cookie", "localhost", "first"),))),
        B,
        "undeclared",
    ),
    (
        "cookies_as_declared",
        {},
        _newcomers(accepted=Visit("SE", "accepted", (replace(IDE_SEEN, party="first"),))),
        B,
        "wrong-party",
    ),
    (
        "cookies_as_declared",
        {},
        _newcomers(accepted=Visit("SE", "accepted", (replace(GA_SEEN, lifetime_s=3650 * DAY_S),))),
        B,
        "too-long",
    ),
    ("cookies_as_declared", {}, HALF, U, "unseen"),
    ("cookies_as_declared", {}, BLIND, U, "blind"),
    ("nothing_before_consent", {}, NEWCOMERS, K, "kept"),
    ("nothing_before_consent", {}, _newcomers(before=EARLY), B, "asked-before"),
    ("nothing_before_consent", {}, _newcomers(before=Visit("SE", "before", (GA_SEEN,))), B, "stored-before"),
    ("nothing_before_consent", {}, _newcomers(rejected=replace(EARLY, phase="rejected")), B, "asked-after-no"),
    ("nothing_before_consent", {}, _newcomers(rejected=Visit("SE", "rejected", (GA_SEEN,))), B, "stored-after-no"),
    (
        "nothing_before_consent",
        {},
        _newcomers(before=Visit("SE", "before", unequal=("height 20 < 44 px",))),
        B,
        "unequal",
    ),
    (
        "analytics_after_consent",
        {"purpose": "statistics"},
        _newcomers(accepted=Visit("SE", "accepted", (LOFTE,), HOSTS, early=("config",))),
        B,
        "told-late",
    ),
    ("cookie_data_declared", HOLDABLE, NEWCOMERS, K, "kept"),
    ("cookie_data_declared", HOLDABLE, replace(NEWCOMERS, cookies={"SE": (OWN, TIMED)}), K, "kept"),
    (
        "cookie_data_declared",
        HOLDABLE,
        _newcomers(accepted=Visit("SE", "accepted", (replace(GA_SEEN, kinds=("email",)),))),
        B,
        "holds",
    ),
    (
        "cookie_data_declared",
        HOLDABLE,
        replace(NEWCOMERS, cookies={"SE": (OWN, replace(GA, data=("email",)))}),
        B,
        "beyond",
    ),
    ("cookie_data_declared", HOLDABLE, HALF, U, "unseen"),
    ("cookie_data_declared", HOLDABLE, BLIND, U, "blind"),
    ("nothing_before_consent", {}, HALF, U, "unseen"),
    ("nothing_before_consent", {}, BLIND, U, "blind"),
    ("language_remembered", {}, LanguageChoices((Switch("/no/", "/no/"),)), K, "kept"),
    ("language_remembered", {}, LanguageChoices((), False), B, "no-switch"),
    ("language_remembered", {}, LanguageChoices((Switch("/no/", "/se/"),)), B, "forgotten"),
    ("language_remembered", {}, LanguageChoices(()), U, "not-tried"),
    ("works_without_cookies", {}, CookielessVisit(10), K, "kept"),
    ("works_without_cookies", {}, CookielessVisit(10, ("/se/",)), B, "dead"),
    ("works_without_cookies", {}, CookielessVisit(10, (), (BARE,)), B, "silent"),
    ("works_without_cookies", {}, CookielessVisit(0), U, "not-opened"),
    ("tag_inventory", {}, NEWCOMERS, K, "kept"),
    ("tag_inventory", {}, _newcomers(accepted=Visit("SE", "accepted", (), ("a.example",))), B, "undeclared"),
    ("tag_inventory", {}, _newcomers(accepted=QUIET), U, "never-loaded"),
    ("tag_inventory", {}, HALF, U, "unseen"),
    ("tag_inventory", {}, BLIND, U, "blind"),
    ("cookie_list_current", {}, CookieLists((PAGE,), 40), K, "kept"),
    ("cookie_list_current", {}, CookieLists((BARE,), 40), B, "incomplete"),
    ("cookie_list_current", {}, CookieLists((PAGE,), 40, outdated=("/x/",)), B, "outdated"),
    ("cookie_list_current", {}, CookieLists((PAGE,), 40, undated=("/x/",)), B, "undated"),
    ("cookie_list_current", {}, CookieLists((), 0), U, "no-list"),
    ("contact_on_every_page", {}, ContactShown((PAGE,), frozenset({"page", "mail", "receipt"})), K, "kept"),
    ("contact_on_every_page", {}, ContactShown((BARE,), frozenset({"page"})), B, "lacks"),
    ("contact_on_every_page", {}, ContactShown((PAGE,), frozenset({"page"})), U, "unseen"),
    ("contact_on_every_page", {}, ContactShown((PAGE,), WANTED, frozenset({"event"})), U, "unseen"),
    ("versions_signed", {}, PUBLISHED, K, "kept"),
    ("versions_signed", {}, replace(PUBLISHED, version=""), U, "not-published"),
    ("versions_signed", {}, replace(PUBLISHED, signed=False), B, "not-signed"),
    ("versions_signed", {}, replace(PUBLISHED, logged=False), B, "not-logged"),
    ("versions_signed", {}, replace(PUBLISHED, altered=("SE/sv/policy.html",)), B, "altered"),
    ("versions_signed", {}, replace(PUBLISHED, served_otherwise=("/x/",)), B, "served-otherwise"),
    ("versions_signed", {}, replace(PUBLISHED, undated=("/x/",)), B, "undated"),
    ("versions_signed", {}, replace(PUBLISHED, unlisted=("abc",)), B, "unlisted"),
]


@pytest.mark.parametrize("control_id, parameters, observation, status, why", CASES)
def test_a_judge_says(control_id, parameters, observation, status, why):
    verdict = all_controls()[control_id].verdict(observation, parameters)

    assert (status, why) == (verdict.status, verdict.reason)
    for locale in LOCALES:
        assert "{" not in reason(control_id, verdict, locale)


def test_every_reason_in_the_words_has_a_case_that_leads_to_it():
    reached: dict[str, set[str]] = {}
    for control_id, _, _, _, why in CASES:
        reached.setdefault(control_id, set()).add(why)

    for control_id, control in all_controls().items():
        if control.judge is not None:
            assert set(words_of(control_id)["sv"].reasons) <= reached[control_id], control_id


def test_an_exempt_market_does_not_excuse_another():
    allowed = CookieDeclared("_ga", "cookie", "first", "statistics", True, None)
    seen = replace(
        NEWCOMERS,
        expected=("GB", "SE"),
        visits=tuple(
            Visit(market, phase, (Stored("_ga", "cookie", "localhost", "first"),))
            for market in ("GB", "SE")
            for phase in ("before", "rejected")
        ),
        cookies={"GB": (allowed,), "SE": (replace(allowed, necessary=False),)},
    )

    verdict = all_controls()["nothing_before_consent"].verdict(seen, {})

    assert verdict.facts["found"] == "_ga (SE)"
