"""roles.md: the roles as shipped, what each permission opens, and the acts that take two people."""

import ast
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from docs.generate.markdown import ROOT, block, code, page, table
from ruamel.yaml import YAML

NAME = "roles.md"

PERMISSIONS = {
    "promises.read": "the board, each promise with its controls and history",
    "promises.check": "the buttons that start checks",
    "publications.read": "the versions of the policy",
    "operation.read": "duties, queues, refused hosts, long work",
    "people.search": "finding people by address, number or name",
    "people.read": "a person's file, for a purpose the role may state",
    "people.write": "notes, files, places, relations and corrections",
    "people.export": "asking for a list of people to leave the house",
    "people.import": "taking lists of people in",
    "people.merge": "asking for two records to become one person",
    "requests.read": "what people have asked for, and the last day to answer",
    "requests.work": "handling a request: identify, ask back, note, extend, complete",
    "requests.decide": "refusing a request; asking for an erasure on somebody's behalf",
    "retention.read": "what goes when, the brake and the runs; names nobody",
    "retention.hold": "place, review and release holds",
    "retention.release": "ask that a stopped run be let go",
    "inquiries.read": "the inbox and what people wrote, for purposes the role may state; each look is kept",
    "inquiries.work": "answering inquiries, and moving, handing over and closing them",
    "sharing.read": "see recipients, agreements, cases and what went to whom",
    "sharing.refer": "refer a person to a partner, and hand over what was decided",
    "sharing.manage": "put agreements on file, end them, call back, open cases and release them with a second person",
    "forms.read": "the forms there are, how often each was sent, previews and HTML for a site; names nobody",
    "forms.manage": "building forms, publishing and retiring them",
    "events.read": "see events and how many come; names nobody",
    "events.manage": "write, publish, change and call off events",
    "events.receive": "the list of those who come, and ticking them off at the door",
    "materials.read": "see materials and how many asked for them; names nobody",
    "materials.manage": "write materials, give them their files, offer them and take them back",
    "campaigns.read": "see campaigns, segments and their results; names nobody",
    "campaigns.write": "write campaigns, send a test to oneself, and describe segments",
    "campaigns.send": "schedule, start, pause, go on with and stop a campaign",
    "records.read": "the records of processing, and the transfer tools on file",
    "transfers.manage": "putting transfer tools on file and ending them",
    "tokens.manage": "making and revoking the tokens by which other systems ask",
    "approvals.decide": "approving or declining what somebody else asked for",
    "roles.manage": "staff and their roles; asking for a change of roles, or of the vault's keys",
}
ACTS = {
    "people.export": "a list of people leaves the register as a file; the asker fetches it, once",
    "people.merge": "two records become one person",
    "retention.release": "a run of the sweep that the brake stopped takes exactly the people of its plan",
    "rights.erase": "a person is erased on request by mail or telephone, not through their own page",
    "roles.change": "an account gets other roles",
    "sharing.release": "what an authority's decision, a merger or a sale covers may be handed over",
    "vault.rotate": "every key is wrapped anew and the old wrapping key destroyed, at once instead of next week",
}

_LEAD = """Who may do what in the console is data: a role has permissions, the purposes somebody with the role may state when they
look at a person, and whether a password alone is enough. Nothing is allowed that no role allows. An account without a role sees the
promises and the publications. How to give roles: [Staff, roles and the second factor](../howto/staff-and-second-factor.md)."""

_OWN = """An installation that wants other roles writes a whole file, `roles.yaml`, into its data directory; it replaces the shipped
one at once, without a restart. A file with a fault lets nobody in anywhere; `lofte doctor` and every page say so.

| key | meaning |
| --- | --- |
| `format` | `"1"` |
| `roles.<role>` | lower-case letters, digits and hyphens, at most 32; accounts have the role by this id |
| `permissions` | `"*"` or a list of the permissions above |
| `purposes` | `"*"` is every purpose of the policy that is about persons, and `rights`; or a list |
| `without` | purposes taken from `"*"` again |
| `second_factor` | `true`: pages that reach people ask for one; `always`: every page; `false` only where the role reaches nobody |
| `name` | the role in each of the five languages; whoever was looked at reads it |

One role at least must have `roles.manage`. The role `auditors` may have `promises.read` and `publications.read` and nothing
more: its accounts are not staff, and what they see is for the policy to say (`verdicts_visible_to`)."""

