"""How one file is written: packing, encoding, dialect, header, JSON, lines, sheets."""
