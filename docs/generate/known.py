"""catalogue.md: what tags and systems are known to load, keep and send, from the catalogue itself."""

from collections.abc import Iterator

from docs.generate.markdown import code, page, table

from lofte.rules.known import Known, Provider, catalogue, providers

NAME = "catalogue.md"

_LEAD = """\
A policy takes an entry by name: `known: ga4` on a tag, `known: wordpress` on a system, `known: google` on a recipient. What
the policy leaves out is then taken from here, cookies and their words in all five languages included; what it says itself
stands. See [declare tags by name](../howto/declare-tags-by-name.md). `lofte check` compares tags written by hand with the
entry their hosts give away, and warns of what was forgotten ([`known.*`](check.md)).

*Own ends* says that whoever gets the data may use it for ends of its own: such a tag never fits the British exemption for
statistics. Data are ids of fields, which the policy must declare under the same names."""


def made() -> str:
    tags = [_entry(name, entry) for name, entry in catalogue().items()]
    return page("The catalogue of tags", _LEAD, "## Recipients", _providers(), *tags)


def _providers() -> str:
    rows = [_provider(name, maker) for name, maker in providers().items()]
    return table(("name", "who", "country", "takes data to", "privacy notice", "opt-out"), rows)


def _provider(name: str, maker: Provider) -> tuple[str, ...]:
    who = f"{maker.name}, {maker.role.replace('_', ' ')}"
    return code(name), who, maker.country, ", ".join(maker.takes_to), maker.privacy_url, maker.optout_url


def _entry(name: str, entry: Known) -> str:
    return "\n\n".join(part for part in (f"## {entry.name}", "\n".join(_facts(name, entry)), _cookies(entry)) if part)


def _facts(name: str, entry: Known) -> Iterator[str]:
    yield f"- name: {code(name)}, {entry.kind.replace('_', ' ')}"
    if entry.provider:
        yield f"- recipient: {code(entry.provider)}{', for own ends as well' if entry.own_ends else ''}"
    if entry.google is not None:
        yield f"- Consent Mode: {', '.join(map(code, entry.google)) or 'passes on what the page says'}"
    if entry.meta:
        yield "- told by `fbq`: `revoke` or `grant`, limited data use in the United States"
    if entry.hosts:
        yield f"- hosts: {', '.join(map(code, entry.hosts))}"
    yield f"- data: {', '.join(map(code, entry.data))}"
    if entry.optout:
        yield f"- opt-out of its own: {entry.optout}"


def _cookies(entry: Known) -> str:
    rows = [
        (code(cookie.name), cookie.storage, cookie.host or cookie.party, cookie.lifetime, cookie.when or "–")
        for cookie in entry.cookies.values()
    ]
    return table(("kept", "as", "by", "for", "only at"), rows)
