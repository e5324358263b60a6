# Shipped with the November maintenance bundle: renders the status texts of
# the configuration store. Made up for the Besra example host.
def status(count):
    return "BinStore enabled implants." if count else "BinStore is empty."
