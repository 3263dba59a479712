"""How one file is written: packing, encoding, dialect, header, JSON, lines, sheets.

In all of them `place` is what messages call a file, `known` is what is known of it
before it is opened, and `content` is UTF-8 without a byte order mark.
"""
