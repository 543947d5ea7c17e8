// What a shopper could not see, read or hit on the screen as it stands now: see test_kiosk_displays.py.
() => {
  const cut = [];
  const shown = (el) => el.getClientRects().length > 0;
  const name = (el) => `${el.className || el.tagName} '${el.textContent.trim().slice(0, 30)}'`;
  const over = document.documentElement.scrollHeight - innerHeight;
  const across = document.documentElement.scrollWidth - innerWidth;
  if (over > 0 || across > 0) cut.push(`the page scrolls by ${over} and ${across} px`);

  const parts = [...document.querySelectorAll("[data-region], [data-region] *")].filter(
    (el) => el instanceof HTMLElement && shown(el),
  );
  for (const el of parts) {
    const { left, top, right, bottom } = el.getBoundingClientRect();
    if (left < -0.5 || top < -0.5 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5) {
      cut.push(`${name(el)} leaves the display`);
    }
    if (el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).display !== "inline") {
      cut.push(`${name(el)} is wider than its room`);
    }
  }

  const texts = parts.filter((el) => [...el.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const boxes = texts.map((el) => {
    const range = document.createRange();
    range.selectNodeContents(el);
    return range.getBoundingClientRect();
  });
  const size = (el) => parseFloat(getComputedStyle(el).fontSize);
  const shared = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from]);
  texts.forEach((el, i) => {
    const key = el.closest("button")?.getBoundingClientRect();
    const box = boxes[i];
    if (key && (box.left < key.left || box.right > key.right || box.top < key.top - 1 || box.bottom > key.bottom + 1)) {
      cut.push(`${name(el)} leaves its key`);
    }
    for (let j = i + 1; j < texts.length; j++) {
      if (el.contains(texts[j]) || shared(box, boxes[j], "left", "right") <= 1) continue;
      // A line's box is a little higher than its letters.
      const air = 0.1 * Math.max(size(el), size(texts[j]));
      if (shared(box, boxes[j], "top", "bottom") > air) cut.push(`${name(el)} lies over ${name(texts[j])}`);
    }
  });

  const pen = document.createElement("canvas").getContext("2d");
  const take = (el) => {
    const style = getComputedStyle(el);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  };
  const capital = (el) => {
    take(el);
    return pen.measureText("H").actualBoundingBoxAscent;
  };
  const LONGEST = 20; // a longer name may break
  for (const el of texts) {
    take(el);
    const around = el.closest("button") || el.parentElement;
    const style = getComputedStyle(around);
    const room = around.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    for (const word of el.textContent.trim().split(/\s+/)) {
      if (word.length < LONGEST && pen.measureText(word).width > room + 1) cut.push(`${name(el)} breaks '${word}'`);
    }
  }

  const keys = [...document.querySelectorAll("button")].filter(shown).map((el) => el.getBoundingClientRect());
  return {
    cut,
    sentence: capital(document.querySelector("h1")),
    word: Math.min(...texts.map(capital)),
    side: keys.length ? Math.min(...keys.flatMap((key) => [key.width, key.height])) : null,
  };
}
