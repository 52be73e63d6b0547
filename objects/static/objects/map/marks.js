// Marks: a ring by status with the number inside for many objects, a dot with a sign for one.
/* global L */

import { drawing, element } from "./dom.js";
import { isOverdue, labelOf, numberText, say, settings, shortText } from "./settings.js";

// Signs beside colours: who cannot tell the colours apart reads the signs.
const SIGNS = { NEW: "+", INTEREST: "★", CALLBACK: "☎", REJECTED: "×", DONE: "✓" };

export function dot(status, { overdue = false } = {}) {
  const made = element("span", { class: `crm-dot crm-${status}${overdue ? " crm-overdue" : ""}`, "aria-hidden": "true" });
  made.append(SIGNS[status]);
  return made;
}

export const textOfCounts = (counts) =>
  settings.statuses.filter(({ code }) => counts[code]).map(({ code, label }) => `${label}: ${numberText(counts[code])}`).join(", ");

// The ring laid flat.
export function bar(counts) {
  const made = element("span", { class: "crm-bar", "aria-hidden": "true" });
  for (const { code } of settings.statuses) {
    if (!counts[code]) continue;
    const part = element("span", { class: `crm-${code}` });
    part.style.flexGrow = counts[code];
    made.append(part);
  }
  return made;
}

export function ringIcon({ count, by_status: counts }) {
  const size = Math.round(Math.min(66, 32 + 7 * Math.log10(count)));
  const radius = size / 2 - 4;
  const length = 2 * Math.PI * radius;
  const ring = drawing("svg", { viewBox: `0 0 ${size} ${size}`, width: size, height: size, "aria-hidden": "true" });
  ring.append(drawing("circle", { cx: size / 2, cy: size / 2, r: size / 2 - 1, class: "crm-ring-ground" }));
  let begun = 0;
  for (const { code } of settings.statuses) {
    const part = (counts[code] / count) * length;
    if (!part) continue;
    ring.append(drawing("circle", {
      cx: size / 2, cy: size / 2, r: radius, class: `crm-ring crm-${code}`,
      "stroke-dasharray": `${part} ${length - part}`, "stroke-dashoffset": length / 4 - begun,
    }));
    begun += part;
  }
  const [digits, unit] = shortText(count);
  const text = drawing("text", { x: size / 2, y: size / 2 - (unit ? 5 : 0), class: "crm-ring-text" }, digits);
  ring.append(text);
  if (unit) ring.append(drawing("text", { x: size / 2, y: size / 2 + 9, class: "crm-ring-text crm-ring-unit" }, unit));
  return L.divIcon({ html: ring, className: "crm-mark crm-mark-many", iconSize: [size, size] });
}

export function dotIcon({ status, next_action_due_at: due }) {
  return L.divIcon({ html: dot(status, { overdue: isOverdue(due) }), className: "crm-mark crm-mark-one", iconSize: [24, 24] });
}

export const nameOfMany = ({ count, by_status: counts }) => `${say("objects")}: ${numberText(count)}. ${textOfCounts(counts)}`;

export const nameOfOne = ({ address, status }) => `${address}, ${labelOf(status)}`;
