"""What the tables of core hold."""
