"""What a policy declares: the shape of `policy.yaml`.

The words (paragraphs, names of purposes, functions of cookies) are not here but in `text/<locale>/`,
so that adding a language adds a folder and nothing else. `rules.check` joins the two and says what is missing.
Every class refuses unknown keys. Field descriptions feed the JSON Schema that editors use.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
PromiseId = Annotated[str, StringConstraints(pattern=r"^P\d{2,3}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2; the United Kingdom is GB."""
MarketId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
LawId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z]{2,3})?$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
Period = Annotated[str, StringConstraints(pattern=r"^P(\d+[YMWD]){1,3}$|^PT(\d+[HMS]){1,3}$")]
"""An ISO 8601 duration of calendar units: P24M, P1Y, P30D."""


def _real_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_real_day)]


def _real_day_of_year(text: str) -> str:
    date.fromisoformat(f"2001-{text}")  # no leap year: 29 February ends no financial year
    return text


DayOfYear = Annotated[str, StringConstraints(pattern=r"^\d{2}-\d{2}$"), AfterValidator(_real_day_of_year)]
Said = Annotated[str, StringConstraints(min_length=1)]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?$")]
HostPattern = Annotated[str, StringConstraints(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$")]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Basis(StrEnum):
    """GDPR article 6(1)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTEREST = "legitimate_interest"


class Audience(StrEnum):
    PUBLIC = "public"
    AUDITOR = "auditor"
    STAFF = "staff"


class Office(Declared):
    city: Said
    country: Country


class Organisation(Declared):
    name: Said
    offices: list[Office] = Field(min_length=1)


class Controller(Declared):
    """Who is responsible (GDPR 13(1)(a)) and where the data-protection contact is reached."""

    name: Said
    country: Country
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    phone: Said
    post: list[Said] = Field(min_length=1, description="postal address, a line an item")
    fiscal_year_end: DayOfYear = Field(
        "12-31", description="the last day of the financial year, from which statutes count: MM-DD"
    )


class Market(Declared):
    """A country edition of the site. The key is the market id: SE, NO, FI, GB, US."""

    controller: Id
    country: Country
    law: LawId = Field(description="the law pack: SE, NO, FI, GB, US-CO")
    locales: list[Locale] = Field(min_length=1, description="the first is the default")
    domains: list[Host] = Field(min_length=1, description="host names the edition is served on")
    path: str = Field(pattern=r"^/([a-z0-9-]+)?$", description="path prefix of the edition on its domains")


class DataField(Declared):
    """One kind of personal data that may be held about a person, or learnt from a browser."""

    kind: Literal["email", "phone", "name", "text", "number", "date", "choice", "ip", "url", "event"]
    category: Literal["identity", "contact", "work", "dialogue", "behaviour", "device", "preference"]
    indexed: bool = Field(False, description="found by blind index; never for low-entropy fields")


class BalancingTest(Declared):
    """The three steps behind a legitimate interest. The words are in text/<locale>/words.yaml under purposes.<id>."""

    interest: Literal[True] = Field(description="words: purposes.<id>.interest")
    necessity: Literal[True] = Field(description="words: purposes.<id>.necessity")
    balance: Literal[True] = Field(description="words: purposes.<id>.balance")
    reviewed: Date
    reviewed_by: Said = Field(description="a role, not a person's name")


class StorageModel(StrEnum):
    """How a purpose may use the visitor's device in one market (ePrivacy 5(3) and its national forms)."""

    NECESSARY = "necessary"
    OPT_IN = "opt_in"
    EXEMPT_WITH_OBJECTION = "exempt_with_objection"
    OPT_OUT = "opt_out"


class ConsentType(StrEnum):
    """The seven types of Google's Consent Mode. One that no purpose answers for is denied; `security_storage` is granted."""

    AD_STORAGE = "ad_storage"
    AD_USER_DATA = "ad_user_data"
    AD_PERSONALIZATION = "ad_personalization"
    ANALYTICS_STORAGE = "analytics_storage"
    FUNCTIONALITY_STORAGE = "functionality_storage"
    PERSONALIZATION_STORAGE = "personalization_storage"
    SECURITY_STORAGE = "security_storage"


class Purpose(Declared):
    """What data is used for.

    Words: purposes.<id>.{name, why} and, for a balancing test, {interest, necessity, balance}.
    """

    basis: Basis
    scope: Literal["person", "browser"]
    fields: list[Id] = Field(default_factory=list, description="data used for this purpose, keys of `fields`")
    clock: Id | None = None
    record: str | None = Field(
        None,
        description="what the data is a record of (voucher, contract, ...): a statute keeps it, and only its fields, so long "
        "as the law of the market says",
    )
    balancing: BalancingTest | None = None
    storage: StorageModel | None = Field(None, description="browser purposes: the model unless a market says otherwise")
    storage_by_market: dict[MarketId, StorageModel] = Field(default_factory=dict)
    necessary_because: bool = Field(
        False, description="necessary storage carries its reason in words: purposes.<id>.necessary"
    )
    exempt_as: Literal["own_statistics", "appearance_and_functionality"] | None = Field(
        None, description="which exemption `exempt_with_objection` rests on (PECR Sch A1 paras 5 and 6)"
    )
    signals: list[ConsentType] = Field(
        default_factory=list,
        description="types of Google's Consent Mode this purpose answers for, besides those its tags are known for",
    )


class Relation(Declared):
    """How the company knows a person. Words: relations.<id>.name."""

    purposes: list[Id] = Field(min_length=1)
    clock: Id


class ClockKind(StrEnum):
    INACTIVITY = "inactivity"
    END_OF_RELATION = "end_of_relation"
    FIXED_AGE = "fixed_age"
    WITHDRAWAL = "withdrawal"


class Clock(Declared):
    """A deadline for erasure (GDPR 5(1)(e), 13(2)(a)). Words: clocks.<id>.name."""

    kind: ClockKind
    period: Period | None = Field(None, description="none only for `withdrawal`, which is at once")
    signals: list[
        Literal["mail_click", "reply", "download", "event", "portal_visit", "site_return", "sign_up", "inquiry", "kept"]
    ] = Field(
        default_factory=list,
        description="what counts as interest and resets an inactivity clock; `kept` is the answer to the warning",
    )
    warn: Period | None = Field(
        None, description="how long before the end the person is asked whether to keep the data"
    )
    grace: Period | None = Field(
        None, description="the least time between the question and the end, where the end came nearer than `warn`"
    )


class Brake(Declared):
    """How many people one run of the sweep may take before two members of staff must let it go."""

    people: int = Field(500, ge=1, description="people in one run")
    share: float = Field(0.05, gt=0, le=1, description="of the people in the register")
    least: int = Field(25, ge=0, description="so few people never stop a run, whatever their share")
    growth: float = Field(3, ge=1, description="times what the policy before would have taken, after a publication")


class Retention(Declared):
    """How the sweep is held back. What goes, and when, the clocks say."""

    brake: Brake = Field(default_factory=Brake)


class TransferTool(StrEnum):
    """GDPR chapter V."""

    ADEQUACY = "adequacy"  # article 45
    DPF = "dpf"  # article 45, only for listed recipients
    SCC = "scc"  # article 46(2)(c)
    BCR = "bcr"  # article 47
    DEROGATION = "derogation"  # article 49


class Transfer(Declared):
    country: Country
    tool: TransferTool
    reference: Said = Field(description="the decision, clauses or list entry relied on")
    assessed: Date | None = None
    valid_to: Date | None = None


class Recipient(Declared):
    """Who may receive data (GDPR 13(1)(e)). Words: recipients.<id>.why."""

    name: Said
    role: Literal["processor", "controller", "joint_controller", "partner", "group", "authority"]
    country: Country
    markets: list[MarketId] = Field(default_factory=list, description="empty means every market")
    transfers: list[Transfer] = Field(
        default_factory=list, description="every country outside the EEA it takes data to"
    )
    privacy_url: Address | None = None
    optout_url: Address | None = None
    known: Id | None = Field(None, description="a provider of the catalogue; what is left out here is taken from there")


class System(Declared):
    """A system the company runs or rents that holds data. Words: systems.<id>.why."""

    name: Said
    kind: Literal["crm", "cms", "newsletter", "analytics", "reports", "tag_manager", "register"]
    recipient: Id | None = None
    fields: list[Id] = Field(default_factory=list)
    known: Id | None = Field(
        None, description="a system of the catalogue, such as wordpress; its cookies are declared with it"
    )


FrameAddress = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9._~/?=&{}%-]*)?$")]


