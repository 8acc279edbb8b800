"""The records in the Data Privacy Vocabulary (DPV 2.3), as JSON-LD with its context inside: nothing is fetched to read it.

One `dpv:ROPA` a market, one `dpv:Process` a purpose. Ids are URNs of the publication, so that two versions can be compared. Terms
are those of https://w3id.org/dpv and its extensions for the GDPR and places; a test keeps the list of those used.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lofte.rules.model import Basis, MarketId
from lofte.rules.packs import law_pack
from lofte.rules.published import Published
from lofte.rules.records import MEASURES, Activity, Sending

CONTEXT: Mapping[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:issued": {"@type": "xsd:dateTime"},
    "dct:valid": {"@type": "xsd:date"},
}
_BASIS = {
    Basis.CONSENT: "eu-gdpr:A6-1-a",
    Basis.CONTRACT: "eu-gdpr:A6-1-b",
    Basis.LEGAL_OBLIGATION: "eu-gdpr:A6-1-c",
    Basis.VITAL_INTERESTS: "eu-gdpr:A6-1-d",
    Basis.PUBLIC_TASK: "eu-gdpr:A6-1-e",
    Basis.LEGITIMATE_INTEREST: "eu-gdpr:A6-1-f",
}
_TOOL = {
    "adequacy": "eu-gdpr:A45-3",
    "dpf": "eu-gdpr:A45-3",
    "listing": "eu-gdpr:A45-3",
    "scope": "eu-gdpr:A45-3",
    "confirmation": "eu-gdpr:A45-3",
    "scc": "eu-gdpr:A46-2-c",
    "clauses": "eu-gdpr:A46-2-c",
    "bcr": "eu-gdpr:A46-2-b",
    "rules": "eu-gdpr:A46-2-b",
}
_ROLE = {
    "processor": "dpv:DataProcessor",
    "controller": "dpv:DataController",
    "joint_controller": "dpv:JointDataControllers",
    "partner": "dpv:ThirdParty",
    "group": "dpv:ThirdParty",
    "authority": "dpv:Authority",
}
_SUBJECT = {
    "customer": "dpv:Customer", "applicant": "dpv:JobApplicant", "attendee": "dpv:Participant", "visitor": "dpv:Visitor",
}  # fmt: skip
_MEASURE = {
    "encryption": "dpv:EncryptionAtRest",
    "keys": "dpv:Encryption",
    "access": "dpv:AccessControlMethod",
    "looks": "dpv:ActivityMonitoring",
    "factor": "dpv:MultiFactorAuthentication",
    "gate": "dpv:AccessControlMethod",
    "log": "dpv:LoggingPolicy",
    "erasure": "dpv:StorageDeletion",
}


def document(published: Published, by_market: Sequence[tuple[MarketId, Sequence[Activity]]]) -> dict[str, Any]:
    """The whole document: plain JSON values, ready to be written."""
    return {
        "@context": dict(CONTEXT),
        "@graph": [_record(published, market, activities) for market, activities in by_market],
    }


def _record(published: Published, market: MarketId, activities: Sequence[Activity]) -> dict[str, Any]:
    policy = published.policy
    declared = policy.markets[market]
    return {
        "@id": _urn(published, f"record:{market}"),
        "@type": "dpv:ROPA",
        "dct:title": f"{policy.organisation.name}, {market}",
        "dct:identifier": published.digest,
        "dct:hasVersion": policy.version,
        "dct:issued": published.published_at,
        "dpv:hasJurisdiction": {"@id": f"loc:{declared.country}"},
        "dpv:hasDataController": _controller(published, declared.controller),
        "dpv:hasTechnicalOrganisationalMeasure": [
            {"@id": term} for term in dict.fromkeys(_MEASURE[name] for name in MEASURES)
        ],
        "dpv:hasProcess": [_process(published, market, each) for each in activities],
    }


def _controller(published: Published, key: str) -> dict[str, Any]:
    controller = published.policy.controllers[key]
    return {
        "@id": _urn(published, f"controller:{key}"),
        "@type": "dpv:DataController",
        "dpv:hasName": controller.name,
        "dpv:hasAddress": ", ".join(controller.post),
        "dpv:hasContact": [controller.email, controller.phone],
        "dpv:hasCountry": {"@id": f"loc:{controller.country}"},
    }


def _process(published: Published, market: MarketId, activity: Activity) -> dict[str, Any]:
    policy = published.policy
    locale = policy.markets[market].locales[0]
    found: dict[str, Any] = {
        "@id": _urn(published, f"process:{market}:{activity.purpose}"),
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@id": _urn(published, f"purpose:{activity.purpose}"),
            "@type": "dpv:Purpose",
            "skos:prefLabel": _said(published, "purposes", activity.purpose, "name"),
            "skos:definition": _said(published, "purposes", activity.purpose, "why"),
        },
        "dpv:hasLegalBasis": {"@id": _BASIS[activity.basis]},
        "dpv:hasDataSubject": [_subject(published, each) for each in activity.people],
        "dpv:hasPersonalData": [
            {
                "@id": _urn(published, f"field:{each}"),
                "@type": "dpv:PersonalData",
                "skos:prefLabel": _said(published, "fields", each),
            }
            for each in activity.fields
        ],
        "dpv:hasRecipient": [_recipient(published, each) for each in activity.recipients],
        "dpv:hasStorageCondition": [_kept(published, each) for each in activity.clocks],
    }
    if activity.sendings:
        found["dpv:hasRecordOfActivity"] = [_transfer(published, market, activity, each) for each in activity.sendings]
    return {name: value for name, value in found.items() if value not in ([], {})} | {"dct:language": locale}


def _subject(published: Published, relation: str) -> dict[str, Any]:
    words = {} if relation == "visitor" else {"skos:prefLabel": _said(published, "relations", relation, "name")}
    return {
        "@id": _urn(published, f"people:{relation}"),
        "@type": ["dpv:DataSubject", *([_SUBJECT[relation]] if relation in _SUBJECT else [])],
        **words,
    }


def _recipient(published: Published, key: str) -> dict[str, Any]:
    declared = published.policy.recipients[key]
    return {
        "@id": _urn(published, f"recipient:{key}"),
        "@type": ["dpv:Recipient", _ROLE[declared.role]],
        "dpv:hasName": declared.name,
        "dpv:hasCountry": {"@id": f"loc:{declared.country}"},
    }


def _kept(published: Published, clock: str) -> dict[str, Any]:
    declared = published.policy.clocks[clock]
    found: dict[str, Any] = {
        "@id": _urn(published, f"clock:{clock}"),
        "@type": "dpv:StorageCondition",
        "skos:prefLabel": _said(published, "clocks", clock, "name"),
    }
    if declared.period:
        duration = {"@value": declared.period, "@type": "xsd:duration"}
        found["dpv:hasDuration"] = {"@type": "dpv:StorageDuration", "dct:extent": duration}
    return found


def _transfer(published: Published, market: MarketId, activity: Activity, sending: Sending) -> dict[str, Any]:
    name = f"transfer:{market}:{activity.purpose}:{sending.recipient}:{sending.country}:{sending.tool or 'none'}"
    found: dict[str, Any] = {
        "@id": _urn(published, name),
        "@type": "dpv:DataTransferRecord",
        "dpv:hasDataImporter": {"@id": _urn(published, f"recipient:{sending.recipient}")},
        "dpv:hasThirdCountry": {"@id": f"loc:{sending.country}"},
    }
    # the articles named are the Union's; a British transfer rests on its own law, which has no term here
    if sending.tool in _TOOL and law_pack(published.policy.markets[market].law).regime in ("eu", "no"):
        found["dpv:hasLegalBasis"] = {"@id": _TOOL[sending.tool]}
    if sending.reference:
        found["dct:source"] = sending.reference
    if sending.until:
        found["dct:valid"] = sending.until.isoformat()
    return found


def _said(published: Published, section: str, key: str, part: str | None = None) -> list[dict[str, str]]:
    """The policy's words in every language of its markets."""
    return [
        {"@value": published.word(locale, section, key, part), "@language": locale}
        for locale in published.policy.locales()
    ]


def _urn(published: Published, name: str) -> str:
    return f"urn:lofte:{published.digest[:16]}:{name}"
