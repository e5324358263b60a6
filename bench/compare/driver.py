"""Drives the Python bindings of YARA-X (module yara_x) or libyara (module yara).

The protocol, which any other engine may speak to take part (-peer NAME=PROGRAM):

  PROGRAM version                                   print one line
  PROGRAM compile OUT FILES...                      compile, each file in its own namespace
  PROGRAM scan COMPILED TARGET THREADS [offsets]    scan a file, or the regular files of a tree

A scan prints "RULE PATH" for each rule that matches, and with offsets, under it,
"0xOFFSET:LENGTH:$id" for each match. More threads are processes here: neither
binding loses time to Python's lock that way.
"""

import importlib
import os
import sys

EXTERNALS = ["filename", "filepath", "extension", "filetype", "owner"]


def compile_yara_x(module, out, files):
    compiler = module.Compiler(relaxed_re_syntax=True)
    for name in EXTERNALS:
        compiler.define_global(name, "")
    for path in files:
        compiler.new_namespace(path)
        compiler.add_source(read(path))
    with open(out, "wb") as f:
        compiler.build().serialize_into(f)


def compile_yara(module, out, files):
    rules = module.compile(filepaths={p: p for p in files}, externals=dict.fromkeys(EXTERNALS, ""))
    rules.save(out)


def scan_yara_x(module, compiled, paths, offsets):
    with open(compiled, "rb") as f:
        scanner = module.Scanner(module.Rules.deserialize_from(f))
    scanner.console_log(lambda line: None)
    for path in paths():
        try:
            rules = scanner.scan_file(path).matching_rules
        except module.ScanError as e:
            print(f"{path}: {e}", file=sys.stderr)
            continue
        for rule in rules:
            print(rule.identifier, path)
            for pattern in rule.patterns if offsets else ():
                for m in pattern.matches:
                    print(f"{m.offset:#x}:{m.length}:{pattern.identifier}")


def scan_yara(module, compiled, paths, offsets):
    rules = module.load(compiled)
    for path in paths():
        try:
            matches = rules.match(path, console_callback=lambda line: None)
        except module.Error as e:
            print(f"{path}: {e}", file=sys.stderr)
            continue
        for match in matches:
            print(match.rule, path)
            for string in match.strings if offsets else ():
                for m in string.instances:
                    print(f"{m.offset:#x}:{m.matched_length}:{string.identifier}")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def files_of(target):
    if not os.path.isdir(target):
        yield target
        return
    for top, _, names in os.walk(target):
        for name in names:
            yield os.path.join(top, name)


def scan(kind, module, compiled, target, threads, offsets=""):
    """Scans in as many processes as threads, each with every so-manieth file."""
    count, children, part = int(threads), [], 0
    for part in range(count):
        if part == count - 1:
            break
        child = os.fork()
        if child == 0:
            break
        children.append(child)
    mine = lambda: (p for i, p in enumerate(files_of(target)) if i % count == part)
    globals()["scan_" + kind](module, compiled, mine, offsets)
    sys.stdout.flush()
    if part < count - 1:
        os._exit(0)
    sys.exit(any(os.waitpid(child, 0)[1] for child in children))


def main(kind, verb, *args):
    module = importlib.import_module(kind)
    if verb == "version":
        version = getattr(module, "__version__", "")
        if not version:
            version = importlib.import_module("importlib.metadata").version("yara-x")
        print(version)
    elif verb == "compile":
        globals()["compile_" + kind](module, args[0], args[1:])
    else:
        scan(kind, module, *args)


main(*sys.argv[1:])
