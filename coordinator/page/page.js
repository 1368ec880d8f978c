"use strict";

const PARTS = ["queue_wait", "ipc_transfer", "tokenization", "return"];
const COLUMNS = [["mean", "mean"], ["p50", "p50"], ["p90", "p90"], ["p99", "p99"], ["p999", "p99.9"], ["max", "max"]];
const BARS = COLUMNS.slice(0, 5);
const kind = key => (["p90", "p999", "count"].includes(key) ? "minor" : "major"); // which a phone has no room for
const PERIOD_MS = 1000, LIMIT_MS = 4000, KEPT = 300, SPARK = 60, SHOWN_TOKENS = 400, TYPING_MS = 250;

const $ = id => document.getElementById(id);
const chosen = name => document.querySelector(`input[name="${name}"]:checked`).value;
const us = (set, part, what) => set[`${part}_${what}_us`];
const sum = numbers => numbers.reduce((a, b) => a + b, 0);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function draw(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// --- Numbers

const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const tenth = new Intl.NumberFormat("en", {minimumFractionDigits: 1, maximumFractionDigits: 1});
const micro = value => (value < 1000 ? tenth : whole).format(value);

function short(value) {
  if (value >= 1e6) return `${tenth.format(value / 1e6)} M`;
  return (value < 100 && value % 1 ? tenth : whole).format(value);
}

function span(seconds) {
  const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24, minutes = Math.floor(seconds / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  const rest = Math.floor(seconds) % 60;
  return minutes ? `${minutes} min${rest ? ` ${rest} s` : ""}` : `${rest} s`;
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// --- State: said once when it changes, so that nobody is read the same words every second.

let lostSince = null;

function setState(state, text) {
  const node = $("state");
  node.dataset.state = state;
  say(node, text);
  $("main").toggleAttribute("data-stale", state === "lost");
}

function showState(now) {
  lostSince = null;
  if (now.draining) setState("draining", "draining: it finishes what it has and takes no more");
  else if (now.workers_ready === 0) setState("down", "no worker is ready");
  else setState("live", "live");
  say($("facts"), `up ${span(now.uptime_ms / 1000)} · ${now.client_count} ${now.client_count === 1 ? "client" : "clients"}`);
}

function showLoss(error) {
  lostSince ??= new Date();
  const why = error.name === "TimeoutError" ? "no answer within 4 s" : "no answer";
  setState("lost", `${why} since ${lostSince.toLocaleTimeString("en-GB")}; the figures are from before`);
}

// --- Figures of the moment

function rates(now, before) {
  const seconds = (now.at - before.at) / 1000;
  const rate = name => Math.max(0, now[name] - before[name]) / seconds;
  return {tokens: rate("tokens_total"), bytes: rate("bytes_total"), documents: rate("documents_total"), requests: rate("requests_total")};
}

function showNow(now, rate) {
  if (rate) {
    say($("tokens-rate"), short(rate.tokens));
    say($("bytes-rate"), tenth.format(rate.bytes / 1e6));
    say($("documents-rate"), short(rate.documents));
    say($("requests-rate"), short(rate.requests));
  }
  say($("queue-depth"), whole.format(now.queue_depth));
  say($("in-flight"), whole.format(now.batches_in_flight));
  say($("workers-ready"), `${now.workers_ready} of ${now.workers.length}`);
  say($("refused"), whole.format(now.batches_refused_total));
  $("workers-ready").classList.toggle("alarm", now.workers_ready < now.workers.length);
}

// --- Latency

function buildLatency() {
  $("legend").append(...PARTS.map(part => make("li", {}, make("span", {class: `swatch ${part}`}), part)));
  for (const [key, name] of BARS) {
    const bar = make("div", {class: "bar", "data-row": key}, ...PARTS.map(part => make("i", {class: part, "data-part": part})));
    $("bars").append(make("span", {class: "name"}, name), bar, make("span", {class: "total"}));
  }
  $("latency").tHead.rows[0].append(...[...COLUMNS, ["count", "count"]].map(([key, name]) => make("th", {scope: "col", class: kind(key)}, name)));
  for (const part of [...PARTS, "sum"]) {
    const swatch = part === "sum" ? [] : [make("span", {class: `swatch ${part}`})];
    const row = make("tr", {}, make("th", {scope: "row"}, ...swatch, part === "sum" ? "sum of the means" : part));
    row.append(...[...COLUMNS, ["count"]].map(([key]) => make("td", {class: kind(key)})));
    row.classList.toggle("sum", part === "sum");
    $("latency").tBodies[0].append(row);
  }
}

function showBars(set) {
  const totals = BARS.map(([key]) => sum(PARTS.map(part => us(set, part, key))));
  const largest = Math.max(...totals);
  const isShare = chosen("scale") === "share";
  document.querySelectorAll("#bars .bar").forEach((bar, i) => {
    const scale = isShare ? totals[i] : largest;
    for (const piece of bar.children) {
      const value = us(set, piece.dataset.part, BARS[i][0]);
      piece.style.width = scale > 0 ? `${100 * value / scale}%` : "0";
      piece.title = `${piece.dataset.part} ${BARS[i][1]}: ${micro(value)} µs`;
    }
    say(bar.nextElementSibling, `${micro(totals[i])} µs`);
  });
  say($("latency-said"), `Stacked bars of queue_wait, ipc_transfer, tokenization and return. The table behind them has the same figures.`);
}

function showLatency(now) {
  const set = now.windows[chosen("window")];
  showBars(set);
  const rows = $("latency").tBodies[0].rows;
  PARTS.forEach((part, i) => {
    const count = set[`${part}_count`];
    COLUMNS.forEach(([key], column) => say(rows[i].cells[column + 1], count ? micro(us(set, part, key)) : "–"));
    say(rows[i].cells[COLUMNS.length + 1], whole.format(count));
  });
  say(rows[PARTS.length].cells[1], micro(sum(PARTS.map(part => us(set, part, "mean")))));
}

// --- Over time, kept here: a reload forgets it

const kept = [];

function keep(now, rate) {
  const set = now.windows["10s"];
  const sample = {at: now.at, clock: new Date(), tokens: rate.tokens, waiting: now.queue_depth, p99: us(set, "tokenization", "p99")};
  for (const key of ["mean", "p50", "p99"]) sample[key === "p99" ? "parts_p99" : key] = PARTS.map(part => us(set, part, key));
  kept.push(sample);
  while (kept.length > KEPT || now.at - kept[0].at > KEPT * PERIOD_MS) kept.shift();
}

// The right edge is the last answer, the left one a minute before it, and later up to five.
const ageOf = sample => (kept[kept.length - 1].at - sample.at) / 1000;
const shownSeconds = () => Math.max(60, ageOf(kept[0]));
const x = sample => (300 * (1 - ageOf(sample) / shownSeconds())).toFixed(2);
const y = (value, top) => (100 - 98 * (top > 0 ? value / top : 0)).toFixed(2);

function drawArea(chart, className, lower, upper, top) {
  const points = [...kept.map((sample, i) => `${x(sample)},${y(upper[i], top)}`), ...kept.map((sample, i) => `${x(sample)},${y(lower[i], top)}`).reverse()];
  chart.append(draw("polygon", {class: className, points: points.join(" ")}));
}

function drawLatency() {
  const chart = $("latency-chart"), key = chosen("over") === "p99" ? "parts_p99" : chosen("over");
  const top = Math.max(...kept.map(sample => sum(sample[key])));
  chart.querySelectorAll("polygon").forEach(node => node.remove());
  let lower = kept.map(() => 0);
  PARTS.forEach((part, i) => {
    const upper = lower.map((value, at) => value + kept[at][key][i]);
    drawArea(chart, part, lower, upper, top);
    lower = upper;
  });
  say($("latency-top"), `top ${micro(top)} µs`);
}

function drawTokens() {
  const chart = $("tokens-chart"), top = Math.max(...kept.map(sample => sample.tokens)), values = kept.map(sample => sample.tokens);
  chart.replaceChildren();
  drawArea(chart, "area", kept.map(() => 0), values, top);
  chart.append(draw("polyline", {class: "line", points: kept.map((sample, i) => `${x(sample)},${y(values[i], top)}`).join(" ")}));
  say($("tokens-top"), `top ${short(top)}`);
}

function showHistory() {
  const rows = [];
  for (let i = kept.length - 1; i >= 0; i -= 10) {
    const {clock, mean, p99, tokens, waiting} = kept[i];
    rows.push(make("tr", {}, make("th", {scope: "row"}, clock.toLocaleTimeString("en-GB")),
      ...[micro(sum(mean)), micro(p99), short(tokens), whole.format(waiting)].map(text => make("td", {}, text))));
  }
  $("history").tBodies[0].replaceChildren(...rows);
}

function showOverTime() {
  if (kept.length < 2) return;
  drawLatency();
  drawTokens();
  say($("axis-from"), `−${span(Math.round(shownSeconds()))}`);
  if ($("history").closest("details").open) showHistory();
}

// --- Workers

const sparks = new Map();

function buildWorker(worker) {
  const spark = draw("svg", {class: "spark", viewBox: `0 0 ${SPARK} 10`, preserveAspectRatio: "none", "aria-hidden": "true"});
  spark.append(draw("polyline", {}));
  const meter = make("div", {class: "meter"}, make("span", {}, make("i")), make("b"));
  const row = make("tr", {"data-worker": worker.worker}, make("th", {scope: "row"}, String(worker.worker)), make("td"), make("td", {class: "wide"}, meter), make("td", {class: "minor"}, spark));
  for (const minor of [false, false, true, true, false, true, true, true, true]) row.append(make("td", {class: minor ? "minor" : "major"}));
  return row;
}

function drawSpark(row, worker) {
  const past = sparks.get(worker.worker) ?? [];
  past.push(worker.utilization);
  if (past.length > SPARK) past.shift();
  sparks.set(worker.worker, past);
  const points = past.map((value, i) => `${SPARK - past.length + i},${(9.5 - 9 * value).toFixed(2)}`);
  row.querySelector("polyline").setAttribute("points", points.join(" "));
}

function showWorker(row, worker, before, seconds) {
  const rate = name => before ? Math.max(0, worker[name] - before[name]) / seconds : 0;
  const looked = worker.cache_hits + worker.cache_misses, recent = worker.windows["10s"];
  row.querySelector(".meter i").style.width = `${100 * worker.utilization}%`;
  say(row.querySelector(".meter b"), `${whole.format(100 * worker.utilization)} %`);
  say(row.cells[1], worker.ready ? "ready" : "down");
  row.cells[1].classList.toggle("off", !worker.ready);
  const texts = [whole.format(worker.queue_depth), short(rate("tokens")), tenth.format(rate("bytes") / 1e6),
    ...["p50", "p99"].map(key => recent.tokenization_count ? micro(us(recent, "tokenization", key)) : "–"), looked ? `${whole.format(100 * worker.cache_hits / looked)} %` : "–",
    worker.cpu > 65535 ? "any" : String(worker.cpu), String(worker.pid), String(worker.restarts)];
  texts.forEach((text, i) => say(row.cells[4 + i], text));
}

function showWorkers(now, before) {
  const body = $("workers").tBodies[0];
  if (body.rows.length !== now.workers.length) body.replaceChildren(...now.workers.map(buildWorker));
  now.workers.forEach((worker, i) => {
    showWorker(body.rows[i], worker, before?.workers[i], before ? (now.at - before.at) / 1000 : 1);
    drawSpark(body.rows[i], worker);
  });
}

// --- Tokenizers

let knownTokenizers = "";

function showTokenizers(tokenizers) {
  const known = JSON.stringify(tokenizers);
  if (known === knownTokenizers) return;
  knownTokenizers = known;
  $("tokenizers").tBodies[0].replaceChildren(...tokenizers.map(tokenizer => make("tr", {}, make("th", {scope: "row"}, tokenizer.name), make("td", {}, tenth.format(tokenizer.image_bytes / 1e6)))));
  const model = $("model").value;
  $("model").replaceChildren(...tokenizers.map(tokenizer => make("option", {}, tokenizer.name)));
  if (tokenizers.some(tokenizer => tokenizer.name === model)) $("model").value = model;
}

// --- Text to tokens

let typing = null, asked = 0;

// What is between two places in a text, in characters as offsets count them: code points, of which
// JavaScript's strings have one or two units each.
const between = (characters, start, stop) => characters.slice(start, stop).join("");
const visible = text => text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·");

function tokenNode(token, text) {
  const place = token.start === null ? "added" : `${token.start}–${token.stop}`;
  return make("li", {"data-id": token.id, ...(token.special ? {class: "special"} : {})}, make("b", {}, visible(text)), make("small", {}, String(token.id)), make("small", {}, place));
}

function showTokens(tokens, characters) {
  let reached = 0;
  const shown = tokens.slice(0, SHOWN_TOKENS).map(token => {
    if (token.special || token.start === null) return [token, token.text];
    // Several tokens of one character say so: the first has its text, the others continue it.
    const text = token.stop > reached ? between(characters, token.start, token.stop) : "…";
    reached = Math.max(reached, token.stop);
    return [token, text];
  });
  $("tokens").replaceChildren(...shown.map(([token, text]) => tokenNode(token, text)));
  if (tokens.length > SHOWN_TOKENS) $("tokens").append(make("li", {class: "more"}, `and ${whole.format(tokens.length - SHOWN_TOKENS)} more`));
  $("tokens-table").tBodies[0].replaceChildren(...shown.map(([token, text], i) => make("tr", {}, make("th", {scope: "row"}, String(i)),
    ...[token.id, visible(text), token.start ?? "–", token.stop ?? "–"].map(cell => make("td", {}, String(cell))))));
  sayCount(`${whole.format(tokens.length)} ${tokens.length === 1 ? "token" : "tokens"}, ${whole.format(characters.length)} characters`, false);
}

function sayCount(text, isBad) {
  $("count").classList.toggle("bad", isBad);
  say($("count"), text);
}

function askForToken() {
  for (const id of ["token", "token-label", "token-why"]) $(id).hidden = false;
}

async function ask(text) {
  const headers = {"Content-Type": "application/json"};
  if ($("token").value) headers.Authorization = `Bearer ${$("token").value}`;
  const body = JSON.stringify({inputs: text, model: $("model").value, add_special_tokens: $("special").checked});
  const answer = await fetch("/tokenize", {method: "POST", headers, body, signal: AbortSignal.timeout(LIMIT_MS)});
  const json = await answer.json();
  if (answer.status === 401) askForToken();
  if (!answer.ok) throw new Error(answer.status === 429 ? "the cluster is overloaded; type on to try again" : json.error);
  return json[0];
}

async function tokenize() {
  // A half of a pair, as it stands while an emoji is typed, is no text.
  const text = $("text").value.toWellFormed?.() ?? $("text").value, mine = ++asked;
  if (text === "") {
    $("tokens").replaceChildren();
    $("tokens-table").tBodies[0].replaceChildren();
    return sayCount("", false);
  }
  try {
    const tokens = await ask(text);
    if (mine === asked) showTokens(tokens, Array.from(text));
  } catch (error) {
    if (mine === asked) sayCount(error instanceof TypeError ? "no answer from the cluster" : error.message, true);
  }
}

function type() {
  clearTimeout(typing);
  typing = setTimeout(tokenize, TYPING_MS);
}

// --- The turn

let last = null;

function show(now) {
  const rate = last && now.at > last.at && now.uptime_ms >= last.uptime_ms ? rates(now, last) : null;
  showState(now);
  showNow(now, rate);
  showLatency(now);
  showWorkers(now, rate ? last : null);
  showTokenizers(now.tokenizers);
  if (rate) keep(now, rate);
  showOverTime();
  last = now;
}

async function look() {
  try {
    const answer = await fetch("/debug/latency", {signal: AbortSignal.timeout(LIMIT_MS)});
    if (!answer.ok) throw new Error(String(answer.status));
    const now = await answer.json();
    now.at = performance.now();
    show(now);
  } catch (error) {
    showLoss(error);
  }
}

async function turn() {
  if (!document.hidden) await look();
  setTimeout(turn, PERIOD_MS);
}

buildLatency();
for (const input of document.querySelectorAll(".choice input")) input.addEventListener("change", () => last && (showLatency(last), showOverTime()));
$("history").closest("details").addEventListener("toggle", showHistory);
$("form").addEventListener("submit", event => event.preventDefault());
for (const id of ["text", "token"]) $(id).addEventListener("input", type);
for (const id of ["model", "special"]) $(id).addEventListener("change", tokenize);
turn();
