"""The door for other systems: questions with a token in JSON, answers and refusals in JSON (RFC 9457). No session, no cookie."""