class Frame(Declared):
    """A kind of frame the tag shows, known by its addresses: what may stand in its place until the visitor wants it.

    ``{id}`` stands for letters, digits, ``-`` and ``_``. Scheme, query and fragment of a frame do not count.
    """

    addresses: list[FrameAddress] = Field(min_length=1, description="such as https://www.youtube.com/embed/{id}")
    kind: Literal["video", "map", "frame"] = "frame"
    poster: FrameAddress | None = Field(
        None, description="its picture: fetched once by the server and kept, never asked for by the visitor's browser"
    )
    page: FrameAddress | None = Field(None, description="where a person can open it instead of the frame")
    loads: FrameAddress | None = Field(None, description="the address loaded in its place; the frame's query is kept")


class Tag(Declared):
    """Something a page may load from a third party. Words: tags.<id>.why."""

    name: Said
    recipient: Id
    purpose: Id
    hosts: list[HostPattern] = Field(min_length=1, description="host names; a leading *. covers sub-domains")
    data: list[Id] = Field(default_factory=list)
    frames: list[Frame] = Field(default_factory=list, description="frames known by their address")
    known: Id | None = Field(
        None,
        description="an entry of the catalogue, such as ga4; what is left out here, cookies included, is taken from there",
    )


class Cookie(Declared):
    """One thing kept on the visitor's device. The key names it; words: cookies.<key>.function."""

    name: Said = Field(description="the name as the browser shows it; * stands for a varying part")
    storage: Literal["cookie", "local", "session", "indexeddb"] = "cookie"
    party: Literal["first", "third"]
    provider: Id = Field(description="a recipient, or `self` for the site's own")
    tag: Id | None = None
    system: Id | None = None
    purpose: Id
    lifetime: Period | Literal["session", "persistent"] | None = Field(
        None, description="ISO 8601, or session; check refuses none"
    )
    data: list[Id] = Field(default_factory=list)
    host: Host | None = Field(None, description="third party: the host that sets it")
    http_only: bool = False
    path: str = "/"


