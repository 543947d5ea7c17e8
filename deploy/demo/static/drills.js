// Drills, run through the store's API, and what a receiver outside the store was told.
const form = document.getElementById("drill");
const button = form.querySelector("button");
const words = document.getElementById("drill-words");
const hops = document.getElementById("drill-hops");
const result = document.getElementById("drill-result");
const told = document.getElementById("outside");
const NAMES = {
  asked: "Drill begun", sent: "Command sent to the kiosk", pressed: "Pressed and saved at the kiosk",
  received: "Press received by the store", paged: "Responder paged", written: "Page sent to the phone",
  delivered: "Page on the phone", acknowledged: "Acknowledged", told: "Kiosk has heard of it",
};
const pause = (seconds) => new Promise((then) => setTimeout(then, 1000 * seconds));

async function ask(address, how = {}) {
  try {
    const answer = await fetch(address, { headers: { "X-Floorbell-Demo": "1" }, ...how });
    return await answer.json();
  } catch {
    return { wrong: "The store does not answer." };
  }
}

function draw(drill) {
  const over = drill.state === "passed" || drill.state === "failed";
  const state = { asked: "It begins.", running: "It runs.", passed: "Passed.", failed: "Failed." }[drill.state];
  const who = drill.responder ? ` ${drill.built_in ? "The test responder" : drill.responder} answers.` : "";
  words.textContent = over ? `${state} ${drill.words}` : state + who;
  words.dataset.state = drill.state;
  const began = drill.hops.length ? Date.parse(drill.hops[0].at) : 0;
  hops.replaceChildren(...drill.hops.map(({ hop, at }) => {
    const line = document.createElement("li");
    const after = document.createElement("span");
    after.textContent = `${((Date.parse(at) - began) / 1000).toFixed(1)} s`;
    line.append(NAMES[hop] ?? hop, after);
    return line;
  }));
  hops.hidden = !drill.hops.length;
  result.hidden = !drill.signed;
  result.href = `/demo/drill/${drill.id}/result`;
  return over;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  let drill = await ask(`/demo/drill?${new URLSearchParams(new FormData(form))}`, { method: "POST" });
  // It is signed some seconds after its end; without a vault never.
  let after = 0;
  while (!drill.wrong) {
    if (draw(drill) && (drill.signed || ++after > 15)) break;
    await pause(1);
    drill = await ask(`/demo/drill/${drill.id}`);
  }
  if (drill.wrong) words.textContent = drill.wrong;
  else if (!drill.signed) words.textContent += " Its result is not signed yet.";
  button.disabled = false;
});

let shown = "";
async function listen() {
  for (;;) {
    const found = (await ask("/demo/outside")).told ?? [];
    const news = found.map((one) => one.words);
    if (news.join("\n") !== shown) {
      shown = news.join("\n");
      told.replaceChildren(...news.map((each) => {
        const line = document.createElement("li");
        line.textContent = each;
        return line;
      }));
      document.getElementById("outside-none").hidden = news.length > 0;
    }
    await pause(document.hidden ? 10 : 2);
  }
}
listen();
