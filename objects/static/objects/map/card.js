// What is said of an object: in its popup, and in the list beside the map.

import { element } from "./dom.js";
import { dot } from "./marks.js";
import { dayText, isOverdue, labelOf, objectUrl, say, settings, whenText } from "./settings.js";

function line(term, ...content) {
  return element("div", { class: "crm-card-line" }, element("dt", {}, term), element("dd", {}, ...content));
}

function dueText(moment) {
  const late = isOverdue(moment);
  return element("span", { class: late ? "crm-late" : "" }, late ? `${say("overdue")}: ${whenText(moment)}` : whenText(moment));
}

export function badge(status) {
  return element("span", { class: "crm-status" }, dot(status), labelOf(status));
}

export function card({ id, properties: one }) {
  const link = element("a", { href: objectUrl(id), class: "crm-card-title" }, one.address);
  return element(
    "article", { class: "crm-card" }, link,
    element("p", { class: "crm-card-kind" }, badge(one.status), " ", settings.types[one.type]),
    element(
      "dl", {},
      line(say("responsible"), one.responsible_user ? one.responsible_user.full_name : say("nobody")),
      line(say("lastVisit"), one.last_visit_at ? `${dayText(one.last_visit_at)}` : say("never")),
      one.next_action_due_at ? line(say("callBack"), dueText(one.next_action_due_at)) : null,
    ),
  );
}

export function cards(features) {
  return element(
    "div", { class: "crm-cards" },
    features.length > 1 ? element("p", { class: "crm-cards-count" }, `${say("samePlace")}: ${features.length}`) : null,
    ...features.map(card),
  );
}

export function shortCard({ id, properties: one }) {
  return element(
    "a", { href: objectUrl(id), class: "crm-row" }, dot(one.status, { overdue: isOverdue(one.next_action_due_at) }),
    element(
      "span", { class: "crm-row-text" }, one.address,
      element("small", {}, [labelOf(one.status), one.responsible_user?.full_name, ].filter(Boolean).join(" · ")),
      one.next_action_due_at ? element("small", {}, `${say("callBack")}: `, dueText(one.next_action_due_at)) : null,
    ),
  );
}
