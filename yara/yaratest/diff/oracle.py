"""Answers each line of JSON {rules: [text], data: [base64], vars} with a line
{"Refused": why} or {"Scans": [{"Failed": why} or {"Rules", "Matches"}]} for
each of the rules. The first argument names the module: yara or yara_x."""
import base64
import json
import os
import re
import sys
import warnings

warnings.simplefilter("ignore")

# Neither module tells which patterns are private, and both show them.
RULE = re.compile(r"^\s*(?:(?:global|private)\s+)*rule\s+(\w+)", re.M)
PRIVATE = re.compile(r"^\s*(\$\w*)\s*=.*\bprivate\b", re.M)


def hidden(text):
    heads = list(RULE.finditer(text))
    ends = [h.start() for h in heads[1:]] + [len(text)]
    return {(h.group(1), p) for h, end in zip(heads, ends) for p in PRIVATE.findall(text[h.end():end])}


def told(secret, matching):
    rules, matches = [], []
    for rule, patterns in matching:
        rules.append(rule)
        for name, found in patterns:
            if (rule, name) not in secret:
                matches += [{"Rule": rule, "Pattern": name, "Offset": o, "Length": n} for o, n in found]
    return {"Rules": rules, "Matches": matches}


def with_yara(text, variables):
    import yara
    rules = yara.compile(source=text, externals=variables)

    def scan(data):
        return [(m.rule, [(s.identifier, [(x.offset, x.matched_length) for x in s.instances]) for s in m.strings])
                for m in rules.match(data=data, timeout=60)]
    return scan


def with_yara_x(text, variables):
    import yara_x
    compiler = yara_x.Compiler()
    for name, value in variables.items():
        compiler.define_global(name, value)
    compiler.add_source(text)
    scanner = yara_x.Scanner(compiler.build())
    scanner.set_timeout(60)

    def scan(data):
        return [(m.identifier, [(p.identifier, [(x.offset, x.length) for x in p.matches]) for p in m.patterns])
                for m in scanner.scan(data).matching_rules]
    return scan


def answer(engine, text, data, variables):
    try:
        scan = engine(text, variables)
    except Exception as e:
        return {"Refused": str(e) or repr(e)}
    scans = []
    secret = hidden(text)
    for d in data:
        try:
            scans.append(told(secret, scan(d)))
        except Exception as e:
            scans.append({"Failed": str(e) or repr(e)})
    return {"Scans": scans}


out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # the modules may write to the standard output themselves
engine = {"yara": with_yara, "yara_x": with_yara_x}[sys.argv[1]]
for line in sys.stdin:
    q = json.loads(line)
    data = [base64.b64decode(d or "") for d in q["data"]]
    for text in q["rules"]:
        print(json.dumps(answer(engine, text, data, q["vars"])), file=out, flush=True)
