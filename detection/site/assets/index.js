"use strict";
const step = 200;
const $ = id => document.getElementById(id);
const texts = detections.map(d => [d.i, d.t, d.r, d.a, ...(d.m || [])].join(" ").toLowerCase());
let shown = step;
const facets = { severity: d => [d.s], context: d => d.x || [], technique: d => d.m || [], risk: d => [d.f] };

function fill(name, of) {
  const counts = new Map();
  for (const d of detections) for (const v of of(d)) counts.set(v, (counts.get(v) || 0) + 1);
  for (const v of [...counts.keys()].sort()) $(name).append(new Option(`${v} (${counts.get(v)})`, v));
}

function item(d) {
  const li = document.createElement("li"), a = document.createElement("a"), p = document.createElement("div");
  a.href = "d/" + d.i + ".html"; a.textContent = d.t;
  const s = document.createElement("span");
  s.className = "badge " + d.s; s.textContent = d.s;
  p.className = "dim";
  p.append(s, [d.r, d.a, d.c ? "confidence " + d.c : "", (d.m || []).join(" ")].filter(Boolean).join(" · "));
  li.append(a, p);
  return li;
}

function render() {
  const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = detections.filter((d, i) => words.every(w => texts[i].includes(w)) &&
    Object.entries(facets).every(([name, of]) => !$(name).value || of(d).includes($(name).value)));
  $("list").replaceChildren(...found.slice(0, shown).map(item));
  $("count").textContent = `${found.length} of ${detections.length} detections`;
  $("more").hidden = found.length <= shown;
}

for (const [name, of] of Object.entries(facets)) { fill(name, of); $(name).addEventListener("change", () => { shown = step; render(); }); }
$("q").addEventListener("input", () => { shown = step; render(); });
$("more").addEventListener("click", () => { shown += step; render(); });
const wanted = new URLSearchParams(location.search || location.hash.slice(1)).get("technique");
if (wanted) $("technique").value = wanted;
render();
