"""The reference says what the code says: nothing stale, nothing left out, nothing that is no longer there."""

import ast
import dataclasses
import json
import re
from pathlib import Path

import pytest
from docs.generate import banner, controls, duties, edge, metrics, settings, values
from docs.generate.__main__ import REFERENCE, main, pages, stale
from docs.generate.commands import parsers
from pydantic import TypeAdapter

from lofte.cli.main import commands
from lofte.edge.config import EdgeConfig
from lofte.edge.refusals import Refusal
from lofte.evidence import commitment, proof, receipt, verify
from lofte.rules.codes import CODES
from lofte.rules.control import Status
from lofte.rules.controls import all_controls
from lofte.rules.model import Policy
from lofte.rules.values import BLOCK_VALUES

ROOT = Path(__file__).parents[2]


def test_no_page_is_stale() -> None:
    assert [path.name for path in stale()] == [], "run scripts/docs"


def test_the_check_says_which_page_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from docs.generate import __main__ as generator

    monkeypatch.setattr(generator, "ROOT", tmp_path)
    monkeypatch.setattr(generator, "pages", lambda: iter([(tmp_path / "page.md", "new\n")]))

    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "page.md is stale: run scripts/docs\n"
    assert not (tmp_path / "page.md").exists()

    assert main([]) == 0
    assert main(["--check"]) == 0


def test_every_generated_page_lies_in_the_reference() -> None:
    assert {path.parent for path, _ in pages()} == {REFERENCE}


# Commands and settings


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_its_heading(name: str, headings) -> None:
    assert f"lofte {name}" in headings("commands.md")


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_argument_of_a_command_is_explained(name: str) -> None:
    silent = [action.dest for action in parsers()[name]._actions if not action.help]
    assert silent == [], f"lofte {name}: give these a help text"


def test_every_variable_the_code_reads_has_its_heading(headings, reference) -> None:
    page, titles = reference("settings.md"), headings("settings.md")

    missing = {
        name
        for name in settings.named_in_code() - settings.SETTINGS_ONLY
        if name not in titles and f"| `{name}` |" not in page
    }
    assert missing == set()


def test_every_documented_variable_is_read_somewhere() -> None:
    assert {each.name for each in settings.VARIABLES} <= settings.named_in_code()


@pytest.mark.parametrize("each", settings.VARIABLES, ids=lambda each: each.name)
def test_every_setting_says_form_default_and_trust(each: settings.Variable, reference) -> None:
    section = reference("settings.md").partition(f"### {each.name}\n")[2].partition("\n### ")[0]

    for line in ("- Form: ", "- Default: ", "- Who must protect it: ", "- Who controls it can: "):
        assert line in section


def test_the_settings_module_and_the_reference_name_the_same_variables() -> None:
    module = (ROOT / "src" / "lofte" / "core" / "settings.py").read_text(encoding="utf-8")
    said = set(re.findall(r"(?m)^(LOFTE_[A-Z_]+) {2,}", ast.get_docstring(ast.parse(module)) or ""))

    assert said == {each.name for each in settings.VARIABLES} - {"LOFTE_PORT"}


def test_every_field_of_the_edge_has_its_row(reference) -> None:
    page = reference("settings.md")

    assert [field.name for field in dataclasses.fields(EdgeConfig) if f"| `{field.name}` |" not in page] == []


def test_every_key_file_the_code_makes_is_described(reference) -> None:
    made: set[str] = set()
    for file in (ROOT / "src" / "lofte").rglob("*.py"):
        made |= set(re.findall(r'"([a-z_]+\.(?:key|id))"', file.read_text(encoding="utf-8")))

    missing = {name for name in made if f"`keys/{name}`" not in reference("settings.md")}
    assert missing == set()


# Controls, duties, connectors, metrics


@pytest.mark.parametrize("name", sorted(all_controls()))
def test_every_control_has_its_heading_law_and_age(name: str, reference) -> None:
    section = reference("controls.md").partition(f"## {name}\n")[2].partition("\n## ")[0]

    assert "- Law: " in section
    assert "- Fresh for: " in section
    if not controls.has_probe(name):
        assert "- Missing: " in section


def test_the_three_verdicts_are_explained(reference) -> None:
    for status in Status:
        assert f"**{status.value}**" in reference("controls.md")


def test_every_probe_belongs_to_a_documented_control(headings) -> None:
    probes = {file.stem for file in (ROOT / "src" / "lofte" / "probes").glob("*.py")} & set(all_controls())

    assert probes <= headings("controls.md")


def test_every_duty_is_described(reference) -> None:
    declared = {name for name, *_ in duties.declared()}

    assert set(duties.MEANING) <= declared
    assert [name for name in declared if f"| `{name}` |" not in reference("duties.md")] == []


