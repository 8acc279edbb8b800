"""What staff can do with a material, and what a file must be."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from lofte.core import clock
from lofte.features.outreach.materials import files, reads, shelf
from lofte.features.outreach.materials.models import File, Material
from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Problem

PDF = b"%PDF-1.7\n" + b"a guide to closing the year\n" * 50

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def _office(*parts: str) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for part in parts:
            archive.writestr(part, "x")
    return buffer.getvalue()


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_lies_among_what_is_published_under_the_hash_of_its_bytes(shop, home):
    digest = files.keep("Guide.pdf", PDF, "staff:1")
    assert digest == sha256_hex(PDF)
    assert (home / "published" / "objects" / digest).read_bytes() == PDF
    assert files.content(File.objects.get(pk=digest)) == PDF


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("guide.pdf", b"", "materials.no-file"),
        ("guide.pdf", b"MZ\x90\x00 a program", "materials.bad-file"),
        ("guide.exe", b"MZ\x90\x00", "materials.bad-file"),
        ("guide.html", b"<script>alert(1)</script>", "materials.bad-file"),
        ("guide.svg", b"<svg onload='x'/>", "materials.bad-file"),
        ("guide", b"%PDF-1.7", "materials.bad-file"),
        ("table.csv", b"\x00\x01\x02", "materials.bad-file"),
        ("run.txt", b"#!/bin/sh\nrm -rf /", "materials.bad-file"),
        ("sheet.xlsx", b"PK\x03\x04 but nothing of a sheet", "materials.bad-file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(shop, name, data, code):
    with pytest.raises(Problem) as refused:
        files.keep(name, data, "staff:1")
    assert refused.value.code == code
    assert not File.objects.exists()


def test_an_office_file_with_macros_is_refused_and_one_without_is_taken(shop):
    assert files.keep("deck.pptx", _office("ppt/presentation.xml"), "staff:1")
    with pytest.raises(Problem):
        files.keep("deck.pptx", _office("ppt/presentation.xml", "ppt/vbaProject.bin"), "staff:1")


def test_a_file_beyond_the_limit_is_refused(shop, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 1000)
    with pytest.raises(Problem) as refused:
        files.keep("Guide.pdf", PDF, "staff:1")
    assert refused.value.code == "materials.too-large"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\kari\\Guide 2027.pdf", "Guide 2027.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ('g"ui<d>e;\r\n.pdf', "guide.pdf"),
        ("å" * 300 + ".pdf", "å" * 100 + ".pdf"),
    ],
)
def test_of_a_name_only_its_harmless_last_part_is_kept(shop, given, kept):
    digest = files.keep(given, PDF, "staff:1")
    assert File.objects.get(pk=digest).name == kept


def test_what_no_material_names_any_more_goes_and_what_is_used_stays(guide, home):
    old = next(iter(Material.objects.get(pk=guide).files.values()))
    new = shelf.give_file(guide, shelf.EVERY, "New.pdf", PDF + b"new", "staff:1")
    assert files.drop_unused(clock.now()) == 0  # just given: a page may be about to use it
    assert files.drop_unused(clock.now() + timedelta(hours=2)) == 1
    assert not (home / "published" / "objects" / old).exists()
    assert (home / "published" / "objects" / new).exists()
    assert File.objects.get().digest == new
    assert files.drop_unused(clock.now() + timedelta(hours=2)) == 0


def test_bytes_that_are_published_as_well_are_never_taken_away(shop, home):
    published = next((home / "published" / "objects").iterdir())
    text = published.read_bytes()
    digest = files.keep("policy.txt", text, "staff:1")
    assert digest == published.name
    assert files.drop_unused(clock.now() + timedelta(hours=2)) == 1
    assert published.exists()
    assert not File.objects.exists()


# --- materials ------------------------------------------------------------------------------------------------------


def test_nothing_is_offered_before_it_is_published_and_whole(shop, plan):
    made = shelf.draft(plan(), "staff:1")
    with pytest.raises(Problem) as refused:
        shelf.publish(made, "staff:1")
    assert refused.value.code == "materials.incomplete"
    assert refused.value.place.key == "file-sv"
    shelf.give_file(made, "sv", "Guide.pdf", PDF, "staff:1")
    with pytest.raises(Problem) as refused:
        shelf.publish(made, "staff:1")
    assert refused.value.place.key == "file-nb"
    assert reads.on_offer("SE", "sv") == []
    shelf.give_file(made, "nb", "Veiledning.pdf", PDF, "staff:1")
    shelf.publish(made, "staff:1")
    assert [row.id for row in reads.on_offer("SE", "sv")] == [made]
    assert reads.on_offer("FI", "fi") == []


def test_what_is_offered_cannot_lose_its_words_or_its_file(guide, plan):
    for act in (
        lambda: shelf.change(guide, plan(words={"sv": {"title": "Only Swedish", "summary": "x"}}), "staff:1"),
        lambda: shelf.change(guide, plan(markets=("SE", "FI")), "staff:1"),
        lambda: shelf.take_file(guide, shelf.EVERY, "staff:1"),
    ):
        with pytest.raises(Problem) as refused:
            act()
        assert refused.value.code == "materials.incomplete"
    row = Material.objects.get(pk=guide)
    assert row.markets == ["SE", "NO"]
    assert row.files


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"slug": "Year End"}, "materials.bad-slug", "slug"),
        ({"slug": "open"}, "materials.bad-slug", "slug"),
        ({"slug": "x" * 51}, "materials.bad-slug", "slug"),
        ({"markets": ()}, "materials.undeclared", "markets"),
        ({"markets": ("DK",)}, "materials.undeclared", "markets"),
        ({"downloads": 0}, "materials.bad-number", "downloads"),
        ({"downloads": 21}, "materials.bad-number", "downloads"),
        ({"form": "newsletter"}, "materials.no-form", "form"),
        ({"words": {"da": {"title": "x"}}}, "materials.undeclared", "words"),
        ({"words": {"sv": {"title": "x" * 121}}}, "materials.too-long", "title-sv"),
    ],
)
def test_a_material_asks_for_nothing_the_policy_does_not_have(shop, plan, changes, code, key):
    with pytest.raises(Problem) as refused:
        shelf.draft(plan(**changes), "staff:1")
    assert (refused.value.code, refused.value.place.key) == (code, key)


def test_an_address_is_taken_once_and_stays(guide, plan):
    with pytest.raises(Problem) as refused:
        shelf.draft(plan(), "staff:1")
    assert refused.value.code == "materials.taken-slug"
    with pytest.raises(Problem) as refused:
        shelf.change(guide, plan(slug="another"), "staff:1")
    assert refused.value.code == "materials.fixed"


def test_publishing_and_withdrawing_twice_change_nothing(guide):
    before = Material.objects.get(pk=guide).published_at
    shelf.publish(guide, "staff:1")
    assert Material.objects.get(pk=guide).published_at == before
    shelf.withdraw(guide, "staff:1")
    at = Material.objects.get(pk=guide).withdrawn_at
    shelf.withdraw(guide, "staff:1")
    assert Material.objects.get(pk=guide).withdrawn_at == at


def test_only_a_draft_can_be_thrown_away(guide, plan):
    with pytest.raises(Problem) as refused:
        shelf.discard(guide, "staff:1")
    assert refused.value.code == "materials.closed"
    made = shelf.draft(plan(slug="other"), "staff:1")
    shelf.discard(made, "staff:1")
    assert not Material.objects.filter(pk=made).exists()
