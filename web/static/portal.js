// A page that comes out of the browser's memory may show an old balance: ask for it again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
// A form is sent once, however often its button is pressed.
addEventListener("submit", (event) => {
  const form = event.target;
  const target = event.submitter?.formTarget || form.target;
  if (target && target !== "_self") return;  // this page stays, and may be used again
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
// What a form was answered with is asked for anew, and not sent again, by whoever goes back to it or
// reloads. The office's pages have addresses to which forms alone are sent.
if (!/^\/(office|csr)(\/|$)/.test(location.pathname)) history.replaceState(history.state, "");
// What went wrong is read first.
const summary = document.querySelector(".summary");
if (summary) summary.focus();
// Printing needs a script; without one the browser's own menu prints.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
