"""The log that proves: a Merkle tree of salted commitments, its signed heads, receipts, and their offline verifier.

Formats are borrowed, not invented: RFC 6962/9162 hashing, C2SP tlog-tiles, tlog-checkpoint, signed-note and tlog-proof.
Doors open a log with `evidence.log.open_log`; anyone may verify with `evidence.verify.verify_receipt`.
"""
