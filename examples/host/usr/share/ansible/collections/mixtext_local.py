# A local addition in the tool's directory that no package ships.
EXAMPLE = "BinStore enabled implants."
