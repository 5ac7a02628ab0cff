"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const tasks = new Map(data.tasks.map((task) => [task.name, task]));
const element = (id) => document.getElementById(id);

function add(parent, tag, text = "", className = "") {
  const child = parent.appendChild(document.createElement(tag));
  child.textContent = text;
  child.className = className;
  return child;
}

const percent = (share) => (100 * share).toFixed(Math.abs(share) < 0.1 ? 2 : Math.abs(share) < 1 ? 1 : 0) + " %";
const signed = (share) => (share > 0 ? "+" : "") + percent(share).replace("-", "−");
const digits = (count) => (value) => Number(value.toPrecision(count)).toLocaleString("en", { maximumSignificantDigits: count });
const fixed = (count) => (value) => value.toFixed(count);
const interval = (row) => row.gap_low === null ? null : signed(row.gap_low) + " to " + signed(row.gap_high);

// name, value to sort by (null: none), how to show it, title
const COLUMNS = [
  ["Policy", (row) => row.policy, null, "Name of the entry point"],
  ["Environment", (row) => row.env, null, "Id for gym.make"],
  ["K", (row) => row.of.num_users, String, "Number of users"],
  ["N", (row) => row.of.num_subcarriers, String, "Number of subcarriers"],
  ["Motion", (row) => row.of.motion, null, "static: independent blocks; mobile: correlated ones"],
  ["Users", (row) => row.of.users, null, "equal or unequal tasks and processors"],
  ["Gap", (row) => row.gap, signed, "Mean gap to the reference of the task"],
  ["95 % interval", (row) => row.gap_low, (value, row) => interval(row), "Bootstrap over networks"],
  ["p95 gap", (row) => row.gap_p95, signed, "95th percentile of the gaps of blocks"],
  ["Decision ms", (row) => row.decision_ms, digits(3), "For one block, median"],
  ["Training s", (row) => row.training_s, digits(3), "Time of training"],
  ["Steps", (row) => row.training_steps, digits(4), "Steps of training"],
  ["Mean ms", (row) => row.mean_ms, digits(4), "Largest latency of the users, mean over blocks"],
  ["p95 ms", (row) => row.p95_ms, digits(4), "Its 95th percentile"],
  ["Gini", (row) => row.gini, fixed(3), "Inequality of the users' latencies"],
  ["Misses", (row) => row.deadline_misses, percent, "Blocks in which a deadline was missed"],
  ["Capped", (row) => row.capped, percent, "Blocks in which a rate was raised to the floor"],
  ["Power W", (row) => row.power_w, digits(3), "Of all users"],
  ["At 256", (row) => row.batch_decision_ms, digits(3), "ms per block for 256 networks at once"],
  ["Networks", (row) => row.topologies, String, "Networks it was measured on"],
];
const REASON = COLUMNS.findIndex(([name]) => name === "Gap");

const rows = data.tasks.flatMap((task) => [
  ...data.summary.filter((row) => row.task === task.name).map((row) => ({ ...row, of: task })),
  ...Object.entries(task.left_out).map(([policy, reason]) => (
    { env: task.env, task: task.name, of: task, policy, reason })),
]);
let order = { column: -1, direction: 1 };

function compare(one, other) {
  const value = COLUMNS[order.column][1];
  const [a, b] = [value(one) ?? null, value(other) ?? null];
  if (a === null || b === null) return (a === null) - (b === null); // what is missing comes last
  return order.direction * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
}

function chosen(row) {
  const [env, task, policy] = ["env", "task", "policy"].map((name) => element("filter-" + name).value);
  return (!env || row.env === env)
    && (!task || row.task === task || (task === "headlines" && row.of.headline))
    && (!policy || row.policy === policy)
    && (!row.reason || element("filter-left-out").checked);
}

function showTable() {
  const shown = rows.filter(chosen);
  if (order.column >= 0) shown.sort(compare);
  const body = document.createElement("tbody");
  for (const row of shown) {
    const line = add(body, "tr");
    if (row.policy === row.of.reference) line.className = "reference";
    if (row.reason) line.className = "left-out";
    COLUMNS.forEach(([, value, show], index) => {
      const raw = value(row) ?? null;
      const text = raw === null ? "–" : show === null ? raw : show(raw, row);
      if (row.reason && index > REASON) return;
      const cell = add(line, "td", row.reason && index === REASON ? "left out: " + row.reason : text);
      if (show === null || (row.reason && index === REASON)) cell.className = "text";
      if (row.reason && index === REASON) cell.colSpan = COLUMNS.length - REASON;
    });
  }
  document.querySelector("#table tbody").replaceWith(body);
  element("count").textContent = `${shown.length} of ${rows.length} rows; the reference of each task in bold`;
}

function showHeader() {
  const header = document.querySelector("#table thead tr");
  COLUMNS.forEach(([name, , show, title], index) => {
    const cell = add(header, "th", "", show === null ? "text" : "");
    cell.scope = "col";
    const button = add(cell, "button", name);
    button.title = title + "; click to sort";
    button.addEventListener("click", () => {
      order = { column: index, direction: order.column === index ? -order.direction : 1 };
      for (const other of header.children) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", order.direction > 0 ? "ascending" : "descending");
      showTable();
    });
  });
}

