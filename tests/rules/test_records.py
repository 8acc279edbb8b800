"""Records of processing: drawn whole from a publication, valid as DPV, and telling of what is missing."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lofte.features.policy.files import read_directory
from lofte.rules.catalogue import LOCALES
from lofte.rules.compile import compile_policy
from lofte.rules.packs import law_pack
from lofte.rules.records import Going, Safeguard, activities, jsonld, table
from lofte.rules.source import read

POLICY = Path(__file__).parents[2] / "policies" / "xledger"
PUBLISHED = compile_policy(read(read_directory(POLICY)), datetime(2026, 11, 22, 12, tzinfo=UTC), None).published
MARKETS = list(PUBLISHED.policy.markets)
# Looked up in DPV 2.3 (dpv.ttl, eu-gdpr.ttl, loc.ttl of its release); a term not here must be looked up first.
DPV = {
    "AccessControlMethod", "ActivityMonitoring", "Authority", "Customer", "DataController", "DataProcessor", "DataSubject",
    "DataTransferRecord", "Encryption", "EncryptionAtRest", "JobApplicant", "JointDataControllers", "LoggingPolicy",
    "MultiFactorAuthentication", "Participant", "PersonalData", "Process", "Purpose", "ROPA", "Recipient", "StorageCondition",
    "StorageDeletion", "StorageDuration", "ThirdParty", "Visitor", "hasAddress", "hasContact", "hasCountry", "hasDataController",
    "hasDataImporter", "hasDataSubject", "hasDuration", "hasJurisdiction", "hasLegalBasis", "hasName", "hasPersonalData",
    "hasProcess", "hasPurpose", "hasRecipient", "hasRecordOfActivity", "hasStorageCondition",
    "hasTechnicalOrganisationalMeasure", "hasThirdCountry",
}  # fmt: skip
GDPR = {"A6-1-a", "A6-1-b", "A6-1-c", "A6-1-d", "A6-1-e", "A6-1-f", "A45-3", "A46-2-b", "A46-2-c"}


def of(market="SE", going=(), safeguards=()):
    return {each.purpose: each for each in activities(PUBLISHED, market, going, safeguards)}


@pytest.mark.parametrize("market", MARKETS)
def test_every_purpose_is_recorded_with_all_that_the_article_asks(market):
    found = of(market)

    assert list(found) == list(PUBLISHED.policy.purposes)
    for each in found.values():
        assert each.people
        assert each.fields
        assert each.clocks
        assert each.law.startswith("GDPR 6(1)")


def test_recipients_come_from_systems_tags_cookies_and_promises():
    found = of("SE")

    assert found["customer"].recipients == ("creatio",)
    assert set(found["marketing"].recipients) == {"google", "meta", "linkedin"}
    assert {"creatio", "partners-se"} <= set(found["contact"].recipients)
    assert "partners-no" not in found["contact"].recipients
    assert "authorities-se" in found["legal-hold"].recipients
    assert found["restructuring"].recipients == ("creatio", "successor-se")


def test_an_agreement_adds_its_recipient_and_its_country():
    going = [Going("linkedin", frozenset({"contact"}), "IN", date(2027, 1, 1))]
    contact = of("SE", going)["contact"]

    assert "linkedin" in contact.recipients
    assert [(each.country, each.tool) for each in contact.sendings if each.recipient == "linkedin"] == [
        ("US", "dpf"), ("IN", ""),
    ]  # fmt: skip
    assert table.rows(PUBLISHED, "en-GB", [contact])[0].has_gap


def test_a_safeguard_on_file_is_told_before_what_the_policy_declares():
    kept = [Safeguard("google", "US", "listing", "Certificate 17", date(2027, 3, 1))]
    sending = next(each for each in of("SE", (), kept)["statistics"].sendings if each.recipient == "google")

    assert (sending.tool, sending.reference, sending.until) == ("listing", "Certificate 17", date(2027, 3, 1))


def test_no_transfer_is_told_where_the_law_knows_none():
    assert law_pack("US-CO").regime == "us-co"
    assert not [each for activity in of("US").values() for each in activity.sendings]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_row_is_told_in_every_language(locale):
    rows = table.rows(PUBLISHED, locale, of("SE").values())

    for row in rows:
        for said in (
            row.purpose,
            row.why,
            row.basis,
            *row.people,
            *row.data,
            *row.recipients,
            *row.transfers,
            *row.kept,
        ):
            assert said.strip()
            assert not re.search(r"\{\w+\}", said)


def test_a_cell_that_a_spreadsheet_would_run_is_defused():
    assert table._cell("=1+1") == "'=1+1"
    assert table._cell("+46 8 1") == "'+46 8 1"
    assert table._cell("Solna") == "Solna"


def document():
    return json.loads(
        json.dumps(jsonld.document(PUBLISHED, [(market, tuple(of(market).values())) for market in MARKETS]))
    )


def values(node):
    if isinstance(node, dict):
        for key, each in node.items():
            yield key, each
            yield from values(each)
    elif isinstance(node, list):
        for each in node:
            yield from values(each)


def test_only_terms_that_the_vocabulary_has_are_used():
    used = set()
    for key, each in values(document()["@graph"]):
        said = [each] if isinstance(each, str) else each if isinstance(each, list) else []
        used |= {key, *(one for one in said if isinstance(one, str) and key in ("@id", "@type"))}
    terms = {one for one in used if re.match(r"^(dpv|eu-gdpr):", one)}

    assert {one.removeprefix("dpv:") for one in terms if one.startswith("dpv:")} <= DPV
    assert {one.removeprefix("eu-gdpr:") for one in terms if one.startswith("eu-gdpr:")} <= GDPR


def test_nothing_needs_the_network_to_be_read():
    whole = document()

    assert isinstance(whole["@context"], dict)
    assert {key for key, _ in values(whole["@graph"]) if ":" in key} <= {
        *(f"dpv:{term}" for term in DPV), "dct:title", "dct:identifier", "dct:hasVersion", "dct:issued", "dct:language",
        "dct:extent", "dct:source", "dct:valid", "skos:prefLabel", "skos:definition",
    }  # fmt: skip


def test_a_british_transfer_is_not_said_to_rest_on_the_unions_article():
    whole = {each["@id"].rpartition(":")[2]: each for each in document()["@graph"]}

    def bases(market):
        return [
            one["dpv:hasLegalBasis"]["@id"]
            for process in whole[market]["dpv:hasProcess"]
            for one in process.get("dpv:hasRecordOfActivity", [])
            if "dpv:hasLegalBasis" in one
        ]

    assert set(bases("SE")) == {"eu-gdpr:A45-3"}
    assert bases("GB") == []
