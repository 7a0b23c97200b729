"""`python -m cellmodel`."""

from cellmodel.cli import main

main()