Channel = Literal["email", "sms", "phone", "post"]
"""How somebody is reached with what they said yes to."""


class Topic(Declared):
    """Something people can subscribe to, on consent or as one of `outreach.own_customers`. Words: topics.<id>.{name, lead}."""

    purpose: Id
    markets: list[MarketId] = Field(default_factory=list, description="empty means every market")
    channels: list[Channel] = Field(["email"], min_length=1)


class Frequency(Declared):
    """No more marketing letters than this to one person."""

    letters: int = Field(ge=1)
    per: Period


class OwnCustomers(Declared):
    """Letters about own similar goods to people who bought, without consent, where the market's law has such an exception.

    ``no_offered_from`` is the day since which whoever gave the address could say no, at once and free of charge.
    """

    purpose: Id
    relation: Id
    no_offered_from: Date


class Outreach(Declared):
    """How far newsletters and campaigns may go beside what consent says."""

    own_customers: list[OwnCustomers] = Field(default_factory=list)
    frequency: Frequency | None = None
    count_clicks: bool = Field(False, description="count how often a link in a newsletter is followed, never by whom")
    smallest_group: int = Field(5, ge=2, description="results about fewer people than this are not shown")


class FormField(Declared):
    field: Id
    required: bool = True


class Box(Declared):
    """An unticked box under a form: consent to one purpose over one channel. Words: forms.<id>.boxes.<purpose>-<channel>."""

    purpose: Id
    channel: Channel = "email"


