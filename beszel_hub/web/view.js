// Logs in, follows the feed and draws what it tells. Texts from outside are only ever set as text.

import {
  describeSystem, emptyFleet, levelOf, makeLines, readOpened, sortSystems, takeFrame, writeLoad, writePercent, writeRate,
  writeSummary,
} from "./fleet.js";

// The hub begins a folder above this file, wherever a proxy has put it and whatever page this is.
const BASE = new URL("..", import.meta.url);
const OPENED = readOpened(location.pathname, BASE.pathname);
const VIEW = OPENED === null ? "fleet" : "system";
const USERS = "api/collections/users";
const KEY = "beszel-token";
const LONGEST_WAIT_MS = 30000;
const SVG = "http://www.w3.org/2000/svg";

const find = (id) => document.getElementById(id);
let fleet = emptyFleet();
let socket = null;
let failures = 0;
let first = null; // the half of a login that is done
let isDrawing = false;

// The token ends with the tab, and no other page can ask for it.
const token = () => sessionStorage.getItem(KEY);

const post = async (path, body, headers = {}) => {
  const options = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) };
  const answer = await fetch(new URL(path, BASE), options);
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : {} };
};

const tell = (text, isLost = false) => {
  find("state").textContent = text;
  find("state").classList.toggle("lost", isLost);
  find(VIEW).classList.toggle("stale", isLost);
};

const showLogin = (text = "") => {
  sessionStorage.removeItem(KEY);
  fleet = emptyFleet();
  find("login").hidden = false;
  find(VIEW).hidden = find("leave").hidden = true;
  find("refusal").textContent = text;
  tell("");
  find("identity").focus();
};

const enter = (text) => {
  sessionStorage.setItem(KEY, text);
  first = null;
  failures = 0;
  find("login").reset();
  find("login").hidden = find("second").hidden = true;
  find(VIEW).hidden = find("leave").hidden = false;
  follow();
};

const logIn = async () => {
  if (find("token").value) return enter(find("token").value.trim());
  const answer = first ? await sendCode() : await sendPassword();
  if (answer.status === 200) return enter(answer.body.token);
  if (answer.status === 401 && answer.body.mfaId) return askForCode(answer.body.mfaId);
  find("refusal").textContent = answer.body.message || "That was not right.";
};

const sendPassword = () =>
  post(`${USERS}/auth-with-password`, { identity: find("identity").value, password: find("password").value });

const sendCode = () =>
  post(`${USERS}/auth-with-otp`, { otpId: first.otpId, password: find("code").value.trim(), mfaId: first.mfaId });

const askForCode = async (mfaId) => {
  const asked = await post(`${USERS}/request-otp`, { email: find("identity").value });
  if (asked.status !== 200) {
    find("refusal").textContent = asked.body.message;
    return;
  }
  first = { mfaId, otpId: asked.body.otpId };
  find("second").hidden = false;
  find("refusal").textContent = "A code is on its way to your mail.";
  find("code").focus();
};

const follow = () => {
  const address = new URL("api/beszel/feed", BASE);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  tell("connecting …", failures > 0);
  const mine = new WebSocket(address);
  socket = mine;
  mine.addEventListener("open", () => {
    mine.send(JSON.stringify({ type: "auth", token: token() }));
    mine.send(JSON.stringify({ type: "subscribe", topics: ["fleet", "alerts"] }));
  });
  mine.addEventListener("message", (event) => mine === socket && take(JSON.parse(event.data)));
  mine.addEventListener("close", () => mine === socket && again());
};

const take = (frame) => {
  if (frame.type === "error" && frame.code === "unauthorized") {
    socket = null;
    return showLogin("Your login has ended.");
  }
  if (frame.type === "resync") return socket.close(); // everything comes anew with the next connection
  if (frame.type === "fleet" && failures >= 0) {
    failures = 0;
    tell("live");
  }
  takeFrame(fleet, frame);
  if (!isDrawing) {
    isDrawing = true;
    requestAnimationFrame(draw);
  }
};

