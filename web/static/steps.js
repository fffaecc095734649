// The steps of a close as they move; without a script the page is looked at again by its link.
(() => {
  const list = document.querySelector("[data-watched]");
  const told = document.getElementById("step-told");
  if (!list || !told || !window.EventSource) return;
  const AGAIN = 30000;
  let source = null;
  let after = new URL(list.dataset.watched, location.href);
  function show(one) {
    const line = Array.from(list.children).find((item) => item.dataset.step === one.step);
    if (!line) return;
    const moved = line.dataset.state !== one.state;
    line.dataset.state = one.state;
    line.querySelector("span").textContent = one.says;
    if (moved) told.textContent = one.step + ": " + one.says;
  }
  function begin() {
    if (source || document.hidden) return;
    source = new EventSource(after);
    source.onmessage = (event) => {
      if (event.lastEventId) after.searchParams.set("after", event.lastEventId);
      show(JSON.parse(event.data));
    };
    source.addEventListener("ended", () => { stop(); location.reload(); });
    source.onerror = () => {  // it comes again by itself, unless the answer was a no
      if (source.readyState === EventSource.CLOSED) { stop(); setTimeout(begin, AGAIN); }
    };
  }
  function stop() {
    if (source) source.close();
    source = null;
  }
  // A page that nobody looks at leaves its connection to others; a browser has six of them.
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else begin(); });
  // Or the page shown anew would take the place of the answer to what was just sent.
  addEventListener("submit", stop);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", begin);
})();
