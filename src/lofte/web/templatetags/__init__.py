"""Template tags: words in the reader's language, and how dates, periods and verdicts are written."""
