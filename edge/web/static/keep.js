// What a person has begun must survive a list that is drawn anew: an open 'Done', a half-written note, a notice.

const NOTICE_MS = 8_000;

/** Remember what is under way inside `board`; returns a function that puts it back after the redraw. */
export function keep(board) {
  const open = [...board.querySelectorAll("details[open]")].map((d) => d.id);
  const notes = [...board.querySelectorAll("textarea, input[maxlength]")].filter((t) => t.value).map((t) => [t.id, t.value]);
  const focused = board.contains(document.activeElement) ? document.activeElement.id : "";
  const caret = focused && document.activeElement.selectionStart;
  const notices = [...board.querySelectorAll("[data-notice]")].filter((n) => age(n) < NOTICE_MS);
  return () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, value] of notes) {
      const note = document.getElementById(id);
      if (note) note.value = value;
    }
    const again = focused && document.getElementById(focused);
    if (again) {
      again.focus({ preventScroll: true });
      if (typeof caret === "number" && again.setSelectionRange) again.setSelectionRange(caret, caret);
    }
    for (const notice of notices) {
      const request = CSS.escape(notice.dataset.notice);
      if (board.querySelector(`[data-notice="${request}"]`)) continue;
      const card = board.querySelector(`[data-request="${request}"]`);
      (card?.querySelector("div:last-of-type") ?? card ?? board).prepend(notice);
    }
    stamp(board);
  };
}

/** Note when each notice appeared, and take away those that have been read. */
export function stamp(board) {
  for (const notice of board.querySelectorAll("[data-notice]")) {
    if (notice.dataset.at) continue;
    notice.dataset.at = String(performance.now());
    setTimeout(() => notice.remove(), NOTICE_MS);
  }
}

const age = (notice) => performance.now() - Number(notice.dataset.at ?? performance.now());
