// Above the desk: a clip has come in. The page hears what the desk hears, once somebody is signed in there.
const desk = document.getElementById("desk");
const open = document.getElementById("clip-open");
let stream = null;

async function came(clip) {
  const address = open.dataset.evidence + encodeURIComponent(clip);
  const answer = await fetch(address);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  // Told of is not here yet: only what is sealed can be looked at.
  if (!page.querySelector(".story-head .clip-sealed")) return;
  open.dataset.address = address;
  open.textContent = `A clip came in: ${page.querySelector(".story-head .where").textContent.split("·")[0].trim()}. Open it`;
  open.hidden = false;
}

desk.addEventListener("load", () => {
  const path = desk.contentWindow?.location.pathname ?? "";
  if (path === open.dataset.address) open.hidden = true;
  const out = path.endsWith("/sign-in");
  if (out || stream?.readyState === EventSource.CLOSED) {
    stream?.close();
    stream = null;
  }
  if (out || stream) return;
  stream = new EventSource(open.dataset.stream);
  stream.addEventListener("clip", (event) => came(JSON.parse(event.data).clip).catch(() => {}));
});

open.addEventListener("click", () => (desk.src = open.dataset.address));
