"""A Fides dataset becomes the draft of a mapping; what cannot be carried over is said, and nothing is decided for anybody."""

import pytest

from lofte.connectors.sql import fides_import, mapping
from lofte.kernel.problems import Problem
from lofte.rules.source import parse_yaml

DATASET = """\
dataset:
  - fides_key: shop
    name: Shop
    collections:
      - name: customers
        fields:
          - name: id
            data_categories: [user.unique_id]
            fides_meta: { primary_key: true }
          - name: email
            data_categories: [user.contact.email]
            fides_meta: { identity: email, data_type: string }
          - name: full_name
            data_categories: [user.name.first]
          - name: address_id
            data_categories: [system.operations]
            fides_meta: { references: [{ dataset: shop, field: addresses.id, direction: to }] }
          - name: loyalty
            data_categories: [user.biometric]
      - name: addresses
        fields:
          - name: id
            data_categories: [system.operations]
            fides_meta: { primary_key: true }
          - name: street
            data_categories: [user.contact.address.street]
      - name: orders
        fields:
          - name: customer_id
            data_categories: [user.unique_id]
            fidesops_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }
          - name: note
            data_categories: [user.content.private]
          - name: history
            fields: [{ name: at, data_categories: [system.operations] }]
      - name: products
        fields: [{ name: title, data_categories: [system.operations] }]
      - name: outside
        fields:
          - name: who
            data_categories: [user.contact.phone_number]
            fides_meta: { references: [{ dataset: crm, field: people.id }] }
"""


@pytest.fixture
def policy(published):
    return published.policy


def drafted(policy, **more):
    made = fides_import.draft("dataset.yml", DATASET, policy, url_from="LOFTE_SOURCE_SHOP", **more)
    return parse_yaml("shop.yaml", made.text, []).content, made


def test_categories_become_fields_identities_find_and_references_paths(policy):
    content, _ = drafted(policy, purpose="customer", erase="delete")

    assert content["tables"]["customers"] == {
        "find": {"email": "email"}, "purpose": "customer", "erase": "delete", "columns": {"email": "email", "full_name": "name"},
    }  # fmt: skip
    assert content["tables"]["orders"]["via"] == [{"table": "customers", "columns": {"customer_id": "id"}}]
    assert content["tables"]["orders"]["columns"] == {"note": "dialogue"}
    assert content["tables"]["addresses"]["via"] == [{"table": "customers", "columns": {"id": "address_id"}}]
    assert set(content["not_personal"]) == {"products"}


def test_what_cannot_be_carried_over_is_named(policy):
    _, made = drafted(policy)
    said = {each.where: each.why for each in made.skipped}

    assert "user.biometric" in said["customers.loyalty"]
    assert "user.contact.address.street" in said["addresses.street"]
    assert "nested" in said["orders.history"]
    assert "another dataset" in said["outside.who"]
    assert "no field identifies" in said["outside"]


def test_a_draft_decides_nothing_and_does_not_start(policy):
    content, made = drafted(policy)
    _, _, problems = mapping.understand("shop.yaml", made.text)

    assert {table["erase"] for table in content["tables"].values()} == {"decide"}
    assert any("delete" in problem.expected for problem in problems)


def test_a_decided_draft_is_read(policy):
    _, made = drafted(policy, purpose="customer", erase="delete")
    text = made.text.partition("  outside:")[0] + "not_personal:\n  products: goods\n"
    found, _, problems = mapping.understand("shop.yaml", text)

    assert (found is not None, problems) == (True, [])


@pytest.mark.parametrize("text, key", [(DATASET, "other"), ("dataset: []", ""), ("other: 1", ""), ("a: [", "")])
def test_a_file_without_the_dataset_is_refused(policy, text, key):
    with pytest.raises(Problem):
        fides_import.draft("dataset.yml", text, policy, url_from="LOFTE_SOURCE_SHOP", key=key)
