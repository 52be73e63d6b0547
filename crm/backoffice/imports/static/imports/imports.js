/* Files can be dropped, and a page that waits looks again by itself. Without this everything works by hand. */
(() => {
    "use strict";

    const zone = document.querySelector("[data-drop]");
    if (zone) {
        const input = zone.querySelector("input[type=file]");
        const lit = (on) => zone.classList.toggle("office-drop-over", on);
        /* The theme looks for a text box of its own beside every file input, and stumbles where there is none. */
        zone.addEventListener("change", (event) => event.stopPropagation(), true);
        zone.addEventListener("dragover", (event) => { event.preventDefault(); lit(true); });
        zone.addEventListener("dragleave", () => lit(false));
        zone.addEventListener("drop", (event) => {
            event.preventDefault();
            lit(false);
            if (event.dataTransfer.files.length === 1) { input.files = event.dataTransfer.files; }
        });
    }

    document.querySelectorAll("select.office-select").forEach((select) => {
        select.addEventListener("change", () => {
            select.classList.toggle("office-chosen", select.value !== "");
            select.closest("tr").classList.toggle("office-left-out", select.value === "");
        });
    });

    const EVERY = 1500;
    const look = async () => {
        const here = document.getElementById("import-progress");
        if (!here) { return; }
        try {
            const answer = await fetch(location.href, { credentials: "same-origin" });
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const fresh = page.getElementById("import-progress");
            if (!answer.ok || !fresh) { location.reload(); return; }
            /* The button keeps the focus: only what changes is changed. */
            here.querySelector("progress").value = fresh.querySelector("progress").value;
            const told = fresh.querySelectorAll("p");
            here.querySelectorAll("p").forEach((line, at) => {
                if (told[at] && told[at].textContent !== line.textContent) { line.textContent = told[at].textContent; }
            });
        } catch { /* The next look may find the server. */ }
        setTimeout(look, EVERY);
    };
    setTimeout(look, EVERY);
})();
