"""Asks for a material of its own in every market, is given it by the link in the letter, and tries the link past its end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from lofte.core import clock
from lofte.features.outreach.materials import shelf
from lofte.features.outreach.materials.models import File, Grant, Material
from lofte.features.register.models import Signal
from lofte.probes.instruments.canary import flock, forms, person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.probes.world import World
from lofte.rules.controls.materials_by_grant import Asked

_BY = "probe"
_TIMES = 2


def walk(world: World, form: str) -> tuple[Asked, ...]:
    """What one canary a market met. Raises Unable without a mailbox or a site."""
    walked: tuple[Asked, ...] = world.once("materials", lambda: _walk(world, form))
    return walked


def _walk(world: World, form: str) -> tuple[Asked, ...]:
    with flock.flock(world) as canaries, _on_the_shelf(canaries, form) as shelved:
        opened = flock.each(canaries, lambda one: forms.find(one, f"/materials/{one.tail}{slug_of(one)}/"))
        met = flock.each(canaries, lambda one: Asked(one.market, shut=_is_shut(one)))
        forms.read()
        sent = [one for one in canaries if one.market in opened and one.market in met]
        flock.each(sent, lambda one: forms.send(opened[one.market]))
        met = flock.go_on(sent, met, _taken)
        asked = [one for one in sent if one.market in met and met[one.market].taken]
        person.settle(one.handle for one in asked)
        met = flock.go_on(asked, met, lambda one, seen: _try(one, seen, shelved[one.market]))
        return tuple(replace(met[one.market], let_be=flock.is_let_be(one)) for one in canaries if one.market in met)


@contextmanager
def _on_the_shelf(canaries: list[Canary], form: str) -> Iterator[Mapping[str, UUID]]:
    """A material for each, which no list shows; gone at the end with its file."""
    made: dict[str, UUID] = {}
    try:
        yield flock.each(canaries, lambda one: made.setdefault(one.market, _shelve(one, form)))
    finally:
        rows = Material.objects.filter(pk__in=made.values())
        digests = {digest for files in rows.values_list("files", flat=True) for digest in files.values()}
        Grant.everyone.filter(material_id__in=made.values()).delete()
        rows.delete()
        # The duty of that room takes away what has lain unused for an hour.
        File.objects.filter(pk__in=digests).update(given_at=clock.now() - timedelta(days=1))


def _shelve(canary: Canary, form: str) -> UUID:
    locales = canary.world.published.policy.markets[canary.market].locales
    words = {locale: {"title": f"Trial {canary.mark}", "summary": "Löfte"} for locale in locales}
    made = shelf.draft(shelf.Plan(slug_of(canary), (canary.market,), words, form, _TIMES), _BY)
    shelf.give_file(made, shelf.EVERY, "canary.txt", content_of(canary), _BY)
    shelf.publish(made, _BY)
    return made


def slug_of(canary: Canary) -> str:
    return f"canary-{canary.mark}"


def content_of(canary: Canary) -> bytes:
    """What is in the file, and nowhere else. Not the canary's name, which is looked for when it is gone."""
    return f"File {canary.mark}, which one made-up person reads and no other.\n".encode()


def _is_shut(canary: Canary) -> bool:
    """No page of the material, and no address under which published bytes are served, gives the file."""
    stranger = Visitor(canary.world.base_url)
    digest = File.objects.filter(
        pk__in=Material.objects.filter(slug=slug_of(canary)).values_list("files", flat=True)[0].values()
    )
    names = [str(one) for one in digest.values_list("pk", flat=True)]
    page = f"/materials/{canary.tail}{slug_of(canary)}/"
    seen = stranger.get(page)
    linked = [one for one in seen.page.links if slug_of(canary) in one]
    guessed = [f"{page}{one}" for one in ("file", "download", "canary.txt")]
    guessed += [f"/lofte/{where}/{one}" for one in names for where in ("objects", "static", "publications")]
    return not any(_has_file(canary, stranger.get(one)) for one in (page, *linked, *guessed))


def _has_file(canary: Canary, seen: Seen) -> bool:
    return content_of(canary).strip() in seen.body


def _taken(canary: Canary, met: Asked) -> Asked:
    return replace(met, taken=flock.recognise(canary) and Grant.objects.of(canary.handle).exists())


def _try(canary: Canary, met: Asked, material: UUID) -> Asked:
    """The link as it should work, and then in each way in which it should not."""
    letter = next((one for one in canary.mailbox.letters_to(canary.address) if one.link_with("/materials/")), None)
    if letter is None:
        return met
    link = letter.link_with("/open/")
    grant = Grant.objects.of(canary.handle).filter(material_id=material)
    looked = canary.visitor.get(link)
    waits = not _has_file(canary, looked) and grant.get().times == 0 and not _signals(canary)

    def presses() -> bool:
        """Send what the button behind the link sends, whether or not it is still there; whether the file came of it."""
        button = next((one for one in looked.page.forms if one.method == "post"), None)
        values = button.values() if button else {}
        return _has_file(canary, canary.visitor.post(link, values))

    given = presses() and (_signals(canary) > 0 or not _counts(canary))
    again = presses()  # a program pressed first, or a second device: the day is the same
    at = canary.world.now()
    long_ago = at - timedelta(days=5)
    grant.update(left=1, asked_at=long_ago, counted_at=long_ago, ends_at=at + timedelta(days=1))
    on_its_last_day = presses()
    grant.update(counted_at=long_ago)
    counted = again and on_its_last_day and not presses()
    grant.update(left=1, ends_at=at - timedelta(minutes=1))
    ends = not presses()
    grant.update(left=1, ends_at=at + timedelta(days=1))
    shelf.withdraw(material, _BY)
    dies = not presses()
    return replace(met, mailed=True, waits=waits, given=given, counted=counted, ends=ends, dies=dies)


def _signals(canary: Canary) -> int:
    return int(Signal.objects.of(canary.handle).filter(kind="download").count())


def _counts(canary: Canary) -> bool:
    """Whether the policy takes a download for a sign of interest."""
    return any("download" in one.signals for one in canary.world.published.policy.clocks.values())
