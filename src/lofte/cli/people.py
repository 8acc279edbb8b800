"""`lofte people import|export`: lists of people in and out, for one declared purpose. An import tells first what would happen; an
export asks somebody else first, and is written when the same command is given again after they agreed."""

import argparse
import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from lofte.cli import wiring
from lofte.kernel.problems import Place, Problem

if TYPE_CHECKING:
    from lofte.features.register.imports import Fate

_SHOWN = 200
WORDS = {
    "torn-row": "more cells than the heading has columns",
    "no-email": "no mail address",
    "no-phone": "no telephone number",
    "no-name": "no name",
    "no-text": "letters that are no text",
    "nothing-to-find-by": "no address or number the person could be found by, or erased by",
    "several-people": "belongs to several people in the register",
    "erased-before": "was erased; needs a ground newer than that: --new-ground-since",
    "unconfirmed": "somebody is being asked to confirm this address now",
    "objected": "the person objected to this purpose",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("people", help="take lists of people in or out", description=__doc__)
    parser.add_argument("action", choices=["import", "export"], help="what to do")
    parser.add_argument("file", type=Path, help="CSV (.csv) or vCard (.vcf)")
    parser.add_argument("--purpose", required=True, help="the declared purpose the list is for")
    parser.add_argument("--by", required=True, metavar="NAME", help="the member of staff who does it")
    parser.add_argument("--market", default="", help="import: SE, NO, FI, GB, US")
    parser.add_argument("--locale", default="", help="import: the language of these people")
    parser.add_argument("--source", default="", help="import: short name of where the list comes from: fair-2026")
    parser.add_argument("--relation", default="", help="import: how the company knows these people: prospect")
    parser.add_argument(
        "--column", action="append", default=[], metavar="COLUMN=FIELD", help="import: which column is which field"
    )
    parser.add_argument("--encoding", default="", help="import: if the file is not UTF-8")
    parser.add_argument(
        "--new-ground-since", type=date.fromisoformat, metavar="DATE", help="import: a ground this new for people erased earlier"
    )  # fmt: skip
    parser.add_argument("--leave-out-refused", action="store_true", help="import: take in the other rows")
    parser.add_argument(
        "--apply", action="store_true", help="import: do it; without it, only what would happen is shown"
    )
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    return take_in(args) if args.action == "import" else give_out(args)


def take_in(args: argparse.Namespace) -> int:
    from lofte.features.register import imports, sheets

    by = _staff(args.by, "people.import")
    content = _read(args.file)
    into = imports.Into(
        args.purpose, args.market, args.locale, _slug(args.source), args.relation, args.new_ground_since
    )
    fields = imports.fields_for(args.purpose)
    columns = _columns(args.column)
    sheet = sheets.read(args.file.name, content, fields, columns, args.encoding, words=imports.words_for(fields))
    print("columns: " + ", ".join(f"{column} as {field}" for column, field in sheet.columns.items()))
    if sheet.left_out:
        print("left out: " + ", ".join(sheet.left_out))
    if not args.apply:
        fates = imports.preview(sheet, into, _progress if sys.stderr.isatty() else _quiet)
        _show(fates)
        print(_summary(Counter(each.outcome for each in fates)) + "; nothing was written. To do it: --apply")
        return 1 if any(each.outcome == "refused" for each in fates) else 0
    done = imports.carry_out(
        sheet, into, content, by=by, leave_out_refused=args.leave_out_refused, told=_progress if sys.stderr.isatty() else _quiet
    )  # fmt: skip
    print(_summary(Counter(done.counts)) + f"; taken in {done.finished_at:%Y-%m-%d %H:%M} UTC")
    return 0


def give_out(args: argparse.Namespace) -> int:
    from lofte.features.register import exports

    count, by = exports.Count(), _staff(args.by, "people.export")
    form = {".csv": "csv", ".vcf": "vcard", ".vcard": "vcard"}.get(args.file.suffix.lower())
    if form is None:
        raise Problem("people.form", "the file's name says its form", Place(str(args.file)), expected=".csv or .vcf")
    if not _is_agreed(args.purpose, form, by):
        return 1
    part = args.file.with_name(f".{args.file.name}.part")
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
        ) as out:
            for piece in exports.export(args.purpose, "csv" if form == "csv" else "vcard", by=by, count=count):
                out.write(piece)
        part.replace(args.file)
    finally:
        part.unlink(missing_ok=True)
    print(f"{count.given} people written, each with a look that is kept; {count.withheld} withheld")
    return 0


def _is_agreed(purpose: str, form: str, by: str) -> bool:
    """Whether somebody else has agreed to this list; it is used up by that. Otherwise they are asked, once."""
    from lofte.core import approvals
    from lofte.features.register import exports

    exports.demand(purpose)
    wanted = {"purpose": purpose, "form": form}
    agreed = next((each for each in approvals.ready(by) if each.act == exports.ACT and each.details == wanted), None)
    if agreed:
        approvals.use(agreed.id, by, exports.ACT)
        return True
    asked = approvals.one(approvals.ask(exports.ACT, by, purpose=purpose, form=form))
    print(
        f"asked on {asked.asked_at:%Y-%m-%d %H:%M} UTC: somebody else must agree in the console, under Approvals, by "
        f"{asked.expires_at:%Y-%m-%d}; then give the same command again",
        file=sys.stderr,
    )
    return False


def _show(fates: "list[Fate]") -> None:
    """What the list would do, by row and column. Values are not repeated: the row says where they stand."""
    told = [each for each in fates if each.outcome == "refused"] + [each for each in fates if each.outcome != "refused"]
    print("row\toutcome\tcolumn\twhy")
    for each in told[:_SHOWN]:
        notes = list(each.reasons) + [(column, "a formula is taken as text") for column in each.disarmed]
        for column, why in notes or [("", "")]:
            print(f"{each.row}\t{each.outcome}\t{column}\t{_why(why)}")
    if len(told) > _SHOWN:
        print(f"… and {len(told) - _SHOWN} rows more")


def _why(code: str) -> str:
    return f"the same person as row {code[4:]}" if code.startswith("row-") else WORDS.get(code, code)


def _summary(counts: "Counter[str]") -> str:
    return f"{counts['new']} new, {counts['merged']} merged, {counts['refused']} refused"


def _progress(done: int, rows: int) -> None:
    print(f"\r{done} of {rows}", end="" if done < rows else "\n", file=sys.stderr, flush=True)


def _quiet(done: int, rows: int) -> None:
    return None


def _columns(given: list[str]) -> dict[str, str]:
    pairs = [each.rpartition("=") for each in given]
    if any(not column or not field for column, _, field in pairs):
        raise Problem("people.no-column", "a column is named with its field", expected='--column "E-post=email"')
    return {column.strip(): field.strip() for column, _, field in pairs}


def _slug(source: str) -> str:
    if not (0 < len(source) <= 48 and all(letter in "abcdefghijklmnopqrstuvwxyz0123456789-" for letter in source)):
        raise Problem(
            "people.source", "a source is a short name", expected="lower-case letters, digits and hyphens: fair-2026"
        )
    return source


def _read(file: Path) -> bytes:
    from lofte.features.register.sheets import LARGEST

    with file.open("rb") as content:
        return content.read(LARGEST + 1)


def _staff(name: str, permission: str) -> str:
    from django.contrib.auth.models import User

    from lofte.core import roles

    user = User.objects.filter(username=name, is_staff=True, is_active=True).first()
    if user is None:
        raise Problem("staff.unknown", "nobody of this name is staff", way_out="See them with: lofte staff list")
    roles.demand(user, permission)
    return f"staff:{user.pk}"
