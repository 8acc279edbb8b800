"""`lofte retention forecast|holds|brake|runs`: what goes by a day, who stays and why; what is held, and by which law. Reads only.

Supposed days: `lofte retention forecast --at 2027-03-01` tells what will have gone by the end of that day. Whether a stopped plan
is let go two members of staff decide in the console.
"""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from lofte.cli import wiring
from lofte.kernel.problems import Problem

_AHEAD = timedelta(days=30)
_RUNS = 20


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("retention", help="what goes when, who stays, and why", description=__doc__)
    parser.add_argument("what", choices=["forecast", "holds", "brake", "runs"], help="what to show")
    parser.add_argument(
        "--at", type=date.fromisoformat, metavar="DATE", help="forecast: the last day to look at (default: in a month)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    shown, is_fine = {"forecast": _forecast, "holds": _holds, "brake": _brake, "runs": _runs}[args.what](args.at)
    print(json.dumps(shown, indent=2, default=str) if args.json else _told(args.what, shown))
    return 0 if is_fine else 1


def _forecast(day: date | None) -> tuple[dict[str, Any], bool]:
    from lofte.core import clock
    from lofte.features.retention import reads

    today = clock.now().date()
    day = day or today + _AHEAD
    if day < today:
        raise Problem(
            "retention.past", "this day has passed; what went then is in the runs", way_out="lofte retention runs"
        )
    found = asdict(reads.forecast(datetime.combine(day, time.max, UTC)))
    return found | {"until": day.isoformat()}, True


def _holds(_: date | None) -> tuple[list[dict[str, Any]], bool]:
    from lofte.core import clock
    from lofte.features.retention import holds

    at = clock.now()
    late = {each.pk for each in [*holds.past_review(at), *holds.past_end(at), *holds.lawless()]}
    return [
        {
            "id": each.pk, "about": "one person" if each.person_id else each.market or "everybody", "statute": each.statute,
            "citation": each.citation, "fields": each.fields or ["*"], "purposes": each.purposes or ["*"], "until": each.until,
            "review": each.review_at, "reviewer": each.reviewer, "needs_a_look": each.pk in late,
        }
        for each in holds.standing()
    ], not late  # fmt: skip


def _brake(_: date | None) -> tuple[list[dict[str, Any]], bool]:
    from lofte.features.retention import brake

    found = [
        {
            "plan": each.pk, "state": each.state, "reason": each.reason, "people": each.people, "registered": each.registered,
            "stopped": each.made_at, "released": each.released_at,
        }
        for each in brake.stops()
    ]  # fmt: skip
    return found, not brake.is_pulled()


def _runs(_: date | None) -> tuple[list[dict[str, Any]], bool]:
    from lofte.features.retention import reads

    return [asdict(each) for each in reads.sweeps(_RUNS)], True


# --- for people ------------------------------------------------------------------------------------------------------


def _told(what: str, shown: Any) -> str:
    match what:
        case "forecast":
            return "\n".join(_forecast_lines(shown))
        case "holds":
            return "\n".join(map(_hold_line, shown)) or "There are no holds."
        case "brake":
            return "\n".join(map(_stop_line, shown)) or "No run has been stopped."
    return "\n".join(map(_run_line, shown)) or "The sweep has not run yet."


def _forecast_lines(found: dict[str, Any]) -> list[str]:
    part = found["people"] - found["whole"]
    lines = [
        f"By {found['until']}: {found['whole']:,} of {found['registered']:,} people go, {part:,} lose something and stay, "
        f"{found['held']:,} are spared."
    ]
    for kept in found["kept"]:
        law = f" ({kept['law']})" if kept["law"] else ""
        does = "spared by" if kept["spared"] else "lose something, the rest kept by"
        lines.append(f"  {kept['people']:>9,}  {does} {kept['rule'] or 'no clock'}{law}")
    for day in found["days"]:
        clocks = ", ".join(f"{name} {people:,}" for name, people in sorted(day["by_clock"].items()))
        lines.append(f"  {day['day']}  {day['whole']:>9,} go  {clocks}")
    if found["stopped"]:
        lines.append(f"A run that took all of them at once would be stopped by the brake ({found['stopped']}).")
    return lines


def _hold_line(hold: dict[str, Any]) -> str:
    ends = (
        f"until {hold['until']:%Y-%m-%d}"
        if hold["until"]
        else f"review {hold['review']:%Y-%m-%d} by {hold['reviewer']}"
    )
    look = "  NEEDS A LOOK" if hold["needs_a_look"] else ""
    fields = ",".join(hold["fields"])
    return f"{hold['id']}  {hold['about']:<10}  {hold['statute']}: {hold['citation']}  {fields}  {ends}{look}"


def _stop_line(stop: dict[str, Any]) -> str:
    return (
        f"{stop['stopped']:%Y-%m-%d %H:%M}  {stop['state']:<8}  {stop['people']:,} of {stop['registered']:,} people "
        f"({stop['reason']})"
    )


def _run_line(each: dict[str, Any]) -> str:
    state = "stopped" if each["is_stopped"] else "done" if each["finished_at"] else "not finished"
    return (
        f"{each['started_at']:%Y-%m-%d %H:%M}  {state:<12}  {each['people']:,} people, {each['erased']:,} erased, "
        f"{each['left']:,} left, {each['unwarned']:,} not asked"
    )
