# Text manipulation module of the made-up ansible package.
EXAMPLE = "BinStore enabled implants."
