// A variable of the menu is put where the cursor stood last; without a script it is copied by hand.
let place = document.querySelector("textarea");
for (const text of document.querySelectorAll("textarea")) {
  text.addEventListener("focus", () => { place = text; });
}
for (const button of document.querySelectorAll("[data-insert]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (!place || place.readOnly) return;
    place.setRangeText(button.dataset.insert, place.selectionStart, place.selectionEnd, "end");
    place.focus();
  });
}
