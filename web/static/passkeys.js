// Passkeys: the browser makes one or answers with one; the form brings what it says to the portal.
const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const form = document.querySelector("form[data-passkey]");
const refused = document.getElementById("no-passkey");

async function ask() {
  const options = JSON.parse(form.dataset.options);
  options.challenge = toBytes(options.challenge);
  for (const known of [...(options.excludeCredentials || []), ...(options.allowCredentials || [])]) {
    known.id = toBytes(known.id);
  }
  if (form.dataset.passkey === "create") {
    options.user.id = toBytes(options.user.id);
    const made = await navigator.credentials.create({ publicKey: options });
    return { id: made.id, client: made.response.clientDataJSON, made: made.response.attestationObject };
  }
  const said = await navigator.credentials.get({ publicKey: options });
  const answer = said.response;
  return { id: said.id, client: answer.clientDataJSON, made: answer.authenticatorData, signature: answer.signature };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  refused.hidden = true;
  try {
    const answer = await ask();
    for (const [name, value] of Object.entries(answer)) {
      form.elements[name].value = typeof value === "string" ? value : toText(value);
    }
    form.submit();
  } catch {
    refused.hidden = false;
  }
});
