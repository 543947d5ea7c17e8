// Draws the charts of a page from the numbers in their elements, in the design's colours, light and dark.

const HEIGHT = 280;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const font = () => `12px ${token("face")}`;

const axis = (label, more = {}) => ({
  label, font: font(), labelFont: font(), labelSize: 22, stroke: token("ink-quiet"),
  grid: { stroke: token("line"), width: 1 }, ticks: { stroke: token("line"), width: 1 }, ...more,
});

function plain(series, more) {
  return { label: series.name, stroke: token(series.colour), width: 2, points: { show: false }, ...more };
}

const value = (_u, v) => (v === null || v === undefined ? "–" : String(Math.round(v * 10) / 10));

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
      plain(one, { fill: token(one.colour), stroke: token("card"), width: 2, paths: uPlot.paths.bars({ size: [number ? 0.35 : 0.75] }), value }),
    ),
    scales: { x: { time: false, range: [-0.6, 23.6] }, y: { range: (_u, _least, most) => [0, Math.max(10, most * 1.05)] } },
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
        value: (_u, _v, _s, at) => (at === null || at === undefined ? "–" : String(chart.series[number].values[at])),
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
  const xAxis = axis(chart.x_title, label ? { values: (_u, marks) => marks.map((m) => (Number.isInteger(m) ? label(m).slice(5) : "")) } : {});
  element.replaceChildren();
  return new uPlot(
    {
      width: element.clientWidth, height: HEIGHT, scales,
      series: [{ label: chart.x_title, value: (_u, v) => (v === null || v === undefined ? "–" : label ? label(v) : String(v)) }, ...series],
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
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  plots.forEach((plot, number) => plot.setSize({ width: elements[number].clientWidth, height: HEIGHT }));
});