// Later each time, and not all browsers at once.
const again = () => {
  failures += 1;
  const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
  tell(`connection lost; again in ${Math.ceil(wait / 1000)} s`, true);
  const trails = fleet.trails;
  fleet = { ...emptyFleet(), trails };
  setTimeout(() => token() && follow(), wait);
};

const cell = (text, ...classes) => {
  const made = document.createElement("td");
  made.textContent = text;
  made.classList.add(...classes.filter(Boolean));
  return made;
};

const spark = (trail) => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 -3 100 106");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  for (const points of makeLines(trail)) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", points);
    svg.append(line);
  }
  return svg;
};

const sparkCell = (trail) => {
  const made = document.createElement("td");
  made.append(spark(trail));
  return made;
};

const linkTo = (system) => {
  const made = document.createElement("a");
  made.href = new URL(`system/${encodeURIComponent(system.id)}`, BASE);
  made.textContent = system.name;
  return made;
};

const drawSystem = (system) => {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.append(linkTo(system));
  name.title = system.host || "";
  row.append(
    name, cell(system.status, system.status), cell(writePercent(system.cpu_percent), "number", levelOf(system.cpu_percent)),
    sparkCell(fleet.trails.get(system.id) || []),
    cell(writePercent(system.memory_percent), "number", levelOf(system.memory_percent)),
    cell(writePercent(system.disk_percent), "number", levelOf(system.disk_percent)),
    cell(writeRate(system.recv_bytes_per_second), "number"), cell(writeRate(system.sent_bytes_per_second), "number"),
    cell(writeLoad(system.load_average), "number"),
  );
  return row;
};

const drawAlert = (alert) => {
  const item = document.createElement("li");
  item.className = alert.severity;
  item.textContent = `${alert.severity}: ${alert.text || alert.name}${alert.acknowledged ? " (seen to)" : ""}`;
  return item;
};

const drawFact = ([label, text, level]) => {
  const term = document.createElement("dt");
  const told = document.createElement("dd");
  term.textContent = label;
  told.textContent = text;
  if (level) told.className = level;
  return [term, told];
};

const drawOpened = () => {
  const system = fleet.systems.get(OPENED);
  find("opened").hidden = !system;
  find("absent").hidden = Boolean(system) || !fleet.isTold;
  document.title = system ? `${system.name} – beszel` : "beszel";
  if (!system) return;
  find("name").textContent = system.name;
  find("status").textContent = find("status").className = system.status;
  find("warnings").replaceChildren(...[...fleet.alerts.values()].filter((one) => one.system === OPENED).map(drawAlert));
  find("trail").replaceChildren(spark(fleet.trails.get(OPENED) || []));
  find("facts").replaceChildren(...describeSystem(system).flatMap(drawFact));
};

const draw = () => {
  isDrawing = false;
  if (OPENED !== null) return drawOpened();
  drawFleet();
};

const drawFleet = () => {
  const systems = sortSystems(fleet.systems.values());
  find("rows").replaceChildren(...systems.map(drawSystem));
  find("alerts").replaceChildren(...[...fleet.alerts.values()].map(drawAlert));
  find("summary").textContent = writeSummary(systems);
  find("nothing").hidden = systems.length > 0;
};

const leave = async () => {
  const mine = socket;
  socket = null;
  await post("api/beszel/log-out", {}, { Authorization: token() }).catch(() => null);
  mine?.close();
  showLogin();
};

// Whom a proxy in front of the hub vouches for needs no form.
const begin = async () => {
  if (token()) return enter(token());
  const answer = await post(`${USERS}/auth-refresh`, {}).catch(() => ({ status: 0 }));
  return answer.status === 200 ? enter(answer.body.token) : showLogin();
};

find("all").href = BASE;
find("leave").addEventListener("click", leave);
find("login").addEventListener("submit", (event) => {
  event.preventDefault();
  find("refusal").textContent = "";
  logIn().catch(() => { find("refusal").textContent = "The hub does not answer; try again."; });
});
begin();
