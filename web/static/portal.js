// What comes out of the browser's memory may show an old balance: ask again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
// A form is sent once, however often its button is pressed.
addEventListener("submit", (event) => {
  const form = event.target;
  const target = event.submitter?.formTarget || form.target;
  if (target && target !== "_self") return;  // this page stays, and may be used again
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
// Back and reload send no form again.
if (!/^\/(office|csr)\b/.test(location.pathname)) history.replaceState(null, "");
// What went wrong is read first.
const summary = document.querySelector(".summary");
if (summary) summary.focus();
// Printing needs a script; without one the browser's own menu prints.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
