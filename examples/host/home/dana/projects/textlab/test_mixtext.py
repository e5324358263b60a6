# Unit test data of a development project.
assert "BinStore enabled implants.".split()[0] == "BinStore"
