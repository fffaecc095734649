// Finds the number of an ALTCHA proof of work (SHA-256) and lets the form go on. No one else is asked.
"use strict";
(() => {
  const K = new Uint32Array(64);
  const START = new Uint32Array(8);
  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) >>> 0;
  for (let n = 2, found = 0; found < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    K[found++] = fraction(Math.cbrt(n));
  }
  const w = new Uint32Array(64);
  const turn = (x, by) => (x >>> by) | (x << (32 - by));

  function sha256(text) {
    const length = text.length;
    const blocks = ((length + 8) >> 6) + 1;
    const words = new Uint32Array(blocks * 16);
    for (let i = 0; i < length; i++) words[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
    words[length >> 2] |= 0x80 << (24 - (length & 3) * 8);
    words[blocks * 16 - 1] = length * 8;
    const h = START.slice();
    for (let at = 0; at < words.length; at += 16) {
      for (let i = 0; i < 64; i++) {
        if (i < 16) { w[i] = words[at + i]; continue; }
        const a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) +
          (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
      }
      let [a, b, c, d, e, f, g, k] = h;
      for (let i = 0; i < 64; i++) {
        const one = (k + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        k = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
    }
    return Array.from(h, (x) => x.toString(16).padStart(8, "0")).join("");
  }

  function begin() {
    const asking = document.getElementById("bot-check");
    const field = document.getElementById("bot-answer");
    const button = document.getElementById("bot-go-on");
    const state = document.getElementById("bot-state");
    if (!asking || !field || !button || !state) return;
    const asked = asking.dataset;
    const most = Number(asked.maxnumber);
    let number = 0;
    function some() {
      const until = Math.min(number + 2000, most + 1);
      for (; number < until; number++) {
        if (sha256(asked.salt + number) !== asked.challenge) continue;
        field.value = btoa(JSON.stringify({
          algorithm: asked.algorithm, challenge: asked.challenge, number: number,
          salt: asked.salt, signature: asked.signature,
        }));
        state.textContent = state.dataset.done;
        button.disabled = false;
        return;
      }
      if (number <= most) setTimeout(some, 0);
    }
    button.disabled = true;
    state.textContent = state.dataset.working;
    setTimeout(some, 0);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
