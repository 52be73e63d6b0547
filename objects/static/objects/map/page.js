// The map of the filtered objects.
/* global L */

import { cards, shortCard } from "./card.js";
import { element } from "./dom.js";
import { layGround } from "./ground.js";
import { bar, dot, dotIcon, nameOfMany, nameOfOne, ringIcon, textOfCounts } from "./marks.js";
import { numberText, say, settings } from "./settings.js";
import { Refused, Source, boxOf } from "./source.js";

const WORLD = [-180, -90, 180, 90];
const NEAR = 18;
const PATIENCE = 140;
const LISTED = 60;
// A cluster with less of the whole is left out of the first look: one wrong coordinate must not show the globe.
const ODD = 0.005;
const POINT = 1e-6;

const byId = (name) => document.getElementById(name);
const panel = byId("map-panel");
const map = L.map("map", { maxZoom: 20, minZoom: 2, worldCopyJump: true, zoomControl: false, maxBoundsViscosity: 1, maxBounds: [[-88, -Infinity], [88, Infinity]] });
const source = new Source(window.location.search);
const marks = new Map();
let shown = [];

// --- marks ---

// The copy of the place that lies nearest to what is looked at: the globe goes round.
function placeOf({ geometry: { coordinates: [lng, lat] } }) {
  return [lat, lng + 360 * Math.round((map.getCenter().lng - lng) / 360)];
}

// Several objects with the very same coordinates are one mark.
function gathered(features) {
  const places = new Map();
  for (const feature of features) {
    const key = feature.properties.cluster ? feature.id : feature.geometry.coordinates.join();
    if (!places.has(key)) places.set(key, []);
    places.get(key).push(feature);
  }
  return [...places].map(([key, members]) => ({ key, members }));
}

function summed(members) {
  const counts = Object.fromEntries(settings.statuses.map(({ code }) => [code, 0]));
  for (const { properties } of members) counts[properties.status] += 1;
  return { count: members.length, by_status: counts };
}

function markOf(members) {
  const [first] = members;
  const one = first.properties;
  const many = one.cluster ? one : members.length > 1 ? summed(members) : null;
  const name = many ? nameOfMany(many) : nameOfOne(one);
  const mark = L.marker(placeOf(first), { icon: many ? ringIcon(many) : dotIcon(one), riseOnHover: true, keyboard: true });
  mark.on("add", () => {
    mark.getElement().setAttribute("aria-label", name);
    mark.getElement().setAttribute("title", name);
  });
  const act = () => (one.cluster ? enter(first, mark) : mark.openPopup());
  // Leaflet hears Enter on marks with a popup only, and the space bar, which presses buttons, on none.
  mark.on("keydown", ({ originalEvent }) => {
    if (originalEvent.key !== " " && !(one.cluster && originalEvent.key === "Enter")) return;
    originalEvent.preventDefault();
    act();
  });
  if (one.cluster) mark.on("click", act);
  else mark.bindPopup(() => cards(members), popupOptions());
  if (!many && map.getZoom() >= NEAR) mark.bindTooltip(houseOf(one.address), { permanent: true, direction: "right", offset: [10, 0], className: "crm-map-house" });
  return mark;
}

const popupOptions = () => ({ maxWidth: Math.min(340, window.innerWidth - 60), minWidth: 220, maxHeight: 320, autoPanPadding: [24, 24] });

// The end of an address is what tells houses of a street apart.
const houseOf = (address) => address.split(",").slice(-2).join(",").trim();

function draw(collection) {
  shown = gathered(collection.features);
  const wanted = new Map(shown.map(({ key, members }) => [`${map.getZoom() >= NEAR}|${key}|${JSON.stringify(members.map((each) => each.properties))}`, members]));
  for (const [key, mark] of marks) {
    if (wanted.has(key)) continue;
    // The card that somebody reads stays open.
    if (mark.isPopupOpen()) continue;
    mark.remove();
    marks.delete(key);
  }
  for (const [key, members] of wanted) {
    if (marks.has(key)) marks.get(key).setLatLng(placeOf(members[0]));
    else marks.set(key, markOf(members).addTo(map));
  }
}

// --- going into a cluster ---

async function enter(feature, mark) {
  const [west, south, east, north] = feature.bbox;
  const atOnePlace = east - west < POINT && north - south < POINT;
  if (!atOnePlace && map.getZoom() < map.getMaxZoom()) {
    const bounds = L.latLngBounds([south, west], [north, east]);
    const fitting = map.getBoundsZoom(bounds, false, L.point(60, 60));
    const { lat, lng } = bounds.getCenter();
    const middle = placeOf({ geometry: { coordinates: [lng, lat] } });
    map.setView(middle, Math.max(map.getZoom() + 1, Math.min(fitting, map.getMaxZoom())));
    return;
  }
  const pad = 1e-5;
  try {
    const members = await source.ask([west - pad, south - pad, east + pad, north + pad], map.getMaxZoom(), { alone: false });
    const single = members.features.filter(({ properties }) => !properties.cluster);
    const content = single.length ? cards(single) : element("p", {}, `${say("tooMany")}: ${numberText(feature.properties.count)}`);
    mark.unbindPopup().bindPopup(content, popupOptions()).openPopup();
  } catch (error) {
    complain(error);
  }
}

// --- beside the map ---

