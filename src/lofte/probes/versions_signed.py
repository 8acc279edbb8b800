"""Follows the current publication from the page back to its signature: words, frozen bytes, manifest, log, history."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from lofte.evidence import checkpoint, note
from lofte.evidence.publications import Publication, Shelf
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem
from lofte.probes.instruments import pages
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.compile import recomputed_digest
from lofte.rules.controls.versions_signed import PublicationSeen


def _gather(world: World, parameters: Mapping[str, Any]) -> PublicationSeen:
    try:
        shelf = Shelf(world.home)
        publication = shelf.current()
    except Problem as problem:
        if problem.code != "publication.none":
            raise
        return PublicationSeen("", False, False)
    altered = tuple(_altered(publication))
    return PublicationSeen(
        version=publication.version,
        signed=_is_signed(world, publication),
        logged=_is_logged(world, publication),
        altered=altered,
        served_otherwise=() if altered else tuple(_served_otherwise(world, publication)),
        undated=tuple(_undated(world)),
        unlisted=tuple(_unlisted(world, shelf)),
    )


def _key(world: World) -> str:
    return pages.fetch(world, "/lofte/log/key").markup.strip()


def _is_signed(world: World, publication: Publication) -> bool:
    """The signature in the manifest is the log's own over the tree that holds the publication."""
    try:
        head = checkpoint.open_checkpoint(publication.manifest["signature"], note.VerifierKey.parse(_key(world)))
    except (KeyError, note.NotANote, note.WrongSignature):
        return False
    return bool(head.size > publication.manifest["evidence_index"])


def _is_logged(world: World, publication: Publication) -> bool:
    """The public evidence of the publication verifies, and is about this very digest."""
    seen = pages.fetch(world, f"/lofte/evidence/{publication.manifest['evidence_index']}?format=json")
    if seen.status != 200:
        return False
    try:
        verified = verify_receipt(seen.body, _key(world))
    except Problem:
        return False
    return verified.kind == "publication" and verified.fact.get("digest") == publication.digest


def _altered(publication: Publication) -> Iterator[str]:
    """Frozen files that are not what was frozen; and the name itself, if files and name no longer agree."""
    files = {}
    for name in publication.manifest["files"]:
        try:
            files[name] = publication.read(name)
        except Problem:
            yield name
    is_whole = len(files) == len(publication.manifest["files"])
    if is_whole and recomputed_digest(files, publication.previous or "") != publication.digest:
        yield "digest"


def _served_otherwise(world: World, publication: Publication) -> Iterator[str]:
    for market, locale in world.editions():
        address = pages.address_of("policy", market, locale)
        if not pages.is_frozen(pages.fetch(world, address).body, publication.read(f"{market}/{locale}/policy.html")):
            yield address


def _undated(world: World) -> Iterator[str]:
    for market, locale in world.editions():
        address = pages.address_of("policy", market, locale)
        updated = pages.values_of(world, market, locale)["last_updated"].text
        if pages.not_in(pages.fetch(world, address).page.text, [updated]):
            yield address


def _unlisted(world: World, shelf: Shelf) -> Iterator[str]:
    """Versions the public history leaves out, or that no longer open."""
    market, locale = world.editions()[0]
    base = pages.address_of("policy", market, locale)
    listed = pages.fetch(world, f"{base}versions/").page.links
    for one in shelf.history():
        address = f"{base}versions/{one.digest}/"
        if address not in listed or pages.fetch(world, address).status != 200:
            yield one.version


PROBE = Probe("versions_signed", every=timedelta(hours=3), gather=_gather)
