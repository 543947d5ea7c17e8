// Draws the charts of a page from the numbers in their elements, in the design's colours, light and dark.

const HEIGHT = 280;
const PAPER_WIDTH = 680; // A4 between its margins
// Paper is white while the screen is dark: the first rule of each sheet that has the value is the light one.
const light = (name) => {
  const rules = [...document.styleSheets].filter((sheet) => !sheet.media.length).map((sheet) => sheet.cssRules[0]);
  return rules.map((rule) => rule?.style?.getPropertyValue(name) ?? "").find(Boolean) ?? "";
};
let onPaper = false;
const token = (name) =>
  (onPaper ? light(`--${name}`) : getComputedStyle(document.documentElement).getPropertyValue(`--${name}`)).trim();
const font = () => `12px ${token("face")}`;

const axis = (label, more = {}) => ({
  label, font: font(), labelFont: font(), labelSize: 22, stroke: token("ink-quiet"),
  grid: { stroke: token("line"), width: 1 }, ticks: { stroke: token("line"), width: 1 }, ...more,
});

function plain(series, more) {
  return { label: series.name, stroke: token(series.colour), width: 2, points: { show: false }, ...more };
}

// Nothing pointed at: no value. Pointed at what has none: a dash.
const said = (at, v, text) => (at === null || at === undefined ? "" : v === null || v === undefined ? "–" : text(v));
const value = (_u, v, _s, at) => said(at, v, (n) => String(Math.round(n * 10) / 10));

function curve(chart) {
  return {
    series: chart.series.map((one) =>
      plain(one, { paths: uPlot.paths.stepped({ align: 1 }), dash: one.dash ? [6, 4] : undefined, value }),
    ),
    scales: { x: { time: false }, y: { range: [0, 100] } },
    data: chart.series.map((one) => one.values),
  };
}

function bars(chart) {
  // The wider bar first, the narrower one in front of it: an hour keeps one place.
  const wide = [...chart.series].reverse();
  return {
    series: wide.map((one, number) =>
      plain(one, { fill: token(number ? one.colour : `${one.colour}-wash`), width: 1.5, paths: uPlot.paths.bars({ size: [number ? 0.4 : 0.75, 60] }), value }),
    ),
    scales: { x: { time: false, range: [chart.x[0] - 0.6, chart.x.at(-1) + 0.6] }, y: { range: (_u, _least, most) => [0, Math.max(10, most * 1.05)] } },
    data: wide.map((one) => one.values),
  };
}

function stack(chart) {
  let below = chart.x.map(() => 0);
  const sums = chart.series.map((one) => (below = one.values.map((v, i) => v + below[i])));
  const last = chart.x.length - 1;
  // The whole stack is drawn first, what stands lower in front of it.
  const order = chart.series.map((_, number) => number).reverse();
  return {
    series: order.map((number) =>
      plain(chart.series[number], {
        fill: token(chart.series[number].colour), stroke: token("card"), width: 1, paths: uPlot.paths.bars({ size: [0.7, 60] }),
        value: (_u, v, _s, at) => said(at, v, () => String(chart.series[number].values[at])),
      }),
    ),
    scales: { x: { time: false, range: [-0.6, last + 0.6] }, y: { range: (_u, _least, most) => [0, Math.max(4, most * 1.05)] } },
    data: order.map((number) => sums[number]),
  };
}

const KINDS = { curve, bars, stack };

function draw(element) {
  const chart = JSON.parse(element.dataset.chart);
  const { series, scales, data } = KINDS[chart.kind](chart);
  const label = chart.labels && ((at) => chart.labels[at] ?? "");
  const xAxis = axis(chart.x_title, label ? { values: (_u, marks) => marks.map((m) => (Number.isInteger(m) ? label(m) : "")) } : {});
  element.replaceChildren();
  return new uPlot(
    {
      width: onPaper ? PAPER_WIDTH : element.clientWidth, height: HEIGHT, scales,
      series: [{ label: chart.x_title, value: (_u, v, _s, at) => said(at, v, (n) => (label ? label(n) : String(n))) }, ...series],
      axes: [xAxis, axis(chart.y_title, { size: 44 })],
      cursor: { drag: { x: false, y: false } },
    },
    [chart.x, ...data],
    element,
  );
}

const elements = [...document.querySelectorAll("[data-chart]")];
let plots = [];
function all() {
  plots.forEach((plot) => plot.destroy());
  plots = elements.map(draw);
}

all();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
for (const [event, paper] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    onPaper = paper;
    all();
  });
}
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  plots.forEach((plot, number) => plot.setSize({ width: elements[number].clientWidth, height: HEIGHT }));
});
