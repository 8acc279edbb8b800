"""People are found by exact address, number and parts of a name, through keyed hashes, and shown by looks for a stated purpose."""

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from lofte.core import blind
from lofte.core.models import BlindIndex
from lofte.features.register import reads, search, verbs
from lofte.features.register.models import Holding, Look

database = pytest.mark.django_db(databases=["default", "keys"])
LETTERS = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Mn", "Nd", "Pd", "Zs", "Po")), max_size=40)


@pytest.fixture
def findable(republish, published):
    """The small policy with names that are found by their parts."""
    return republish(lambda policy: policy["fields"]["name"].update(indexed=True))


@pytest.fixture
def known(findable, somebody):
    """Three people, two of them called Nordmann."""
    return [
        somebody("kari@example.no", "Kari Nordmann"),
        somebody("ola@example.no", "Ola Nordmann"),
        somebody("aase@example.no", "Åse-Marie O’Brien Sørensen"),
    ]


def found(sought, purpose="customer"):
    return [each.name for each in search.find(sought, purpose, by="console").people]


@database
@pytest.mark.parametrize(
    "sought",
    [
        "Kari Nordmann",
        "nordmann kari",
        "KARI",
        " kari  nordmann ",
        "Nordmann, Kari",
        "kari@example.no",
        " KARI@Example.no",
    ],
)
def test_a_person_is_found_however_the_name_or_address_is_written(known, sought):
    assert "Kari Nordmann" in found(sought)


@database
@pytest.mark.parametrize("sought", ["åse", "ase marie", "OBrien", "o'brien", "sorensen", "SØRENSEN", "Åse-Marie"])
def test_accents_hyphens_and_apostrophes_do_not_hide_anybody(known, sought):
    assert found(sought) == ["Åse-Marie O’Brien Sørensen"]


@database
def test_every_part_must_match(known):
    assert found("Nordmann") == ["Kari Nordmann", "Ola Nordmann"]
    assert found("Ola Nordmann") == ["Ola Nordmann"]
    assert found("Per Nordmann") == []


@database
@pytest.mark.parametrize("sought", ["Nord", "ari", "K", "", "  ", "?", "kari@example.com", "+47 1"])
def test_a_piece_of_a_name_or_another_address_finds_nobody(known, sought):
    assert found(sought) == []


@database
@pytest.mark.parametrize("sought", ["21 00 00 00", "+47 21000000", "0047 21 00 00 00", "21000000"])
def test_a_number_is_found_as_it_is_dialled_at_home_and_from_abroad(known, sought):
    verbs.hold(known[0], {"phone": "21 00 00 00"}, "customer", source="staff:1", market="NO", locale="nb")

    assert found(sought) == ["Kari Nordmann"]


@database
def test_everybody_who_is_shown_has_a_look_and_nobody_else(known):
    search.find("Nordmann", "customer", by="console")

    assert {look.person_id for look in Look.everyone.all()} == set(known[:2])
    assert {(look.by, look.purpose, look.allowed) for look in Look.everyone.all()} == {("console", "customer", True)}


@database
def test_whom_the_purpose_may_not_see_is_counted_and_not_shown(known):
    seen = search.find("Nordmann", "newsletter", by="console")

    assert (seen.people, seen.withheld) == ((), 2)


@database
def test_somebody_who_has_not_confirmed_an_address_is_not_found(findable):
    person = verbs.welcome(provisional=True)
    verbs.hold(person, {"name": "Eva Berg"}, "customer", source="form", market="NO", locale="nb")

    assert found("Eva Berg") == []


@database
def test_a_name_put_right_is_found_by_what_it_is_now(known):
    holding = Holding.objects.of(known[0]).get(field="name")
    verbs.correct_value(known[0], holding.id, "Kari Berg")

    assert found("Kari Nordmann") == []
    assert found("Kari Berg") == ["Kari Berg"]


