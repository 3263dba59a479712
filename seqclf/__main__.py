"""`python -m seqclf` is `seqclf`."""

from seqclf.cli import main

if __name__ == "__main__":
    main()
