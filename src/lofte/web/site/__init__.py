"""Newsletter pages: sign up, confirm, leave."""
