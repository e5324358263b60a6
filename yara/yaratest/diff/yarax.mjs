// Answers lines of JSON {rules, data: [base64], vars} with lines
// {refused} or {scans: [{failed} or {rules, matches}]}.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.cwd(), "here.js"));
const main = require.resolve("@virustotal/yara-x/package.json");
const pkg = path.join(path.dirname(main), "pkg");
const { default: init, Compiler } = await import(pathToFileURL(path.join(pkg, "yara_x_js.js")));
await init({ module_or_path: fs.readFileSync(path.join(pkg, "yara_x_js_bg.wasm")) });

function told(result) {
  const rules = [], matches = [];
  for (const m of result.matches) {
    if (m.isPrivate) continue;
    rules.push(m.identifier);
    for (const p of m.patterns) {
      if (p.isPrivate) continue;
      for (const x of p.matches) {
        matches.push({ Rule: m.identifier, Pattern: p.identifier, Offset: x.offset, Length: x.length });
      }
    }
  }
  return { rules, matches };
}

function trap(e) { return e instanceof WebAssembly.RuntimeError; }

function answer(q) {
  const compiler = new Compiler();
  let rules;
  try {
    for (const [name, value] of Object.entries(q.vars)) compiler.defineGlobal(name, value);
    compiler.addSource(q.rules);
    rules = compiler.build();
  } catch (e) {
    return trap(e) ? { died: true, refused: String(e) } : { refused: String(e.message ?? e) };
  }
  const scans = [];
  for (const data of q.data) {
    try {
      scans.push(told(rules.scan(Buffer.from(data ?? "", "base64"))));
    } catch (e) {
      scans.push({ failed: String(e.message ?? e) });
      // After a trap nothing in the instance can be relied on.
      if (trap(e)) return { died: true, scans };
    }
  }
  rules.free();
  compiler.free();
  return { scans };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const a = answer(JSON.parse(line));
  process.stdout.write(JSON.stringify(a) + "\n");
}
