// The map on an object's page: where it stands, and what else of ours stands around it.
/* global L */

import { layGround } from "./ground.js";
import { dotIcon, nameOfOne, ringIcon, nameOfMany } from "./marks.js";
import { cards } from "./card.js";
import { say, settings } from "./settings.js";
import { Source, boxOf } from "./source.js";

const { lat, lng, id, status } = settings.here;
const map = L.map("map-small", { maxZoom: 19, minZoom: 3, scrollWheelZoom: false, zoomControl: false }).setView([lat, lng], 16);
const around = L.layerGroup().addTo(map);
const source = new Source();

layGround(map);
L.control.zoom({ zoomInTitle: say("zoomIn"), zoomOutTitle: say("zoomOut") }).addTo(map);
const here = L.marker([lat, lng], { icon: dotIcon({ status, next_action_due_at: null }), zIndexOffset: 1000, interactive: false, keyboard: false }).addTo(map);
here.getElement().classList.add("crm-mark-here");

async function load() {
  let collection;
  try {
    collection = await source.ask(boxOf(map.getBounds()), map.getZoom());
  } catch {
    // The place itself is there; the neighbours are an extra.
    return;
  }
  around.clearLayers();
  for (const feature of collection.features) {
    if (feature.id === id) continue;
    const [x, y] = feature.geometry.coordinates;
    const many = feature.properties.cluster;
    const mark = L.marker([y, x], { icon: many ? ringIcon(feature.properties) : dotIcon(feature.properties), opacity: 0.75 });
    const name = many ? nameOfMany(feature.properties) : nameOfOne(feature.properties);
    mark.on("add", () => mark.getElement().setAttribute("aria-label", name));
    if (many) mark.on("click", () => map.setView([y, x], map.getZoom() + 1));
    else mark.bindPopup(() => cards([feature]), { maxWidth: 260 });
    mark.addTo(around);
  }
}

map.on("moveend", load);
load();
