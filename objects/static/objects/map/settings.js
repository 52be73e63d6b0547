// What the server tells the page: addresses, words, labels. All in one element with JSON, so that no script
// stands in the page itself.

export const settings = JSON.parse(document.getElementById("map-settings").textContent);

export const say = (name) => settings.words[name];

const number = new Intl.NumberFormat(settings.language);
const short = new Intl.NumberFormat(settings.language, { notation: "compact", maximumSignificantDigits: 2 });
const day = new Intl.DateTimeFormat(settings.language, {
  day: "numeric", month: "long", year: "numeric", timeZone: settings.time_zone,
});
const relative = new Intl.RelativeTimeFormat(settings.language, { numeric: "auto" });
const dayKey = new Intl.DateTimeFormat("en-CA", { timeZone: settings.time_zone });

export const numberText = (value) => number.format(value);

// 12 345 does not fit into a mark: the number, and «тыс.» below it where there is one.
export function shortText(value) {
  if (value < 10000) return [number.format(value)];
  const parts = short.formatToParts(value);
  const unit = parts.find((part) => part.type === "compact")?.value;
  const digits = parts.filter((part) => !["compact", "literal"].includes(part.type)).map((part) => part.value).join("");
  return unit && unit.length > 1 ? [digits, unit] : [digits + (unit ?? "")];
}

export const dayText = (moment) => day.format(new Date(moment));

// «вчера», «через 2 дня»: whole days between two dates of the reader's calendar.
export function whenText(moment) {
  const days = Math.round((Date.parse(dayKey.format(new Date(moment))) - Date.parse(dayKey.format(new Date()))) / 86400000);
  return Math.abs(days) < 31 ? relative.format(days, "day") : dayText(moment);
}

export const isOverdue = (moment) => moment !== null && Date.parse(moment) < Date.now();

export const labelOf = (status) => settings.statuses.find((each) => each.code === status).label;

export const objectUrl = (id) => settings.object_url.replace(settings.no_id, id);
