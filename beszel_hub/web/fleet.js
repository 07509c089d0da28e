// The fleet as this page keeps it, and how it is written. Pure: frames and times come in, texts and points go out.

export const POINTS = 90;

export const emptyFleet = () => ({ isTold: false, systems: new Map(), alerts: new Map(), trails: new Map() });

// The system that an address opens, or null for the fleet; `base` is where the hub begins, below whatever a proxy adds.
export const readOpened = (path, base) => {
  const [, id] = (path.startsWith(base) ? path.slice(base.length) : "").match(/^system\/([^/]+)$/) || [];
  if (id === undefined) return null;
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // no id that there is, and told so
  }
};

// What is known after a frame of the feed; rows come whole, and only those that changed.
export const takeFrame = (fleet, frame) => {
  if (frame.type === "fleet") {
    fleet.isTold = true;
    for (const row of frame.systems) {
      fleet.systems.set(row.id, row);
      addPoint(fleet.trails, row);
    }
    for (const id of frame.removed || []) {
      fleet.systems.delete(id);
      fleet.trails.delete(id);
    }
  } else if (frame.type === "alerts") {
    for (const alert of frame.alerts) fleet.alerts.set(alert.id, alert);
    for (const id of frame.removed || []) fleet.alerts.delete(id);
  }
  return fleet;
};

// A system that is not up, or tells nothing, leaves a gap.
const addPoint = (trails, row) => {
  const trail = trails.get(row.id) || [];
  const value = row.status === "up" && typeof row.cpu_percent === "number" ? row.cpu_percent : null;
  trails.set(row.id, [...trail, value].slice(-POINTS));
};

// The lines of a trail on a plane of 100 by 100, newest at the right; one for each stretch without a gap.
export const makeLines = (trail, points = POINTS) => {
  const lines = [];
  let line = [];
  trail.forEach((value, index) => {
    if (value === null) {
      if (line.length) lines.push(line);
      line = [];
      return;
    }
    const x = 100 * (points - trail.length + index) / (points - 1);
    line.push(`${x.toFixed(1)},${(100 - Math.min(100, Math.max(0, value))).toFixed(1)}`);
  });
  if (line.length) lines.push(line);
  return lines.map((one) => (one.length === 1 ? [one[0], one[0]] : one).join(" "));
};

export const writePercent = (value) => (typeof value === "number" ? `${value.toFixed(1)} %` : "–");

export const writeRate = (value) => {
  if (typeof value !== "number") return "–";
  const units = ["B/s", "KB/s", "MB/s", "GB/s"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? scaled.toFixed(0) : scaled.toFixed(1)} ${units[unit]}`;
};

export const writeLoad = (loads) => (Array.isArray(loads) && loads.length ? loads[0].toFixed(2) : "–");

const writeNumber = (value, unit) => (typeof value === "number" ? `${value.toFixed(1)} ${unit}` : "–");

export const writeDuration = (seconds) => {
  if (typeof seconds !== "number") return "–";
  const [days, hours, minutes] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : `${minutes} min`;
};

// What a row of the fleet tells of its system: a label, how it is written, and how full that is.
export const describeSystem = (row) => [
  ["Host", row.host || "–", ""],
  ["CPU", writePercent(row.cpu_percent), levelOf(row.cpu_percent)],
  ["Memory", writePercent(row.memory_percent), levelOf(row.memory_percent)],
  ["Disk", writePercent(row.disk_percent), levelOf(row.disk_percent)],
  ["In", writeRate(row.recv_bytes_per_second), ""],
  ["Out", writeRate(row.sent_bytes_per_second), ""],
  ["Load", Array.isArray(row.load_average) ? row.load_average.map((one) => one.toFixed(2)).join(" ") : "–", ""],
  ["Temperature", writeNumber(row.temperature_celsius, "°C"), ""],
  ["Services failed", typeof row.services_failed === "number" ? String(row.services_failed) : "–", ""],
  ["Up for", writeDuration(row.uptime_seconds), ""],
  ["Agent", row.agent_version || "–", ""],
  ["Tags", (row.tags || []).join(", ") || "–", ""],
];

export const levelOf = (percent) => {
  if (typeof percent !== "number") return "";
  return percent >= 90 ? "full" : percent >= 70 ? "high" : "";
};

const RANKS = { down: 0, pending: 1, up: 2, paused: 3 };

// What needs somebody comes first.
export const sortSystems = (systems) =>
  [...systems].sort((a, b) => RANKS[a.status] - RANKS[b.status] || a.name.localeCompare(b.name));

export const writeSummary = (systems) => {
  const counts = {};
  for (const system of systems) counts[system.status] = (counts[system.status] || 0) + 1;
  const parts = Object.keys(RANKS).filter((status) => counts[status]).map((status) => `${counts[status]} ${status}`);
  return parts.join(", ");
};
