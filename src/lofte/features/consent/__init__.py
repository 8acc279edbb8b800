"""Consents and objections of persons: appended, never changed; what counts is the latest event."""
