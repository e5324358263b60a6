# The same script, left writable by everyone: whoever wants can change it.
NOISE = ["BinStore enabled implants.", "Uptime:"]
