# Stands for the intruder's copy: right content, no excuse.
print("BinStore enabled implants.")
