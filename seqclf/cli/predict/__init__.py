"""`seqclf predict`: its options, where texts come from, and how answers are shown."""
