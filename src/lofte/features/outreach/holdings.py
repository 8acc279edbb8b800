"""What this room holds."""
