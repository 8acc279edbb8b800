"""Every fault `lofte check` can name: one stable code each, the law behind it and the way out.

`docs/reference/check.md` is generated from this table and a test keeps the two equal. `fault` is the only
way the checks make a Problem, so an undocumented code cannot exist.
"""

from dataclasses import dataclass

from lofte.kernel.problems import Place, Problem


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means. ``law`` is the article that asks, empty where the reason is craft and not law."""

    meaning: str
    law: str = ""
    way_out: str = ""
    severity: str = "error"


CODES: dict[str, Code] = {
    # reading
    "file.missing": Code(
        "A file every policy needs is not there.",
        way_out="Add the file.",
    ),
    "file.unreadable": Code(
        "A file is not UTF-8 text.",
        way_out="Save the file as UTF-8.",
    ),
    "file.unknown": Code(
        "A file lies where nothing reads it.",
        way_out="Move or remove it.",
        severity="warning",
    ),
    "yaml.syntax": Code(
        "The file is not valid YAML 1.2.",
        way_out="Mend the YAML at this line.",
    ),
    "yaml.tab": Code(
        "A tab indents a line; YAML allows spaces only.",
        way_out="Indent with spaces.",
    ),
    "yaml.duplicate-key": Code(
        "A key stands twice in one mapping; one of the two would silently be lost.",
        way_out="Keep one of them.",
    ),
    "yaml.tag": Code(
        "A tag such as `!include` has no meaning here.",
        way_out="Write the value out.",
    ),
    "yaml.too-large": Code(
        "The file is nested too deeply, or its aliases unfold into too many values.",
        way_out="Write it plainly.",
    ),
    "yaml.not-a-mapping": Code(
        "The file or section must hold keys with values.",
        way_out="Write `key: value` lines.",
    ),
    # declarations
    "policy.unknown-key": Code(
        "A key the policy format does not know.",
        way_out="Correct the spelling or remove the key.",
    ),
    "policy.missing-key": Code(
        "A required key is missing.",
        way_out="Add the key.",
    ),
    "policy.wrong-value": Code(
        "A value is not of the form the key takes.",
        way_out="Write the value in the form expected.",
    ),
    "policy.dangling-reference": Code(
        "A value names something that is not declared.",
        way_out="Declare it, or name one that is declared.",
    ),
    "policy.empty": Code(
        "A section without which there is nothing to publish is empty.",
        law="GDPR 13(1)(a)",
        way_out="Declare at least one.",
    ),
    "policy.unused": Code(
        "Something is declared and nothing uses it.",
        way_out="Use it or remove it.",
        severity="warning",
    ),
    "controller.no-identity": Code(
        "A controller lacks a name or a way to reach it.",
        law="GDPR 13(1)(a)",
        way_out="Give name, e-mail, telephone and postal address.",
    ),
    "market.unknown-law": Code(
        "No law pack of this name.",
        way_out="Use one of the law packs, or add one in rules/packs.",
    ),
    "market.wrong-law": Code(
        "The law pack belongs to another country than the market.",
        law="GDPR 3",
        way_out="Use the law pack of the market's country.",
    ),
    "market.unknown-locale": Code(
        "The interface does not speak this locale.",
        way_out="Use a supported locale, or add one in lofte/locales.",
    ),
    "market.same-address": Code(
        "Two markets share a domain and a path, so a page would not know its law.",
        way_out="Give each market its own path or domain.",
    ),
    "purpose.no-basis": Code(
        "A purpose has no legal basis.",
        law="GDPR 6(1), 13(1)(c)",
        way_out="Set `basis` to one of the six grounds.",
    ),
    "purpose.no-balancing-test": Code(
        "Legitimate interest is claimed without a balancing test.",
        law="GDPR 6(1)(f), 13(1)(d)",
        way_out="Add `balancing` with interest, necessity, balance, reviewed and reviewed_by.",
    ),
    "purpose.no-clock": Code(
        "Nothing says how long the data of this purpose is kept.",
        law="GDPR 5(1)(e), 13(2)(a)",
        way_out="Give the purpose a clock, or a relation that has one.",
    ),
    "purpose.no-fields": Code(
        "A purpose about persons names no data.",
        law="GDPR 5(1)(c), 14(1)(d)",
        way_out="List the fields it uses.",
    ),
    "field.indexed-low-entropy": Code(
        "A field with few possible values is indexed; its blind index could be guessed.",
        law="GDPR 32(1)(a)",
        way_out="Set `indexed: false`.",
    ),
    "clock.no-period": Code(
        "A clock that is not `withdrawal` has no period.",
        law="GDPR 5(1)(e), 13(2)(a)",
        way_out="Give it a period such as P24M.",
    ),
    "clock.no-signals": Code(
        "A clock of inactivity says nothing about what counts as activity.",
        law="GDPR 5(1)(e)",
        way_out="List the signals that reset it.",
    ),
    "clock.warn-no-end": Code(
        "A clock that no sign of interest moves asks people whether to keep their data.",
        law="GDPR 5(1)(e)",
        way_out="Drop `warn` and `grace`, or make it a clock of inactivity.",
    ),
    "clock.warn-deaf": Code(
        "People are asked whether to keep their data, and their answer counts for nothing.",
        law="GDPR 5(1)(a), 5(1)(e)",
        way_out="Add `kept` to the signals of the clock.",
    ),
    "clock.warn-too-long": Code(
        "People would be asked before the time they are asked about has begun.",
        way_out="Make `warn` shorter than the period of the clock.",
    ),
    "clock.grace-too-long": Code(
        "The least time to answer is longer than the time people are asked ahead: the promised end would be missed.",
        law="GDPR 5(1)(e)",
        way_out="Make `grace` no longer than `warn`; a grace needs a `warn`.",
    ),
    "purpose.unknown-record": Code(
        "A purpose keeps a kind of record no statute of a law pack knows.",
        law="GDPR 6(1)(c), 6(3)",
        way_out="Name one of the kinds of record, or drop `record`.",
    ),
    "purpose.record-basis": Code(
        "A record is kept because a statute asks for it, and the purpose says it rests on something else.",
        law="GDPR 6(1)(c), 17(3)(b)",
        way_out="Set the basis to `legal_obligation`, and move what no statute asks for to a purpose of its own.",
    ),
    "purpose.record-too-wide": Code(
        "A record keeps data no statute on records asks for.",
        law="GDPR 5(1)(c)",
        way_out="Take the field from the purpose; declare it for another purpose if it is needed.",
    ),
    "purpose.record-no-floor": Code(
        "The law of a market has no period for this kind of record; there the clock of the purpose decides alone.",
        law="GDPR 5(1)(e)",
        way_out="Check that the clock is right for this market.",
        severity="warning",
    ),
    "brake.off": Code(
        "The brake lets a run take everybody: a slip in the policy could empty the register.",
        law="GDPR 32(1)(b)",
        way_out="Set `share` below 1.",
        severity="warning",
    ),
    "form.undeclared-field": Code(
        "A form asks for data its purpose does not use.",
        law="GDPR 5(1)(b), 5(1)(c)",
        way_out="Drop the field from the form, or declare it for the purpose.",
    ),
    "form.browser-purpose": Code(
        "A form serves a purpose that is only about the browser.",
        law="GDPR 13(1)(c)",
        way_out="Bind the form to a purpose of scope `person`.",
    ),
    "form.doubled": Code(
        "A form asks for the same twice.",
        way_out="Keep one of them. A form whose purpose rests on consent has a box for it already.",
    ),
    "form.no-kind": Code(
        "A form has no kind, so that nothing takes in what is sent in.",
        way_out="Give it a kind, or remove it.",
        severity="warning",
    ),
    "form.no-address": Code(
        "A form can be sent without an address, so that nobody could be answered, found or erased.",
        law="GDPR 11, 17",
        way_out="Ask for `email`, required.",
    ),
    "form.files-unread": Code(
        "A form takes files that nobody would read.",
        law="GDPR 5(1)(c)",
        way_out="Set `files: 0`, or give the form a kind with an inbox.",
    ),
    "topic.without-consent": Code(
        "A topic is sent for a purpose to which nobody agrees.",
        "GDPR 6(1)(a), ePrivacy 13(1)",
        "Name a purpose on consent, or declare the exception for own customers in `outreach.own_customers`.",
    ),
    "topic.missing-field": Code(
        "A topic needs a field that its purpose does not use: the address, or what people chose.",
        "GDPR 5(1)(c)",
        "Add the field to the purpose, or leave the channel out.",
    ),
    "topic.no-consent-words": Code(
        "In some market no form asks for consent to a topic over a channel it uses, so nobody could ever agree to it.",
        "GDPR 7(1)",
        "Add a newsletter form or a box with words of its own.",
    ),
    "topic.customers-without-interest": Code(
        "The exception for own customers names a purpose that does not rest on legitimate interest.",
        "GDPR 6(1)(f), ePrivacy 13(2)",
        "Name a purpose on legitimate interest, with its balancing test.",
    ),
    "form.newsletter-without-consent": Code(
        "A form signs people up for a newsletter on another basis than consent.",
        law="ePrivacy 13(1)",
        way_out="Bind the form to a purpose that rests on consent.",
    ),
    "form.box-without-consent": Code(
        "A box under a form asks for a yes to something that does not rest on consent.",
        law="GDPR 7(2), 13(1)(c)",
        way_out="Remove the box, or bind it to a purpose that rests on consent.",
    ),
    "form.box-without-address": Code(
        "A box promises a channel the form has no address for.",
        way_out="Ask for the field, or choose another channel.",
    ),
    "form.long-name": Code(
        "The names of a form and its box are too long to be kept with a consent.",
        way_out="Choose a shorter name.",
    ),
    # the banner
    "banner.contrast": Code(
        "Two colours of a theme are too alike to be read or seen.",
        law="WCAG 2.2 1.4.3 and 1.4.11; EDPB Cookie Banner Taskforce type F",
        way_out="Take a darker or a lighter one of the two.",
    ),
    "banner.unequal-buttons": Code(
        "A theme makes one answer look easier than the other.",
        law="GDPR 7(3); EDPB Cookie Banner Taskforce types C and E",
        way_out="Leave `accept` and `reject` out: both are drawn as `button`.",
    ),
    # storage on devices
    "storage.consent-declared-necessary": Code(
        "Something that needs consent is declared necessary.",
        law=(
            "ePrivacy 5(3): SE LEK 9:28, NO ekomloven 3-15, FI SVPL 205, GB PECR 6; EDPB Cookie Banner Taskforce type I"
        ),
        way_out="Move it to a purpose people are asked about.",
    ),
    "storage.no-reason": Code(
        "Necessary storage carries no reason.",
        law="ePrivacy 5(3); EDPB Cookie Banner Taskforce type I",
        way_out="Set `necessary_because: true` and write the reason in words.yaml, purposes.<id>.necessary.",
    ),
    "storage.without-consent": Code(
        "A purpose uses the visitor's device on opt-in but rests on another basis than consent.",
        law="ePrivacy 5(3); EDPB Cookie Banner Taskforce type H",
        way_out="Set `basis: consent`.",
    ),
    "storage.forbidden-model": Code(
        "The market's law does not know this storage model.",
        law="ePrivacy 5(3) as the market has it",
        way_out="Use `opt_in` for this market.",
    ),
    "storage.exemption-shared": Code(
        "The exemption for own statistics is used while a recipient may use the data for its own ends.",
        law="PECR Sch A1 para 5",
        way_out="Use `opt_in`, or a processor that does not reuse the data.",
    ),
    "storage.exemption-unnamed": Code(
        "A purpose runs until somebody objects without saying which exemption allows it.",
        law="PECR Sch A1 paras 5 and 6",
        way_out="Set `exempt_as: own_statistics` or `exempt_as: appearance_and_functionality`, or use `opt_in`.",
    ),
    "storage.exemption-advertising": Code(
        "An exemption for statistics or appearance is used for what advertises, embeds others, or serves another end as well.",
        law="PECR Sch A1 paras 5(2) and 6(2)",
        way_out="Use `opt_in`, or move the tag to a purpose people are asked about.",
    ),
    "signal.necessary": Code(
        "A purpose nobody is asked about answers for advertising or analytics with Google.",
        law="ePrivacy 5(3); GDPR 7",
        way_out="Move the type to a purpose people are asked about.",
    ),
    "known.unknown": Code(
        "The catalogue has nothing by this name.",
        way_out="Name an entry it has, or leave `known` out and declare it whole.",
    ),
    "known.forgotten-cookie": Code(
        "A tag or system is known to keep something the policy does not declare.",
        law="CJEU C-673/17 (Planet49); GDPR 13(1)(c)",
        way_out="Declare it under `cookies`, or set `known` and leave it to the catalogue.",
        severity="warning",
    ),
    "known.forgotten-host": Code(
        "A tag is known to load from a host no tag declares, so the gate will hold it.",
        law="GDPR 13(1)(e)",
        way_out="Add the host to the tag's `hosts`.",
        severity="warning",
    ),
    "known.forgotten-data": Code(
        "A tag is known to send data that the policy does not say it sends.",
        law="GDPR 13(1)(d), 5(1)(a)",
        way_out="Add the field to the tag's `data`.",
        severity="warning",
    ),
    "known.shorter-lifetime": Code(
        "A cookie is known to be kept longer than the policy says.",
        law="CJEU C-673/17 (Planet49)",
        way_out="State the lifetime it has, or have the tag shorten it and note so.",
        severity="warning",
    ),
    "known.no-link": Code(
        "A recipient is known to offer a privacy notice or an opt-out, and the policy links to neither.",
        law="GDPR 13(1)(e), 12(2)",
        way_out="Give `privacy_url` or `optout_url`, or set `known` on the recipient.",
        severity="warning",
    ),
    "known.no-opt-out": Code(
        "A tag has an opt-out of its own, and the policy does not link to it.",
        law="GDPR 12(2), 21",
        way_out="Give the recipient `optout_url`.",
        severity="warning",
    ),
    "known.forgotten-transfer": Code(
        "A recipient is known to take data to a country the policy does not name.",
        law="GDPR 13(1)(f), 44",
        way_out="Declare the transfer with its tool under the recipient.",
        severity="warning",
    ),
    "storage.data-beyond-purpose": Code(
        "A tag or cookie holds data that its purpose does not name, so the table of purposes says less than is true.",
        law="GDPR 5(1)(b), 13(1)(c)",
        way_out="Add the field to the purpose, or drop it from the tag or cookie.",
        severity="warning",
    ),
    "frame.undeclared-host": Code(
        "A frame, or what is fetched for it, is at a host its tag does not name.",
        law="GDPR 5(1)(b), 25(2)",
        way_out="Add the host to the tag's `hosts`, or correct the address.",
    ),
    "frame.no-id": Code(
        "An address asks for `{id}`, which the frame's own addresses do not give.",
        way_out="Put `{id}` once into each of `addresses`, or take it out of the others.",
    ),
    "cookie.no-function": Code(
        "A cookie has no words on what it does.",
        law="ePrivacy 5(3); GDPR 13(1)(c)",
        way_out="Write cookies.<key>.function in words.yaml.",
    ),
    "cookie.no-lifetime": Code(
        "A cookie has no lifetime.",
        law="ePrivacy 5(3); CJEU C-673/17 (Planet49)",
        way_out="Give `lifetime`: a period such as P13M, `session` or `persistent`.",
    ),
    "cookie.no-host": Code(
        "A third-party cookie does not say which host sets it.",
        law="CJEU C-673/17 (Planet49)",
        way_out="Give `host`.",
    ),
    "cookie.wrong-provider": Code(
        "A cookie names another provider than its tag, or calls the site's own a third party.",
        law="CJEU C-673/17 (Planet49)",
        way_out="Name the recipient of the tag as provider.",
    ),
    # recipients and transfers
    "transfer.no-tool": Code(
        "A recipient takes data outside the area without a transfer tool.",
        law="GDPR 44-46, 13(1)(f)",
        way_out="Add a `transfers` entry for the country with its tool and reference.",
    ),
    "transfer.expired": Code(
        "A transfer tool is no longer valid.",
        law="GDPR 44-46",
        way_out="Renew the tool, or stop the transfer.",
    ),
    "transfer.no-decision": Code(
        "No adequacy decision covers this country for this market.",
        law="GDPR 45",
        way_out="Use standard clauses with an assessment, or stop the transfer.",
    ),
    "transfer.not-assessed": Code(
        "Standard clauses or binding rules are used without a transfer assessment.",
        law="GDPR 46; CJEU C-311/18 (Schrems II)",
        way_out="Give the day of the assessment in `assessed`.",
    ),
    "transfer.uk-instrument": Code(
        "A transfer from the United Kingdom names no UK instrument.",
        law="UK GDPR 45A, 46; SI 2023/1028",
        way_out="Name the UK Extension, the IDTA or the Addendum in `reference`.",
        severity="warning",
    ),
    # law packs
    "law.value-expired": Code(
        "The law pack has no value in force on this day.",
        way_out="Update the law pack after reading the law.",
    ),
    "law.not-verified": Code(
        "A value from the law pack has not been verified against its source.",
        way_out="Check it before relying on it.",
        severity="warning",
    ),
    # promises
    "promise.no-control": Code(
        "A promise is bound to no control, so nothing keeps it.",
        law="GDPR 5(2), 24(1)",
        way_out="Bind it to at least one control.",
    ),
    "promise.unknown-control": Code(
        "A control of this name does not exist.",
        law="GDPR 5(2)",
        way_out="Use a control of rules/controls, or add one.",
    ),
    "promise.never-said": Code(
        "A promise is declared and no paragraph makes it.",
        law="GDPR 12(1)",
        way_out="Bind the paragraph that says it, or remove the promise.",
    ),
    "promise.contradiction": Code(
        "What a promise says and what is declared cannot both be true.",
        law="GDPR 5(1)(a), 13",
        way_out="Change the declaration or the promise.",
    ),
    # texts
    "text.missing-locale": Code(
        "A market speaks a locale that has no text.",
        law="GDPR 12(1)",
        way_out="Add text/<locale>/ with all paragraphs.",
    ),
    "text.missing-paragraph": Code(
        "A paragraph is missing in a locale.",
        law="GDPR 12(1)",
        way_out="Write the paragraph in this locale too.",
    ),
    "text.missing-word": Code(
        "A short text is missing in a locale.",
        law="GDPR 12(1)",
        way_out="Add it to words.yaml.",
    ),
    "text.unknown-word": Code(
        "words.yaml has words for something that is not declared.",
        way_out="Declare it or remove the words.",
    ),
    "text.bad-block": Code(
        "A block header or the text around it cannot be read.",
        way_out="Start each block with `@ key P01 P02` on a line of its own.",
    ),
    "text.duplicate-block": Code(
        "Two blocks of one locale have the same key.",
        way_out="Rename one of them.",
    ),
    "text.bindings-differ": Code(
        "A paragraph is bound differently in two locales, so people are promised different things.",
        law="GDPR 5(1)(a)",
        way_out="Give the block the same promises and markets in every locale.",
    ),
    "text.unbound-paragraph": Code(
        "A paragraph is bound to no promise, so nothing keeps what it says.",
        law="GDPR 5(2)",
        way_out="Name its promises after the block key, for example `@ retention P15`.",
    ),
    "text.number-by-hand": Code(
        "A number or period is typed by hand; it would drift from what is declared.",
        law="GDPR 5(1)(a)",
        way_out="Use a value such as {{clock.<id>}}.",
    ),
    "text.unknown-value": Code(
        "A value in double braces has no meaning.",
        way_out="Use one of the documented values.",
    ),
    "text.value-not-available": Code(
        "The market's law pack or declarations hold no such value.",
        way_out="Use another value, or limit the block to markets that have it.",
    ),
    "text.table-not-alone": Code(
        "A table value must stand alone on its line.",
        way_out="Put it on a line of its own, with blank lines around.",
    ),
    "notice.missing-item": Code(
        "The text of a market does not tell people something the law requires.",
        law="GDPR 13, 14",
        way_out="Write it, with the value expected.",
    ),
}


def fault(
    code: str, detail: str, place: Place, *, expected: str = "", law: str | None = None, way_out: str | None = None
) -> Problem:
    """A Problem of a documented code; law and way out come from the table unless this case knows better."""
    meaning = CODES[code]
    return Problem(
        code=code, detail=detail, place=place, expected=expected, severity=meaning.severity,
        law=meaning.law if law is None else law,
        way_out=meaning.way_out if way_out is None else way_out,
    )  # fmt: skip
