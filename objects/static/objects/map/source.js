// Asks the server what lies in a window of the map. A newer question puts an end to an older one.

import { settings } from "./settings.js";

// Beyond the window's edges, so that marks there do not change while the map is moved a little.
const MARGIN = 0.2;
const MAX_ZOOM = 20;

const wrapped = (lng) => ((((lng + 180) % 360) + 360) % 360) - 180;

export function boxOf(bounds) {
  const wide = bounds.pad(MARGIN);
  const south = Math.max(-90, wide.getSouth());
  const north = Math.min(90, wide.getNorth());
  if (wide.getEast() - wide.getWest() >= 360) return [-180, south, 180, north];
  const [west, east] = [wrapped(wide.getWest()), wrapped(wide.getEast())];
  return [west, south, east, north];
}

// No exponents: the server reads plain degrees.
const degrees = (value) => value.toFixed(7);

export class Refused extends Error {}

export class Source {
  // carried: what the rows are narrowed by, as a query string.
  constructor(carried = "") {
    this.carried = carried;
    this.running = null;
    this.hidden = new Set();
  }

  async ask(box, zoom, { alone = true } = {}) {
    const query = new URLSearchParams(this.carried);
    query.set("bbox", box.map(degrees).join(","));
    query.set("zoom", String(Math.max(0, Math.min(MAX_ZOOM, Math.round(zoom)))));
    if (this.hidden.size) query.set("hide", [...this.hidden].join(","));
    if (alone) this.running?.abort();
    const running = new AbortController();
    if (alone) this.running = running;
    const answer = await fetch(`${settings.data_url}?${query}`, {
      headers: { Accept: "application/json" }, credentials: "same-origin", signal: running.signal,
    });
    // Somebody who has been logged out is led to a page, not to data.
    if (answer.redirected) throw new Refused(settings.words.loggedOut);
    if (!answer.headers.get("Content-Type")?.includes("json")) throw new Error(answer.statusText);
    const body = await answer.json();
    if (!answer.ok) throw new Refused(body.detail);
    return body;
  }
}