@database
def test_a_name_that_was_erased_finds_nobody_and_leaves_no_entry(known):
    rows = Holding.objects.of(known[0]).values_list("id", flat=True)
    verbs.drop(known[0], list(rows))

    assert found("Kari") == []
    assert not BlindIndex.objects.filter(person_id=known[0]).exists()


@database
def test_a_name_held_twice_is_one_person_once_and_found_until_both_are_gone(known):
    verbs.hold(known[0], {"name": "Kari Nordmann"}, "accounting", source="staff:1", market="NO", locale="nb")
    one, two = Holding.objects.of(known[0]).filter(field="name").values_list("id", flat=True)

    verbs.drop(known[0], [one])
    assert len(search.candidates("Kari Nordmann", "name")) == 1
    verbs.drop(known[0], [two])
    assert search.candidates("Kari Nordmann", "name") == []


@database
def test_the_organisation_of_that_name_is_found_as_well(known):
    verbs.place(known[0], {"company": "Fjord AS"}, "customer", source="staff:1", market="NO", locale="nb")

    seen = search.find("fjord  as", "customer", by="console")
    assert seen.organisation is not None
    assert search.people_of(seen.organisation, 10) == [known[0]]


@database
def test_more_people_than_are_shown_are_said_to_be_there(findable, somebody):
    for number in range(search.SHOWN + 2):
        somebody(f"n{number}@example.no", f"Nomen Nescio{number}")

    seen = search.find("Nomen", "customer", by="console")
    assert (len(seen.people), seen.has_more) == (search.SHOWN, True)


@database
def test_a_search_for_common_names_asks_few_questions(findable, somebody, django_assert_max_num_queries):
    for number in range(60):
        somebody(f"n{number}@example.no", "Anna Berg" if number % 2 else "Anna Dahl")

    with django_assert_max_num_queries(12):
        assert len(search.candidates("Anna Berg", "name")) == search.SHOWN + 1


@database
def test_many_people_are_shown_with_as_few_questions_as_one(findable, somebody, django_assert_max_num_queries):
    for number in range(search.SHOWN):
        somebody(f"kari{number}@example.no", name="Kari Nordmann")

    with django_assert_max_num_queries(16):
        assert found("kari nordmann") == ["Kari Nordmann"] * search.SHOWN
    assert Look.everyone.filter(purpose="customer").count() == search.SHOWN


@database
def test_nothing_of_a_name_stands_in_the_index(known):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT * FROM core_blindindex")
        content = repr(cursor.fetchall()).casefold()
    assert "nordmann" not in content
    assert BlindIndex.objects.filter(field="name").values("entry").distinct().count() == 8


@database
def test_without_the_policys_word_names_find_nobody(published, somebody):
    somebody()

    assert found("Kari Nordmann") == []


@given(LETTERS)
def test_parts_are_the_same_however_a_name_is_cased_spaced_and_composed(name):
    import unicodedata

    parts = blind.parts(name)
    assert parts == blind.parts(f"  {unicodedata.normalize('NFD', name)}  ")
    assert all(len(part) >= 2 and part == part.casefold() for part in parts)
    assert len(parts) == len(set(parts)) <= 8


@given(
    st.lists(
        st.sampled_from(["Anna", "Åsa", "Karl-Erik", "O’Neill", "Mäkinen", "Æble", "Łukasz"]), min_size=1, max_size=4
    )
)
def test_who_has_all_the_words_is_found_by_any_of_them_in_any_order(words):
    name = blind.parts(" ".join(words))
    for word in words:
        assert set(blind.parts(word)) <= set(name)
    assert set(blind.parts(" ".join(reversed(words)))) == set(name)


@database
def test_a_part_is_hashed_under_a_key_of_its_own_for_each_field(settings):
    assert blind.part_hash("name", "anna") != blind.blind_hash("name", "anna")
    assert blind.part_hash("name", "anna") != blind.part_hash("other", "anna")


@database
def test_looking_by_one_field_is_still_refused_for_names(known):
    from lofte.kernel.problems import Problem

    with pytest.raises(Problem, match=r"register\.undeclared"):
        reads.person_of("name", "Kari Nordmann")
