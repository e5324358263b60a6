"""Answers each line of JSON {Module, Data: base64} with what YARA-X says of the
data: bytes and text as {"b": base64}, dates as seconds, constants by name."""
import base64
import datetime
import json
import sys

import yara_x


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, datetime.datetime):
        return int(v.timestamp())
    if isinstance(v, str):
        return {"b": base64.b64encode(v.encode("utf-8", "surrogatepass")).decode(), "text": v}
    if isinstance(v, bytes):
        return {"b": base64.b64encode(v).decode()}
    return v


for line in sys.stdin:
    ask = json.loads(line)
    try:
        said = plain(yara_x.Module(ask["Module"]).invoke(base64.b64decode(ask["Data"])))
    except ValueError:
        said = None
    print(json.dumps(said), flush=True)