def test_every_connector_has_its_heading(headings) -> None:
    from docs.generate.connectors import names

    assert set(names()) <= headings("connectors.md")


def test_every_metric_is_listed(reference) -> None:
    assert [name for name, *_ in metrics.rows() if f"| {name} |" not in reference("metrics.md")] == []


# The policy


def test_the_schema_is_that_of_the_model_but_for_what_the_catalogue_fills(reference) -> None:
    told, meant = json.loads(reference("policy.schema.json"))["$defs"], Policy.model_json_schema(by_alias=True)["$defs"]

    filled = {name for name in meant if told[name] != meant[name]}

    assert told.keys() == meant.keys()
    assert filled == {"Tag", "System", "Recipient"}
    for name in filled:
        known, spelled_out = (each["required"] for each in told[name].pop("anyOf"))
        assert known == ["known"]
        assert {*told[name].pop("required", []), *spelled_out} == set(meant[name].pop("required"))
        assert told[name] == meant[name]


def test_the_schema_accepts_the_example_policy_by_its_own_model() -> None:
    from ruamel.yaml import YAML

    text = (ROOT / "policies" / "xledger" / "policy.yaml").read_text(encoding="utf-8")
    TypeAdapter(Policy).validate_python(YAML(typ="safe", pure=True).load(text))


def test_every_key_of_the_policy_has_its_row(reference) -> None:
    from docs.generate.policy import sections

    page = reference("policy.md")
    for each in sections():
        section = page.partition(f"## {each.__name__}\n")[2].partition("\n## ")[0]
        missing = [name for name, field in each.model_fields.items() if f"| `{field.alias or name}` |" not in section]
        assert missing == [], each.__name__


def test_every_value_a_text_may_use_is_documented() -> None:
    assert [name for name in values.example_values() if not values.pattern_of(name)] == []
    assert set(values.BLOCKS) == set(BLOCK_VALUES)


def test_every_documented_value_exists_in_some_market() -> None:
    used = {values.pattern_of(name) for name in values.example_values()}

    assert set(values.INLINE) - used == set()


def test_every_code_of_the_check_has_its_row(reference) -> None:
    assert [code for code in CODES if f"| `{code}` |" not in reference("check.md")] == []


# The edge and the banner


def test_every_address_of_the_edge_is_described(reference) -> None:
    assert [route for route in edge.routes_in_code() if route not in reference("edge.md")] == []


def test_every_refusal_has_its_row(reference) -> None:
    assert [reason for reason in Refusal if f"| `{reason}` |" not in reference("edge.md")] == []


def test_the_public_contract_of_the_banner_is_what_pages_carry() -> None:
    ids, hooks = banner.found()

    assert ids == set(banner.IDS)
    assert hooks | {banner._BY_THE_EDGE} == set(banner.HOOKS)


# Evidence, written by hand


def test_the_evidence_page_tells_the_codes_constants(reference) -> None:
    page = reference("evidence.md")

    for said in (
        f"`{receipt.FORMAT}`",
        proof.HEADER,
        commitment.FACT_TAG.rstrip(b"\0").decode(),
        commitment.WHO_TAG.rstrip(b"\0").decode(),
        f"{len(commitment.FACT_TAG)} bytes",
        f"{commitment.SALT_BYTES} random bytes",
        f"{commitment.BUCKET_BYTES} bytes",
        f"{commitment.LARGEST_PAYLOAD_BYTES:,} bytes",
        f"{verify.LARGEST_RECEIPT_BYTES:,} bytes",
    ):
        assert said in page, said


def test_the_evidence_page_names_every_part_of_a_receipt(reference) -> None:
    section = reference("evidence.md").partition("## Receipt\n")[2].partition("\n## ")[0]

    for part in verify._KEYS:
        assert f"| `{part}` |" in section
    for part, words in verify.ALTERED.items():
        assert f"| `{part}` | {words} |" in section


def test_the_evidence_page_names_every_key_of_an_entry(reference) -> None:
    section = reference("evidence.md").partition("## Entry\n")[2].partition("\n## ")[0]
    entry = json.loads(commitment.write_entry("consent", "ab", bytes(32), bytes(32)))

    assert [key for key in entry if f"| `{key}` |" not in section] == []


def test_an_entry_can_be_rebuilt_by_the_words_of_the_page() -> None:
    import hashlib

    salt, payload = bytes(range(32)), b'{"a":1}'
    padded = payload + b"\x80" + bytes(256 - len(payload) - 1)
    tag = b"lofte/fact/v1" + bytes(3)

    expected = hashlib.sha256(tag + salt + padded).digest()
    assert expected == commitment.commitment(commitment.FACT_TAG, salt, payload)