class Form(Declared):
    """A form that asks people for data. Words: forms.<id>.{name, lead, submit} and, on consent, forms.<id>.consent."""

    kind: Literal["inquiry", "application", "supplier", "partner", "newsletter", "material", "event"] | None = Field(
        None, description="what becomes of what is sent in; none: nothing takes it in"
    )
    purpose: Id
    boxes: list[Box] = Field(default_factory=list, description="what else one may say yes to on it")
    files: int = Field(0, ge=0, le=5, description="how many files may come with it")
    fields: list[FormField] = Field(min_length=1)
    markets: list[MarketId] = Field(default_factory=list, description="empty means every market")


class Binding(Declared):
    """One control that keeps a promise, with its parameters."""

    control: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with")


class Promise(Declared):
    """One thing the policy says. Words: promises.<id>.title."""

    controls: list[Binding] = Field(default_factory=list)


class Rights(Declared):
    """How sure the portal must be of who sits there. The link to the mailbox opens a visit; these acts ask for a code as well."""

    fresh_code: list[Literal["download", "correct", "erase"]] = Field(
        ["download", "correct", "erase"],
        description="acts that ask for a new code to the mailbox once the visit is older than `fresh_for`",
    )
    fresh_for: Period = Field("PT10M", description="how long a visit or a code counts as fresh")


Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]


class Button(Declared):
    """The colours of one button."""

    surface: Colour
    text: Colour


class Palette(Declared):
    """The colours of banner and settings page, by their role."""

    text: Colour
    surface: Colour = Field(description="what the text stands on")
    line: Colour = Field(description="the outline of the banner and lines in tables; decoration")
    button: Button = Field(description="every button; they always look alike")
    focus: Colour = Field(description="the ring around what has the keyboard's focus")
    accept: Button | None = Field(None, description="refused by `check` unless it is as `reject`: leave both out")
    reject: Button | None = Field(None, description="as `accept`")


LIGHT = Palette(
    text="#1d2321", surface="#ffffff", line="#8a918e", button=Button(surface="#1f3d36", text="#ffffff"), focus="#1f6fd0"
)
DARK = Palette(
    text="#eef2f0", surface="#18201d", line="#5b6762", button=Button(surface="#a9d5c5", text="#10211c"), focus="#8ec2ff"
)


class Theme(Declared):
    """The look of banner and settings page. `check` refuses what cannot be read and what favours one answer."""

    light: Palette = LIGHT
    dark: Palette = Field(DARK, description="for who asked the browser for dark pages")
    radius: int = Field(8, ge=0, le=22, description="of the buttons' corners, in pixels")


class Banner(Declared):
    """How the banner is shown. Words: banner.*"""

    theme: Theme = Field(default_factory=Theme)


class Policy(Declared):
    """The whole of policy.yaml."""

    format: Literal["1"]
    id: Id
    version: str = Field(pattern=r"^\d{4}-\d{2}(\.\d+)?$")
    last_updated: Month
    organisation: Organisation
    verdicts_visible_to: Audience = Audience.STAFF
    controllers: dict[Id, Controller]
    markets: dict[MarketId, Market]
    fields: dict[Id, DataField]
    purposes: dict[Id, Purpose]
    relations: dict[Id, Relation]
    clocks: dict[Id, Clock]
    recipients: dict[Id, Recipient]
    systems: dict[Id, System]
    tags: dict[Id, Tag]
    cookies: dict[str, Cookie]
    forms: dict[Id, Form]
    topics: dict[Id, Topic] = Field(default_factory=dict)
    outreach: Outreach = Field(default_factory=Outreach)
    banner: Banner = Field(default_factory=Banner)
    rights: Rights = Field(default_factory=Rights)
    retention: Retention = Field(default_factory=Retention)
    promises: dict[PromiseId, Promise]

    def locales(self) -> list[Locale]:
        """Every locale some market speaks, in order of first mention."""
        return list(dict.fromkeys(tag for market in self.markets.values() for tag in market.locales))

    def browser_purposes(self, market: MarketId) -> dict[Id, StorageModel]:
        """The purposes a visitor of this market decides on or is told of, with the storage model that applies there."""
        return {
            key: purpose.storage_by_market.get(market, purpose.storage or StorageModel.OPT_IN)
            for key, purpose in self.purposes.items()
            if purpose.scope == "browser"
        }
