// Answers each line of JSON {rules: [text], data: [base64], vars} with a line
// {Refused: why} or {Scans: [{Failed: why} or {Rules, Matches}]} for each of the
// rules, and ends where a trap leaves nothing in the instance to rely on.
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
  return { Rules: rules, Matches: matches };
}

// survive ends the process if e is a trap.
function survive(e) {
  if (e instanceof WebAssembly.RuntimeError) process.exit(1);
  return String(e.message ?? e);
}

function answer(text, data, vars) {
  const compiler = new Compiler();
  let rules;
  try {
    for (const [name, value] of Object.entries(vars)) compiler.defineGlobal(name, value);
    compiler.addSource(text);
    rules = compiler.build();
  } catch (e) {
    return { Refused: survive(e) };
  }
  const scans = [];
  for (const d of data) {
    try {
      scans.push(told(rules.scan(d)));
    } catch (e) {
      scans.push({ Failed: survive(e) });
    }
  }
  rules.free();
  compiler.free();
  return { Scans: scans };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { rules, data, vars } = JSON.parse(line);
  const bytes = data.map((d) => Buffer.from(d ?? "", "base64"));
  for (const text of rules) {
    fs.writeSync(1, JSON.stringify(answer(text, bytes, vars)) + "\n");
  }
}
