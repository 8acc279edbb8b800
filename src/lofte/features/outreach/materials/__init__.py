"""Materials people ask for: guides, white papers, recordings. Asked for means asked for: it is no consent to anything else."""
