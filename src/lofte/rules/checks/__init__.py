"""What makes a policy wrong, a subject a file. Each has `problems(case)`, which yields every fault and raises none."""
