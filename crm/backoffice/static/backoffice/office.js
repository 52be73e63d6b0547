/* Lists and forms of the back office: filters that apply themselves, select boxes that depend on others. */
(() => {
    "use strict";

    const form = document.getElementById("office-filters");

    /* Without this an address would carry every filter that is not set. */
    const tidy = () => {
        form.querySelectorAll("input, select").forEach((control) => {
            if (control.type === "checkbox" && control.checked) {
                /* "Without one" and a chosen one exclude each other. */
                form.querySelectorAll(`select[name="${control.name}"]`).forEach((other) => { other.disabled = true; });
            } else if (control.value === "") {
                control.disabled = true;
            }
        });
    };

    if (form) {
        form.addEventListener("submit", tidy);
        const apply = (event) => {
            if (event.target.dataset && event.target.dataset.filter) {
                const select = event.target;
                form.querySelectorAll(`select[data-depends-on="${select.name}"]`).forEach((other) => { other.value = ""; });
                if (select.tagName === "SELECT") {
                    form.querySelectorAll(`input[type=checkbox][name="${select.name}"]`).forEach((box) => { box.checked = false; });
                }
                form.requestSubmit();
            }
        };
        form.addEventListener("change", (event) => {
            if (event.target.type !== "date") { apply(event); }
        });
        const more = form.querySelector(".office-more");
        if (more) {
            more.addEventListener("click", () => {
                const open = form.classList.toggle("office-open");
                more.setAttribute("aria-expanded", String(open));
            });
        }
        const box = document.getElementById("searchbar");
        document.addEventListener("keydown", (event) => {
            const typing = /^(input|textarea|select)$/i.test(document.activeElement.tagName);
            if (box && event.key === "/" && !typing) { event.preventDefault(); box.focus(); box.select(); }
        });
    }

    const $ = window.django && window.django.jQuery;
    if (!$) { return; }

    /* select2 tells jQuery of a choice, not the page. */
    $(document).on("select2:select select2:clear", "select[data-filter]", (event) => {
        event.target.dispatchEvent(new Event("change", { bubbles: true }));
    });

    /* select2 puts a text box of its own beside each of its select boxes, without the label. */
    $(() => {
        document.querySelectorAll("select.admin-autocomplete").forEach((select) => {
            const box = $(select).next(".select2-container").find(".select2-selection__rendered").get(0);
            const label = select.labels && select.labels[0];
            if (box && label) { box.setAttribute("aria-label", label.textContent.trim()); }
        });
    });

    const valueBeside = (select, name) => {
        const owner = select.form;
        const other = owner && owner.elements.namedItem(name);
        return other ? other.value : "";
    };

    /* Django's autocomplete asks by the names of app, model and field; what the form holds goes along. */
    $.ajaxPrefilter((options) => {
        if (!options.url || !options.url.includes("/autocomplete/")) { return; }
        const open = document.querySelector(".select2-container--open");
        const select = open && $(open).prev("select").get(0);
        const names = select && select.dataset.dependsOn;
        if (!names) { return; }
        names.split(" ").forEach((name) => {
            const value = valueBeside(select, name);
            if (value) {
                options.url += `${options.url.includes("?") ? "&" : "?"}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
            }
        });
    });

    /* A district of another city means nothing. */
    $(document).on("change", "form:not(#office-filters) select", (event) => {
        const { form: owner, name } = event.target;
        if (!owner) { return; }
        owner.querySelectorAll("select[data-depends-on]").forEach((other) => {
            if (other.dataset.dependsOn.split(" ").includes(name) && other.value) {
                $(other).val(null).trigger("change.select2");
                other.dispatchEvent(new Event("office:cleared"));
            }
        });
    });
})();
