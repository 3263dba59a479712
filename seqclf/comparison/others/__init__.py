"""Other systems beside the twins, of which a file with their answers is all there is.

`given` is what was asked for, `columns` finds the answers in a file, `matching` the
test text of each, `other` makes of both what is compared.
"""
