"""A class, each of whom trains a seed of the same recipe.

`assignment` and `sheets` write what the students are asked, `grade` checks the runs
that they hand in, and `check_cell` the cells that they write.
"""
