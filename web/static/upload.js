// How much of a file is sent; without a script the browser sends the form as it always does.
(() => {
  function say(line, text) {
    line.hidden = false;
    line.querySelector("[role=status]").textContent = text;
  }
  function stop(form, line, text) {
    say(line, text);
    line.querySelector("progress").hidden = true;
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    delete form.dataset.sent;
  }
  function mover(line) {
    const bar = line.querySelector("progress");
    let tens = -1;
    return (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.floor(100 * event.loaded / event.total);
      bar.value = percent;
      if (Math.floor(percent / 10) === tens) return;  // heard every ten percent, not every one
      tens = Math.floor(percent / 10);
      say(line, percent < 100 ? percent + " % is sent" : "All is sent; it is looked at now");
    };
  }
  function arrive(form, line, request) {
    const url = new URL(request.responseURL);
    if (url.pathname !== new URL(form.action).pathname) { location.assign(url); return; }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const main = page.querySelector("main");
    if (!main) {
      stop(form, line, request.status === 413 ? line.dataset.tooLarge : "It was not taken; try again.");
      return;
    }
    document.querySelector("main").replaceWith(document.adoptNode(main));
    document.querySelector("main .error, main .summary, main h1")?.scrollIntoView();
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const line = form.querySelector(".sending");
    const file = line && form.querySelector("input[type=file]").files[0];
    if (!file) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.sent) return;
    if (file.size > Number(line.dataset.most)) { stop(form, line, line.dataset.tooLarge); return; }
    form.dataset.sent = "yes";
    line.querySelector("progress").hidden = false;
    say(line, "0 % is sent");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.onprogress = mover(line);
    request.onload = () => arrive(form, line, request);
    request.onerror = () => stop(form, line, "The connection was lost; nothing was taken. Try again.");
    const body = new FormData(form, event.submitter);
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    request.send(body);
  });
})();
