/* The page that asks before many records are changed: sent off once, and "nobody" empties the person. */
(() => {
    "use strict";
    const form = document.getElementById("bulk_form");
    if (!form) { return; }
    form.addEventListener("submit", (event) => {
        if (form.dataset.sent) { event.preventDefault(); return; }
        form.dataset.sent = "1";
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.setAttribute("aria-disabled", "true"); });
    });
    /* Back from the next page, the form may be sent again. */
    window.addEventListener("pageshow", () => {
        delete form.dataset.sent;
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.removeAttribute("aria-disabled"); });
    });
    const nobody = form.elements.namedItem("nobody");
    const $ = window.django && window.django.jQuery;
    if (nobody && $) {
        const person = $(form.elements.namedItem("person"));
        nobody.addEventListener("change", () => { if (nobody.checked) { person.val(null).trigger("change"); } });
        person.on("select2:select", () => { nobody.checked = false; });
    }
})();
