"""What looks wrong in a data set, row by row: labels, near-duplicates, leaks."""
