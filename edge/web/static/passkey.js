// Passkeys: asks the browser for one and sends what it answers with the form that stands around the button.

const OF_BYTES = ["challenge", "id", "clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
const WORDS = {
  AbortError: "That was stopped; press the button again.",
  InvalidStateError: "This passkey is yours already; choose another one.",
  NotAllowedError: "No passkey was chosen, or the browser waited too long. Press the button again.",
  NotSupportedError: "This browser or key has no way to make such a passkey.",
  SecurityError: "The browser does not let this address use passkeys; its certificate may not be trusted here.",
};

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** The server's options as the browser takes them: their ids and the challenge are bytes. */
function unpacked(options) {
  const listed = (keys) => (keys ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: listed(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: listed(options.allowCredentials) }),
  };
}

/** The browser's answer as JSON, its bytes as text. */
function packed(credential) {
  const response = {};
  for (const name of OF_BYTES) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  const { id, type } = credential;
  return JSON.stringify({ id, rawId: toText(credential.rawId), type, response, clientExtensionResults: {} });
}

/** The options that stand in the page, or those that the server has now. */
async function asked(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.ask, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("The server did not answer; try again.");
  return answer.json();
}

async function go(form, said) {
  const publicKey = unpacked(await asked(form));
  const made = form.dataset.passkey === "make";
  const credential = await (made ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
  form.elements.answer.value = packed(credential);
  said.textContent = "";
  form.submit();
}

/** Why this page cannot; empty if it can. */
function hindrance(origin) {
  if (location.origin !== origin) return `Passkeys work at ${origin} only; this page was opened at ${location.origin}.`;
  if (!window.PublicKeyCredential) return "This browser has no passkeys.";
  return "";
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const said = form.querySelector("[data-said]");
  const against = hindrance(form.dataset.origin);
  button.disabled = Boolean(against);
  if (against) {
    // Nobody has tried anything yet: a remark, no alarm.
    said.className = "quiet-words";
    said.removeAttribute("role");
    said.textContent = against;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = "";
    go(form, said).catch((error) => {
      said.textContent = WORDS[error.name] ?? error.message;
      button.disabled = false;
    });
  });
}
