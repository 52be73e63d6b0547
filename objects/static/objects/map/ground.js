// What lies under the marks: tiles where an address of them is set, and a net of degrees, so that a map without
// tiles still has places and a scale. Nothing here asks another server unless the setting says so.
/* global L */

import { settings } from "./settings.js";

const STEPS = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
// Lines come no nearer to each other, in pixels.
const NEAREST = 130;

function stepFor(zoom) {
  const degree = (256 * 2 ** zoom) / 360;
  let found = STEPS[0];
  for (const step of STEPS) if (step * degree >= NEAREST) found = step;
  return found;
}

function text(value, step, [positive, negative]) {
  const digits = step >= 1 ? 0 : Math.min(3, Math.ceil(-Math.log10(step)));
  const shown = Math.abs(value).toLocaleString(settings.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${shown}° ${value < 0 ? negative : positive}`;
}

const Net = L.GridLayer.extend({
  createTile(coords) {
    const size = this.getTileSize();
    const tile = L.DomUtil.create("canvas");
    const scale = window.devicePixelRatio || 1;
    tile.width = size.x * scale;
    tile.height = size.y * scale;
    const pen = tile.getContext("2d");
    const style = getComputedStyle(this._map.getContainer());
    pen.scale(scale, scale);
    pen.strokeStyle = style.getPropertyValue("--map-line");
    pen.fillStyle = style.getPropertyValue("--map-ink");
    pen.font = "11px system-ui, sans-serif";
    const corner = coords.scaleBy(size);
    const northWest = this._map.unproject(corner, coords.z);
    const southEast = this._map.unproject(corner.add(size), coords.z);
    const step = stepFor(coords.z);
    for (let line = Math.ceil(northWest.lng / step); line * step < southEast.lng; line += 1) {
      const x = Math.round(this._map.project([0, line * step], coords.z).x - corner.x) + 0.5;
      this.stroke(pen, x, 0, x, size.y);
      const lng = (((line * step + 180) % 360) + 360) % 360 - 180;
      if (coords.y % 2 === 0) this.write(pen, text(lng, step, settings.words.eastWest), x + 4, 13, size.x);
    }
    for (let line = Math.ceil(southEast.lat / step); line * step < northWest.lat; line += 1) {
      const y = Math.round(this._map.project([line * step, 0], coords.z).y - corner.y) + 0.5;
      this.stroke(pen, 0, y, size.x, y);
      if (coords.x % 2 === 0) this.write(pen, text(line * step, step, settings.words.northSouth), 4, y < 14 ? y + 13 : y - 4, size.x);
    }
    return tile;
  },

  // Left of the line where the tile ends too soon on its right.
  write(pen, words, x, y, end) {
    const { width } = pen.measureText(words);
    pen.fillText(words, x + width > end ? x - width - 8 : x, y);
  },

  stroke(pen, x1, y1, x2, y2) {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  },
});

// Leaflet's own scale speaks English only.
const Scale = L.Control.Scale.extend({
  _updateMetric(maxMeters) {
    const meters = this._getRoundNum(maxMeters);
    const [value, unit] = meters < 1000 ? [meters, "meter"] : [meters / 1000, "kilometer"];
    const text = value.toLocaleString(settings.language, { style: "unit", unit, unitDisplay: "short" });
    this._updateScale(this._mScale, text, meters / maxMeters);
  },
});

export function layGround(map) {
  new Scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix(false);
  if (settings.tiles.url) {
    L.tileLayer(settings.tiles.url, {
      attribution: settings.tiles.attribution,
      maxZoom: map.getMaxZoom(),
      className: "crm-map-tiles",
      // Operators of tiles want to know which site asks; they hear its address alone.
      referrerPolicy: "strict-origin-when-cross-origin",
    }).addTo(map);
    return;
  }
  const net = new Net({ keepBuffer: 1, updateWhenZooming: false }).addTo(map);
  new MutationObserver(() => net.redraw()).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => net.redraw());
}