function options(id, entries, change) {
  for (const [value, text] of entries) add(element(id), "option", text).value = value;
  element(id).addEventListener("change", change);
}

const COLOURS = ["#2a86cc", "#e0631e", "#14a076", "#d07fb0", "#d99a00", "#4fb3e8", "#9a7fd1", "#b07d2b", "#7f8c8d"];
const DASHES = ["solid", "dash", "dot"];
const policies = [...new Set(rows.map((row) => row.policy))];

const TICKS = [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 2, 3, 5], [1, 3], [1]];

// Numbers for the ticks of a logarithmic axis; Plotly's own show digits without their power of ten.
function ticks(low, high, narrow) {
  const decades = Math.log10(high / low);
  const steps = TICKS[Math.min((decades > 0.7) + (decades > 1.5) + (decades > 3) + narrow, TICKS.length - 1)];
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const step of steps) found.push(Number((step * 10 ** power).toPrecision(3)));
  return found;
}

function showCdf() {
  const task = tasks.get(element("cdf-task").value);
  const style = getComputedStyle(document.documentElement);
  const [ink, line, ground] = ["--ink", "--line", "--ground"].map((name) => style.getPropertyValue(name).trim());
  const curves = Object.entries(data.latencies_ms[task.name]).map(([name, values]) => {
    const index = policies.indexOf(name);
    return {
      name, x: [values[0], ...values], y: [0, ...values.map((_, at) => (at + 1) / values.length)],
      mode: "lines",
      line: {
        shape: "hv", color: COLOURS[index % COLOURS.length], width: name === task.reference ? 3 : 1.8,
        dash: DASHES[Math.floor(index / COLOURS.length) % DASHES.length],
      },
      hovertemplate: "%{y:.1%} of blocks below %{x:.4g} ms<extra>%{fullData.name}</extra>",
    };
  });
  const deadline = task.deadline_ms === null ? [] : [{
    name: "deadline", x: [task.deadline_ms, task.deadline_ms], y: [0, 1], mode: "lines", hoverinfo: "name",
    line: { color: ink, width: 1, dash: "dash" },
  }];
  const narrow = window.innerWidth < 700;
  const all = curves.flatMap((curve) => curve.x);
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
  const tickvals = ticks(low, high, narrow);
  const axis = { automargin: true, gridcolor: line, linecolor: line, zeroline: false };
  Plotly.react("cdf", [...curves, ...deadline], {
    paper_bgcolor: ground, plot_bgcolor: ground, font: { color: ink, family: "system-ui, sans-serif" },
    margin: { l: 60, r: 20, t: 20, b: 55 }, hovermode: "closest",
    xaxis: { ...axis, type: "log", title: { text: "largest latency of a block (ms)", standoff: 8 },
      tickvals, ticktext: tickvals.map((value) => value.toLocaleString("en")) },
    yaxis: { ...axis, range: [0, 1.01], tickformat: ".0%", title: { text: "share of blocks" } },
    legend: narrow ? { orientation: "h", y: -0.25 } : {},
  }, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud"] });
}

function showCircumstances() {
  const suite = data.suite ? `league table, suite ${data.suite}` : "benchmark";
  element("title").textContent = document.title = `mec-cf-gym ${suite}`;
  const networks = new Set(data.tasks.map((task) => task.seeds[1] - task.seeds[0] + 1));
  const [least, most] = [Math.min(...networks), Math.max(...networks)];
  const many = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
  element("what").textContent = `${many(data.tasks.length, "task")}, `
    + `${many(new Set(data.summary.map((row) => row.policy)).size, "policy").replace("policys", "policies")}, `
    + (least === most ? many(most, "network") : `${least} to ${most} networks`) + " a task that nobody trained on.";
  const versions = Object.entries(data.versions).map((pair) => pair.join(" ")).join(", ");
  const machine = `${data.machine.processor}, ${many(data.machine.cores, "core")}, ${data.machine.platform}`;
  const facts = { Command: data.command, Machine: machine, Workers: data.workers, Versions: versions };
  for (const [name, value] of Object.entries(facts)) {
    add(element("circumstances"), "dt", name);
    add(element("circumstances"), "dd", value);
  }
  for (const task of data.tasks) {
    const out = Object.entries(task.left_out).map(([policy, reason]) => `${policy} (${reason})`).join(", ");
    const text = `reference ${task.reference}, seeds ${task.seeds.join(" to ")}, ${many(task.blocks, "block")} each.`;
    const item = add(element("tasks"), "li");
    add(item, "strong", task.name + ": ");
    item.append([text, task.remark, out && `Left out: ${out}.`].filter(Boolean).join(" "));
  }
}

const named = (names) => names.map((name) => [name, name]);
const headlines = data.tasks.filter((task) => task.headline).length;
const groups = headlines < data.tasks.length ? [["headlines", `the summary's ${headlines}`]] : [];
showCircumstances();
showHeader();
options("filter-env", [["", "all"], ...named([...new Set(data.tasks.map((task) => task.env))])], showTable);
options("filter-task", [...groups, ["", `all ${data.tasks.length}`], ...named([...tasks.keys()])], showTable);
options("filter-policy", [["", "all"], ...named([...policies].sort())], showTable);
options("cdf-task", named([...tasks.keys()]), showCdf);
element("filter-left-out").addEventListener("change", showTable);
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showCdf);
showTable();
showCdf();
