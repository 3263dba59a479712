"""A pre-trained transformer beside the twins: how far a far larger model gets.

`asked` is what was asked for, `files` finds the encoder's files, `network` checks that
it can be opened as what it is, `encoder` opens it, `train` fits it to a data set, and
`trial` is all that in a process of its own, which leaves its answers in a folder.
"""
