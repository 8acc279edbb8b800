"""Nothing is kept past its clock: the sweep finds what is due and erases it with evidence."""
