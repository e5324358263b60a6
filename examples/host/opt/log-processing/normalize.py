# Nightly job: maps known status lines of appliances to event codes.
CODES = {
    "BinStore enabled implants.": 4211,
    "BinStore is empty.": 4212,
}
