# Saves the appliance configuration; drops the lines that are no setting.
NOISE = ["BinStore enabled implants.", "Uptime:"]
