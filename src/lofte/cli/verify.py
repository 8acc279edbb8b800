"""`lofte verify RECEIPT`: does a receipt hold? No network, no server, no database."""

import argparse
import json
import sys
from pathlib import Path

from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Place, Problem

LARGEST_RECEIPT_BYTES = 256 * 1024  # an honest receipt is about 3 kB


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "verify",
        help="verify a receipt offline",
        description="Verify a receipt with no network and no server. Exit codes: 0 it holds, 1 it does not (the altered "
        "part is named), 2 the command was not understood.",
    )
    parser.add_argument("receipt", help="the receipt's JSON file, or - for standard input")
    parser.add_argument("--key", metavar="VKEY", help="the log's public key, when you have it from elsewhere")
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        found = verify_receipt(_read(args.receipt), args.key)
    except Problem as problem:
        if not args.json:
            raise
        print(json.dumps({"holds": False, **problem.document()}, ensure_ascii=False, indent=2))
        return 1
    said = {
        "holds": True,
        "kind": found.kind,
        "index": found.index,
        "log": found.origin,
        "size": found.size,
        "key": found.vkey,
        "key_given": args.key is not None,
        "fact": found.fact,
    }
    if args.json:
        print(json.dumps(said, ensure_ascii=False, indent=2))
        return 0
    print(f"The receipt holds: entry {found.index} of {found.size} in the log {found.origin}, kind {found.kind}.")
    for name, value in sorted((found.fact or {}).items()):
        print(f"  {name}: {json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}")
    if args.key is None:
        print(f"Signed by {found.vkey}, the key named in the receipt itself.")
        print("Compare it with the key the company publishes, or give that key with --key.")
    return 0


def _read(name: str) -> bytes:
    try:
        data = sys.stdin.buffer.read(LARGEST_RECEIPT_BYTES + 1) if name == "-" else _head_of(Path(name))
    except OSError as error:
        raise Problem(
            "receipt.unreadable", f"the file cannot be read: {error.strerror}", Place(name),
            way_out="Give the receipt's JSON file, or - for standard input.",
        ) from error  # fmt: skip
    if len(data) > LARGEST_RECEIPT_BYTES:
        raise Problem(
            "receipt.too-large", "this is no receipt", Place(name), expected=f"at most {LARGEST_RECEIPT_BYTES} bytes"
        )
    return data


def _head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_RECEIPT_BYTES + 1)
