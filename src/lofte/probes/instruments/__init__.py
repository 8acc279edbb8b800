"""What probes look with: a visitor over HTTP, a real browser, a mailbox, a canary person. No control is named here."""