// The sums of the marks in sight: what is asked for reaches a little further.
function showTotal(inside) {
  const sums = Object.fromEntries(settings.statuses.map(({ code }) => [code, 0]));
  for (const { members } of inside) {
    const counts = members[0].properties.cluster ? members[0].properties.by_status : summed(members).by_status;
    for (const code of Object.keys(sums)) sums[code] += counts[code];
  }
  const total = Object.values(sums).reduce((sum, each) => sum + each, 0);
  byId("map-total").textContent = `${say("inView")}: ${numberText(total)}`;
  for (const { code } of settings.statuses) {
    byId(`legend-${code}`).textContent = source.hidden.has(code) ? "–" : numberText(sums[code]);
  }
}

function entryOf({ members }) {
  const [first] = members;
  if (!first.properties.cluster) return members.map((each) => element("li", {}, shortCard(each)));
  const { count, by_status: counts } = first.properties;
  const button = element(
    "button", { type: "button", class: "crm-row crm-row-many", title: textOfCounts(counts), onclick: () => enter(first, markAt(first)) },
    element("span", { class: "crm-row-count" }, numberText(count)),
    element("span", { class: "crm-row-text" }, bar(counts), element("small", { class: "crm-hidden" }, textOfCounts(counts))),
    element("small", { class: "crm-row-hint" }, say("group")),
  );
  return [element("li", {}, button)];
}

function markAt(feature) {
  const [lat, lng] = placeOf(feature);
  return [...marks.values()].find((mark) => mark.getLatLng().equals([lat, lng]));
}

function list() {
  const view = map.getBounds();
  const inside = shown.filter(({ members }) => view.contains(placeOf(members[0])));
  showTotal(inside);
  const middle = map.getCenter();
  inside.sort((a, b) => (b.members[0].properties.count ?? 0) - (a.members[0].properties.count ?? 0) || middle.distanceTo(placeOf(a.members[0])) - middle.distanceTo(placeOf(b.members[0])));
  const entries = inside.slice(0, LISTED).flatMap(entryOf);
  if (inside.length > LISTED) entries.push(element("li", { class: "crm-more" }, say("more")));
  if (!entries.length) entries.push(element("li", { class: "crm-more" }, say("nothing")));
  byId("map-list").replaceChildren(...entries);
}

function complain(error) {
  if (error.name === "AbortError") return;
  byId("map-trouble-text").textContent = error instanceof Refused ? error.message : say("trouble");
  byId("map-trouble").hidden = false;
}

// --- asking ---

let waiting = 0;

async function load() {
  panel.setAttribute("aria-busy", "true");
  try {
    const collection = await source.ask(boxOf(map.getBounds()), map.getZoom());
    byId("map-trouble").hidden = true;
    draw(collection);
    list();
    panel.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name !== "AbortError") panel.removeAttribute("aria-busy");
    complain(error);
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(load, PATIENCE);
  const { lat, lng } = map.getCenter();
  window.history.replaceState(null, "", `#${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
}

// Where nearly all of the objects are: coarse clusters first, then finer ones inside of what they leave.
async function extent() {
  let [box, zoom, bounds] = [WORLD, 3, null];
  for (let round = 0; round < 3; round += 1) {
    const { features, total } = await source.ask(box, zoom);
    if (!total) return bounds;
    const weight = ({ properties }) => properties.count ?? 1;
    const usual = features.filter((each) => weight(each) >= total * ODD);
    bounds = L.latLngBounds([]);
    for (const { bbox, geometry: { coordinates: [lng, lat] } } of usual.length ? usual : features) {
      bounds.extend([bbox?.[1] ?? lat, bbox?.[0] ?? lng]).extend([bbox?.[3] ?? lat, bbox?.[2] ?? lng]);
    }
    if (usual.length === features.length && round) return bounds;
    zoom = Math.min(16, map.getBoundsZoom(bounds)) + 2;
    box = boxOf(bounds);
  }
  return bounds;
}

async function showAll() {
  try {
    const bounds = await extent();
    if (bounds) {
      map.fitBounds(bounds, { padding: [30, 30], maxZoom: 16 });
      return;
    }
    byId("map-trouble-text").textContent = say("nowhere");
    byId("map-trouble").hidden = false;
  } catch (error) {
    complain(error);
  }
  if (!map._loaded) map.setView([55.75, 37.62], 4);
}

// --- the page ---

function legend() {
  for (const { code, label } of settings.statuses) {
    const button = element(
      "button", { type: "button", class: "crm-legend-item", "aria-pressed": "true", title: say("toggle") },
      dot(code), element("span", {}, label), element("b", { id: `legend-${code}` }, ""),
    );
    button.addEventListener("click", () => {
      const hide = !source.hidden.has(code);
      if (hide) source.hidden.add(code); else source.hidden.delete(code);
      button.setAttribute("aria-pressed", String(!hide));
      load();
    });
    byId("map-legend").append(button);
  }
}

function begin() {
  legend();
  L.control.zoom({ zoomInTitle: say("zoomIn"), zoomOutTitle: say("zoomOut") }).addTo(map);
  layGround(map);
  map.on("moveend", soon);
  map.on("popupopen", ({ popup }) => popup.getElement().querySelector("a.crm-card-title")?.focus({ preventScroll: true }));
  // Leaflet closes a card by Escape only while the map itself has the focus.
  map.getContainer().addEventListener("keydown", (event) => {
    const mark = [...marks.values()].find((each) => each.isPopupOpen());
    if (event.key !== "Escape" || !mark) return;
    mark.closePopup();
    mark.getElement()?.focus({ preventScroll: true });
  });
  byId("map-all").addEventListener("click", showAll);
  byId("map-again").addEventListener("click", load);
  const [zoom, lat, lng] = window.location.hash.slice(1).split("/").map(Number);
  if ([zoom, lat, lng].every(Number.isFinite) && window.location.hash.length > 1) map.setView([lat, lng], zoom);
  else showAll();
}

begin();
