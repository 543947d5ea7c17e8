// Sounds that nobody confuses: help rings, security knocks low, a greeting is one soft note, a second pair of eyes
// two that fall, a trouble of the store's own things one that is lower and softer still. No files, no words.

let context = null;

const SOUNDS = {
  // [hertz, begins at s, lasts s, loudness]
  help: [[784, 0, 0.5, 0.5], [1047, 0.18, 0.7, 0.5], [784, 0.9, 0.5, 0.5], [1047, 1.08, 0.8, 0.5]],
  greet: [[523, 0, 0.6, 0.2]],
  watch: [[523, 0, 0.4, 0.35], [392, 0.25, 0.6, 0.35]],
  drawer: [[523, 0, 0.4, 0.35], [392, 0.25, 0.6, 0.35]],
  trouble: [[330, 0, 0.5, 0.12]],
  security: [0, 0.9, 1.8].flatMap((at) => [[220, at, 0.16, 0.9], [220, at + 0.2, 0.16, 0.9], [330, at + 0.4, 0.28, 0.9]]),
};
const VIBRATIONS = { help: [220, 120, 220], greet: [80], watch: [160], drawer: [160], trouble: [40], security: [90, 70, 90, 70, 400, 200, 90, 70, 90, 70, 400] };

/** Whether a sound would be heard now. Browsers keep quiet until the first touch. */
export const ready = () => context !== null && context.state === "running";

/** To be called inside a touch, a click or a key press. changed(): whenever sound begins or ends to be possible. */
export async function unlock(changed) {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return false;
  if (!context) {
    context = new Context();
    // A telephone call takes it away, and only another touch brings it back.
    context.onstatechange = changed;
  }
  if (context.state !== "running") await context.resume().catch(() => {});
  return ready();
}

export function call(kind) {
  // Before the first touch a browser refuses, and writes a complaint each time.
  if (navigator.vibrate && navigator.userActivation?.hasBeenActive !== false) navigator.vibrate(VIBRATIONS[kind] ?? VIBRATIONS.help);
  if (!ready()) return;
  for (const [hertz, at, lasts, loudness] of SOUNDS[kind] ?? SOUNDS.help) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const begins = context.currentTime + at;
    tone.type = kind === "security" ? "triangle" : "sine";
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, begins);
    volume.gain.exponentialRampToValueAtTime(loudness, begins + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, begins + lasts);
    tone.connect(volume).connect(context.destination);
    tone.start(begins);
    tone.stop(begins + lasts + 0.05);
  }
}
