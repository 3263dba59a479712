"""A pre-trained transformer beside the twins: how far a far larger model gets.

`asked` is what was asked for, `files` finds and checks the encoder's files, `encoder`
opens it, `train` fits it to a data set, and `trial` is all that in a process of its
own, which leaves its answers in a folder.
"""