_TWO = """One person asks, another with `approvals.decide` approves within seven days, and only then is it done. Nobody approves
their own request; whoever has lost the permission meanwhile has nothing approved. Each step is an action in the register, and the
decision is an entry of the evidence log that names roles, never names. `lofte staff` at the shell of the server needs no second
person: whoever can run it owns the installation. It is kept as done by `operator:shell`."""

_LOOKS = """`core.decisions.decide` answers each reading of the register: allowed or denied, with the promise of the policy and the
article it rests on. The look is kept either way, with the role it was made under; the person reads it on their own page.

| reason | allowed | when |
| --- | --- | --- |
| `declared` | yes | the policy declares the purpose, the fields are its fields, and nothing the person said forbids it |
| `by-law` | yes | `portal`, `rights`, `erasure`, `security`: what the law itself demands |
| `not-their-purpose` | no | none of the roles of this member of staff may state the purpose |
| `undeclared-purpose` | no | the policy declares no such purpose for persons |
| `undeclared-field` | no | the purpose does not use one of the fields |
| `restricted` | no | the person has their data restricted (GDPR 18); own rights and the purpose `legal-claims` go on |
| `no-consent` | no | the purpose rests on consent and the person's latest word is not yes |
| `objected` | no | the purpose rests on a legitimate interest and the person objected |"""


def made() -> str:
    shipped = roles()
    return page(
        "Roles, permissions and approvals",
        _LEAD,
        "## Roles as shipped",
        table(("role", "as people read it", "permissions", "purposes", "second factor"), _rows(shipped)),
        "## Permissions",
        table(
            ("permission", "opens", "password alone"),
            [(code(each), PERMISSIONS[each], "yes" if each in by_password() else "no") for each in permissions()],
        ),
        "## Roles of your own",
        _OWN,
        block(_example(), "yaml"),
        "## Acts that take two people",
        _TWO,
        table(("act", "what it does"), [(code(act), said) for act, said in ACTS.items()]),
        "## Each look is decided",
        _LOOKS,
    )


def roles() -> Mapping[str, Any]:
    text = (ROOT / "src" / "lofte" / "core" / "roles.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = YAML(typ="safe", pure=True).load(StringIO(text))["roles"]
    return found


def permissions() -> tuple[str, ...]:
    return tuple(ast.literal_eval(_assigned("PERMISSIONS")))


def by_password() -> frozenset[str]:
    call = _assigned("BY_PASSWORD")
    assert isinstance(call, ast.Call)
    return frozenset(ast.literal_eval(call.args[0]))


def acts_in_code() -> set[str]:
    """Every act that is registered, by the text of its name or of the constant that holds it."""
    found = set[str]()
    for file in sorted((ROOT / "src" / "lofte").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "approvals.act":
                name = node.args[0]
                found.add(named[name.id] if isinstance(name, ast.Name) else ast.literal_eval(name))
    return found


def _assigned(name: str) -> ast.expr:
    tree = ast.parse((ROOT / "src" / "lofte" / "core" / "roles.py").read_text(encoding="utf-8"))
    return next(
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )


def _rows(shipped: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for role, each in shipped.items():
        held = "all" if each["permissions"] == "*" else ", ".join(map(code, each["permissions"]))
        yield code(role), each["name"]["en-GB"], held, _purposes(each), _factor(each["second_factor"])


def _purposes(role: Mapping[str, Any]) -> str:
    if role["purposes"] != "*":
        return ", ".join(map(code, role["purposes"])) or "none"
    without = ", ".join(map(code, role.get("without", [])))
    return f"all but {without}" if without else "all"


def _factor(wanted: object) -> str:
    return {True: "for pages about people", False: "not needed", "always": "for every page"}[wanted]  # type: ignore[index]


def _example() -> str:
    return """format: "1"
roles:
  lead:
    permissions: "*"
    purposes: "*"
    second_factor: always
    name:
      sv: dataskyddsansvarig
      nb: personvernansvarlig
      fi: tietosuojavastaava
      en-GB: data protection lead
      en-US: data protection lead
  support:
    permissions: [promises.read, publications.read, people.search, people.read, people.write]
    purposes: [answers, customer]
    second_factor: true
    name:
      sv: kundtjänst
      nb: kundeservice
      fi: asiakaspalvelu
      en-GB: customer service
      en-US: customer service
"""
