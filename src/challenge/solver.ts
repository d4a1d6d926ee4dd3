/**
 * The script of the challenge page, as text: it runs in the visitor's browser and uses Web Crypto only. It hashes in
 * batches, whose digests the browser computes off the main thread, so that the page stays usable meanwhile.
 */
export const SOLVER_SCRIPT = `"use strict";
(async () => {
  const { token, seed, bits, rounds, path, repeatable } = document.body.dataset;
  const bar = document.getElementById("progress");
  const status = document.getElementById("status");
  const again = document.getElementById("again");
  const say = (text) => { status.textContent = text; };
  const encoder = new TextEncoder();
  const BATCH = 256;
  const zeroBits = (digest) => {
    const view = new DataView(digest);
    return Math.clz32(view.getUint32(0));
  };
  const solveRound = async (round) => {
    for (let start = 0; ; start += BATCH) {
      const digests = await Promise.all(Array.from({ length: BATCH }, (_, index) =>
        crypto.subtle.digest("SHA-256", encoder.encode(seed + ":" + round + ":" + (start + index)))));
      const found = digests.findIndex((digest) => zeroBits(digest) >= Number(bits));
      if (found !== -1) return start + found;
    }
  };
  again.addEventListener("click", () => location.reload());
  try {
    const nonces = [];
    for (let round = 0; round < Number(rounds); round += 1) {
      nonces.push(await solveRound(round));
      bar.value = round + 1;
      if ((round + 1) % (Number(rounds) / 4) === 0) say("Checking your browser: " + Math.round((round + 1) / Number(rounds) * 100) + " %");
    }
    const answer = await fetch(path, {
      method: "POST",
      headers: { "stepgate-challenge": token, "stepgate-solution": nonces.join(",") },
      credentials: "same-origin",
      cache: "no-store",
    });
    if (!answer.ok) throw new Error("refused");
    if (repeatable === "true") {
      say("Done. Loading the page.");
      location.reload();
      return;
    }
    say("Done. What you sent has not arrived yet: send it again.");
  } catch {
    say("The check did not succeed. Cookies have to be allowed for this site.");
  }
  again.hidden = false;
  again.focus();
})();
`;
