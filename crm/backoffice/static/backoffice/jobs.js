/* Progress of jobs: asks how far they are, and loads the page anew when one has ended. */
(() => {
    "use strict";
    const EVERY = 1500;
    const SLOWEST = 15000;

    const follow = (url, show) => {
        let pause = EVERY;
        const ask = async () => {
            if (document.hidden) { setTimeout(ask, EVERY); return; }
            try {
                const answer = await fetch(url, { headers: { Accept: "application/json" }, redirect: "error" });
                if (!answer.ok) { throw new Error(String(answer.status)); }
                const state = await answer.json();
                if (state.ended) { window.location.reload(); return; }
                show(state);
                pause = EVERY;
            } catch (error) {
                /* The server is away, or somebody has logged out: less and less often. */
                pause = Math.min(pause * 2, SLOWEST);
            }
            setTimeout(ask, pause);
        };
        setTimeout(ask, pause);
    };

    const whole = document.getElementById("job-progress");
    if (whole && whole.dataset.state) {
        follow(whole.dataset.state, (state) => {
            whole.querySelector("progress").value = state.progress;
            document.getElementById("job-percent").textContent = state.progress;
            document.getElementById("job-rows").textContent = state.rows;
            const label = document.querySelector("#job-status .office-badge");
            if (label) { label.textContent = state.label; }
        });
    }
    document.querySelectorAll("[data-job]").forEach((cell) => {
        follow(cell.dataset.job, (state) => {
            cell.querySelector("progress").value = state.progress;
            const label = cell.querySelector(".office-badge");
            if (label) { label.textContent = state.label; }
        });
    });
})();
