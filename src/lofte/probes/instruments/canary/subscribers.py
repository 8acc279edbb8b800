"""Signs up for the newsletter in every market, confirms, is written to, leaves by one click, comes back and leaves by the page.

At last they leave in the middle of a mailing, and then have an address that does not exist, or complain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from django.db import transaction

from lofte.core import mail
from lofte.features.consent import reads as consents
from lofte.features.consent import verbs as consent
from lofte.probes.instruments import html
from lofte.probes.instruments.canary import choosing, flock, forms, leaving, letters, mailing, person, reports
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.probes.world import World
from lofte.rules.controls.newsletter_only_with_consent import Chosen, Subscribed
from lofte.rules.controls.withdrawal_at_once import WithdrawalWalk


@dataclass(frozen=True, slots=True)
class Met:
    """What became of all of them. ``opened`` and ``followed`` are markets whose letters tell who reads them."""

    joined: tuple[Subscribed, ...] = ()
    left: tuple[WithdrawalWalk, ...] = ()
    midway: int | None = None
    to_dead: int | None = None
    complained: int | None = None
    choices: tuple[Chosen, ...] = ()
    opened: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()


def walk(world: World) -> Met:
    """What they met in this round. Raises Unable without a mailbox or a site."""
    met: Met = world.once("subscribers", lambda: _walk(world))
    return met


def _walk(world: World) -> Met:
    with flock.flock(world) as canaries, flock.more(world, 1) as others:
        joined = join([*canaries, *others], tries=True)
        here = [one for one in canaries if one.market in joined and one.person_id]
        beside = [one for one in others if one.person_id]  # whose letters are compared with those of the same market
        mailing.send(world, (one.handle for one in (*here, *beside)))
        got = flock.each(here, mailing.received)
        joined = {market: replace(each, received=bool(got.get(market))) for market, each in joined.items()}
        others_got = [(one.market, letter) for one in beside for letter in mailing.received(one)]
        copies = {
            market: [*some, *(letter for where, letter in others_got if where == market)]
            for market, some in got.items()
        }
        counts, link = world.published.policy.outreach.count_clicks, mailing.link_in(world)
        choices = flock.each([one for one in here if got.get(one.market)], lambda one: _choose(one, got[one.market]))
        left = _leave(world, here, got)
        midway, to_dead, complained = _special(world, here)
        return Met(
            tuple(joined.values()), left, midway, to_dead, complained, tuple(choices.values()), letters.opened_by(copies),
            letters.followed_in(copies, link, may_count=counts),
        )  # fmt: skip


def _choose(canary: Canary, came: list[Letter]) -> Chosen:
    return choosing.choose(canary, came[0], _purpose(canary))


# --- joining --------------------------------------------------------------------------------------------------------


def join(canaries: list[Canary], *, tries: bool = False) -> Mapping[str, Subscribed]:
    """By the form and the mailed link. With ``tries``: nothing may be sent before, and looking at the link may do nothing."""
    _ask(canaries)
    unconfirmed = _unconfirmed(canaries) if tries else {}
    met: dict[str, Subscribed] = {}
    for one in canaries:
        for market, each in flock.each([one], lambda one: _confirm(one, looks=2 if tries else 0)).items():
            met.setdefault(market, replace(each, unconfirmed=unconfirmed.get(market, 0)))
    return met


def _ask(canaries: Iterable[Canary]) -> None:
    asking = list(canaries)
    opened = [forms.find(one, f"/news/{one.tail}") for one in asking]
    forms.read()
    for each in opened:
        forms.send(each, ["consent", *(box.name for box in each.form.inputs if box.name.startswith("box."))])
        person.give_back(each.canary, "subscribe-from")
    person.settle(handle for one in asking for handle in mailing.waiting(leaving.hash_of(one.address)))


def _unconfirmed(canaries: list[Canary]) -> Mapping[str, int]:
    """Try to write to people who have only typed an address; how many letters with a way out came, by market."""
    handles = [handle for one in canaries for handle in mailing.waiting(leaving.hash_of(one.address))]
    mailing.send(canaries[0].world, handles)
    found: dict[str, int] = {}
    for one in canaries:
        found[one.market] = found.get(one.market, 0) + len(mailing.received(one))
    return found


def _confirm(canary: Canary, *, looks: int) -> Subscribed:
    """A scanner looks at the link first; then the person does, and presses the button."""
    link = confirmation(canary).link_with("/confirm/")
    scanner = Visitor(canary.world.base_url)
    looked = [scanner.get(link) for _ in range(looks)]
    waits = not _is_granted(canary)
    looked.append(canary.visitor.get(link))
    button = next((form for one in looked for form in one.page.forms if form.method == "post"), None)
    values = button.values() if button else {}
    _press(canary, link, values)
    lasts = _is_granted(canary)
    if not lasts:  # looking uses the link up: what is walked after this is walked by a new one that nobody looks at
        _ask([canary])
        _press(canary, confirmation(canary).link_with("/confirm/"), values)
    if not _is_granted(canary):
        raise person.lost("not-confirmed", "the canary used its link and nothing is granted")
    return Subscribed(canary.market, waits=waits, lasts=lasts)


def _press(canary: Canary, link: str, values: Mapping[str, str]) -> None:
    """Whoever presses as fast as a program is asked to say that it was them."""
    done = canary.visitor.post(link, values)
    if again := done.page.form_with("mine"):
        canary.visitor.post(link, {**again.values(), "mine": "on"})


def confirmation(canary: Canary) -> Letter:
    """The letter with the link to confirm by."""
    return person.demand_letter(canary, "/confirm/")


def _is_granted(canary: Canary) -> bool:
    return flock.recognise(canary) and consents.is_granted(canary.handle, _purpose(canary))


def _purpose(canary: Canary) -> str:
    return canary.world.published.policy.forms[mailing.FORM].purpose


# --- leaving --------------------------------------------------------------------------------------------------------


def _leave(world: World, canaries: list[Canary], got: Mapping[str, list[Letter]]) -> tuple[WithdrawalWalk, ...]:
    """Twice, by each of the two ways, with a mailing after each: nothing may come then."""
    met = flock.each(canaries, lambda one: _by_one_click(one, got.get(one.market, [])))
    met = _nothing_comes(world, canaries, met)
    join([one for one in canaries if one.market in met], tries=False)
    back = [one for one in canaries if one.market in met and _is_granted(one)]
    mailing.send(world, (one.handle for one in back))
    met = flock.go_on(back, met, _by_page)
    met = _nothing_comes(world, back, met)
    return tuple(met.values())


def _by_one_click(canary: Canary, came: list[Letter]) -> WithdrawalWalk:
    """As a mail program does it (RFC 8058): one POST without cookies, answered without asking anything."""
    if not came:
        return WithdrawalWalk(canary.market, False)
    letter = came[0]
    link = letter.link_with("/unsubscribe/")
    one_click = link in letter.list_unsubscribe and "one-click" in letter.list_unsubscribe_post.lower()
    program = Visitor(canary.world.base_url)
    looked = program.get(link)
    acts_on_get = not _is_granted(canary)
    done = program.post(link, {"List-Unsubscribe": "One-Click"}, origin=False)
    return WithdrawalWalk(
        canary.market, True, link=bool(link), one_click=one_click, acts_on_get=acts_on_get, withdrawn=not _is_granted(canary),
        asks_who=_asks_who(looked) or done.url.partition("?")[0] != link, listed=letters.names_its_list(canary, letter),
        signed=letters.is_signed(canary, letter),
    )  # fmt: skip


def _asks_who(seen: Seen) -> bool:
    """Whether the page wants a name, an address or a secret before it lets anybody go."""
    asked = {one.kind for form in seen.page.forms for one in form.inputs}
    return seen.status in (401, 403) or bool(asked & {"email", "password", "text", "tel"})


def _by_page(canary: Canary, met: WithdrawalWalk) -> WithdrawalWalk:
    came = mailing.received(canary)
    if not came:
        return met
    stranger = Visitor(canary.world.base_url)  # whoever has the letter, without having been here before
    link = came[0].link_with("/unsubscribe/")
    page = stranger.get(link)
    posts = [one for one in page.page.forms if one.method == "post"]
    form = next(
        (one for one in posts if not any(each.kind == "checkbox" for each in one.inputs)), next(iter(posts), None)
    )
    if form is not None:
        stranger.submit(page, form, _whole(form))
    return replace(met, by_page=not _is_granted(canary), asks_who=met.asks_who or _asks_who(page))


def _whole(form: html.Form) -> dict[str, str]:
    """The button that ends everything, where there are several."""
    button = next((one for one in form.buttons if one.name), None)
    return {button.name: button.value} if button else {}


def _nothing_comes(
    world: World, canaries: list[Canary], met: Mapping[str, WithdrawalWalk]
) -> Mapping[str, WithdrawalWalk]:
    """A mailing to those who have left."""
    before = flock.each(canaries, lambda one: len(mailing.received(one)))
    mailing.send(world, (one.handle for one in canaries))

    def count(one: Canary, seen: WithdrawalWalk) -> WithdrawalWalk:
        return replace(seen, sent_after=seen.sent_after + len(mailing.received(one)) - before[one.market])

    return flock.go_on([one for one in canaries if one.market in met and one.market in before], met, count)


# --- in the middle, nowhere, and unwanted ---------------------------------------------------------------------------


def _special(world: World, canaries: list[Canary]) -> tuple[int | None, int | None, int | None]:
    """In every market; they have left by then, and say yes once more without walking the way again. Half of them then have an
    address that does not exist and half complain; another day it is the other way round.
    """
    able = [one for one in canaries if mailing.received(one)]
    midway = _midway(able) if able else None
    if len(able) < 2 or not reports.can_come():
        return midway, None, None
    before = _once_more(world, able)
    turn = world.now().toordinal() % 2
    dead, unwilling = able[turn::2], able[1 - turn :: 2]
    for one in dead:
        reports.does_not_exist(mailing.received(one)[0], one.address)
    for one in unwilling:
        reports.is_unwanted(mailing.received(one)[0])
    mailing.send(world, (one.handle for one in able))
    came = {one.market: len(mailing.received(one)) - before[one.market] for one in able}
    return midway, sum(came[one.market] for one in dead), sum(came[one.market] for one in unwilling)


def _once_more(world: World, canaries: list[Canary]) -> Mapping[str, int]:
    """They are written to again; how many letters each has by then, by market."""
    _say_yes(canaries)
    mailing.send(world, (one.handle for one in canaries))
    return {one.market: len(mailing.received(one)) for one in canaries}


def _say_yes(canaries: list[Canary]) -> None:
    for one in canaries:
        shown = {"market": one.market, "locale": one.locale, "shown": f"form.{mailing.FORM}"}
        consent.grant(one.handle, _purpose(one), method="double_opt_in", **shown)


def _midway(canaries: list[Canary]) -> int:
    """A letter stands in the queue; before it leaves, whoever it is for has gone. How many came all the same."""
    _say_yes(canaries)
    before = sum(len(mailing.received(one)) for one in canaries)
    for one in canaries:
        way_out = mailing.received(one)[0].link_with("/unsubscribe/")
        said = asdict(mailing.content(one.world))
        words = mail.compose("issue", one.market, one.locale, **said, unsubscribe_url=way_out)
        letter = mail.MarketingLetter("issue", one.handle, one.address, words, _purpose(one), unsubscribe_url=way_out)
        with transaction.atomic():  # nobody delivers between the two
            mail.send(letter)
            consent.withdraw(one.handle, _purpose(one), method="one_click")
    person.settle(one.handle for one in canaries)
    return sum(len(mailing.received(one)) for one in canaries) - before
