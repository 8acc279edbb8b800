"""Turns a Fides dataset (YAML) into the draft of a mapping, and says of every field it could not carry over why.

A draft only: `erase: decide` stands where a person must decide, and the connector does not start before somebody did.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from lofte.connectors.sql.mapping import FORMAT, IDENTIFYING
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Policy
from lofte.rules.source import parse_yaml

# Data category -> ids a policy may have for it, the likeliest first; `kind:` takes the policy's first field of a kind.
# The longest category that fits wins. Taxonomy: fideslang data categories.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "user.contact.email": ("email", "kind:email"),
    "user.contact.phone_number": ("phone", "kind:phone"),
    "user.contact.fax_number": ("fax",),
    "user.contact.organization": ("company",),
    "user.contact.address": ("address", "post"),
    "user.contact.url": ("website",),
    "user.contact": ("contact",),
    "user.name": ("name", "kind:name"),
    "user.job_title": ("title", "role"),
    "user.workplace": ("company",),
    "user.device.ip_address": ("ip", "kind:ip"),
    "user.device": ("browser-id",),
    "user.unique_id": ("customer-number", "browser-id"),
    "user.account.username": ("login",),
    "user.authorization": ("login",),
    "user.government_id": ("national-number",),
    "user.financial": ("iban", "payment"),
    "user.communication": ("dialogue",),
    "user.content": ("dialogue",),
    "user.behavior.browsing_history": ("page",),
    "user.behavior": ("interest",),
    "user.demographic.date_of_birth": ("birth-date",),
    "user.demographic.language": ("locale",),
    "user.privacy_preferences": ("choice",),
}
_IDENTITIES = {"email": "kind:email", "phone_number": "kind:phone"}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A field that was not carried over, and why."""

    where: str
    why: str


@dataclass(slots=True)
class Draft:
    text: str
    skipped: list[Skipped] = field(default_factory=list)


def draft(
    name: str, text: str, policy: Policy, *, url_from: str, purpose: str = "", key: str = "", erase: str = ""
) -> Draft:
    """The mapping for one dataset of the file (``key``, or the only one). Raises Problem when there is none."""
    dataset = _dataset(name, text, key)
    skipped: list[Skipped] = []
    collections = [each for each in dataset.get("collections") or [] if isinstance(each, dict)]
    tables: dict[str, dict[str, Any]] = {
        str(each.get("name")): _table(each, policy, purpose, erase, skipped) for each in collections
    }
    for each in collections:
        _join(str(dataset.get("fides_key", "")), each, tables, skipped)
    not_personal = {}
    for table, rules in list(tables.items()):
        if not rules.get("columns") and not rules.get("find"):
            if not rules.get("via"):
                not_personal[table] = "decide: the dataset names no personal data here"
                del tables[table]
        elif not rules.get("find") and not rules.get("via"):
            skipped.append(
                Skipped(table, "no field identifies a person and no reference leads to one; add `find` or `via`")
            )
    content = {"connector": "sql", "format": FORMAT, "url_from": url_from, "tables": tables}
    return Draft(_dumped(content | ({"not_personal": not_personal} if not_personal else {})), skipped)


def _dataset(name: str, text: str, key: str) -> dict[str, Any]:
    problems: list[Problem] = []
    content = parse_yaml(name, text, problems).content
    if problems:
        raise problems[0]
    found = [each for each in (content or {}).get("dataset") or [] if isinstance(each, dict)]
    chosen = [each for each in found if not key or each.get("fides_key") == key]
    if len(chosen) != 1:
        keys = ", ".join(str(each.get("fides_key")) for each in found)
        raise Problem(
            "source.no-dataset", "the file does not hold exactly one such dataset", Place(name),
            expected=f"--dataset, one of: {keys}" if keys else "a Fides dataset: a key `dataset` with a list",
        )  # fmt: skip
    return chosen[0]


def _table(
    collection: Mapping[str, Any], policy: Policy, purpose: str, erase: str, skipped: list[Skipped]
) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    find: dict[str, list[str]] = {}
    columns: dict[str, str] = {}
    keys: list[str] = []
    for each in _fields(collection, skipped):
        column, meta = str(each["name"]), _meta(each)
        identity = _field_for(_IDENTITIES.get(str(meta.get("identity")), ""), policy)
        if meta.get("primary_key"):
            keys.append(column)
        if identity and policy.fields[identity].kind in IDENTIFYING:
            find.setdefault(identity, []).append(column)
        elif meta.get("identity"):
            skipped.append(
                Skipped(f"{collection['name']}.{column}", f"people are not found by {meta['identity']} here")
            )
        categories = [str(one) for one in each.get("data_categories") or []]
        personal = [one for one in categories if one == "user" or one.startswith("user.")]
        found = next(filter(None, (_field_of(one, policy) for one in personal)), identity)
        if found:
            columns[column] = found
        elif personal:
            skipped.append(
                Skipped(f"{collection['name']}.{column}", f"the policy has no field for {', '.join(personal)}")
            )
    if find:
        rules["find"] = {name: names[0] if len(names) == 1 else names for name, names in find.items()}
    if columns and purpose:
        rules["purpose"] = purpose
    rules["erase"] = erase or "decide"
    if columns:
        rules["columns"] = columns
    return rules


def _fields(collection: Mapping[str, Any], skipped: list[Skipped]) -> Iterator[Mapping[str, Any]]:
    for each in collection.get("fields") or []:
        if not isinstance(each, dict) or "name" not in each:
            continue
        if each.get("fields"):
            skipped.append(
                Skipped(f"{collection.get('name')}.{each['name']}", "nested fields: a column is mapped as a whole")
            )
        yield each


def _meta(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found = part.get("fides_meta") or part.get("fidesops_meta")
    return found if isinstance(found, dict) else {}


def _field_of(category: str, policy: Policy) -> str:
    """The policy's field for a data category: the longest part of its path that is known and that the policy has."""
    path = category
    while path:
        for name in _FIELDS.get(path, ()):
            if found := _field_for(name, policy):
                return found
        path = path.rpartition(".")[0]
    return ""


def _field_for(name: str, policy: Policy) -> str:
    kind = name.removeprefix("kind:")
    if kind == name:
        return name if name in policy.fields else ""
    return next((key for key, shape in policy.fields.items() if shape.kind == kind), "")


def _join(
    dataset: str, collection: Mapping[str, Any], tables: dict[str, dict[str, Any]], skipped: list[Skipped]
) -> None:
    """References of fields as paths. Data that flows `from` there is found through there; `to`, the other way round."""
    name = str(collection.get("name"))
    for each in collection.get("fields") or []:
        for reference in _meta(each).get("references") or [] if isinstance(each, dict) else []:
            table, _, column = str(reference.get("field", "")).partition(".")
            if reference.get("dataset") not in (dataset, None) or table not in tables or not column:
                skipped.append(Skipped(f"{name}.{each['name']}", "refers to another dataset or a field of a field"))
            elif reference.get("direction") == "to":
                _add_via(tables[table], name, column, str(each["name"]))
            else:
                _add_via(tables[name], table, str(each["name"]), column)


def _add_via(rules: dict[str, Any], table: str, ours: str, theirs: str) -> None:
    """A table that finds people by itself needs no path to them."""
    if "find" not in rules:
        rules.setdefault("via", []).append({"table": table, "columns": {ours: theirs}})


def _dumped(content: Mapping[str, Any]) -> str:
    out, yaml = io.StringIO(), YAML()
    yaml.default_flow_style = False
    yaml.width = 120
    yaml.dump(dict(content), out)
    return out.getvalue()
