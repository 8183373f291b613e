// Draws the readings that stand in the page. Without it the table beside each plot tells the last value.
(function () {
  "use strict";

  const HEIGHT = 180, SPARK = 48;

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  const day = new Intl.DateTimeFormat(document.documentElement.lang, { day: "2-digit", month: "2-digit" });
  const hour = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });

  // One reading alone stands in the middle of an hour.
  function span(plot, from, to) {
    const seconds = plot.data[0];
    return seconds.length === 1 ? [seconds[0] - 1800, seconds[0] + 1800] : [from, to];
  }

  function times(plot, splits) {
    const format = plot.scales.x.max - plot.scales.x.min > 2 * 86400 ? day : hour;
    return splits.map(function (seconds) { return format.format(new Date(seconds * 1000)); });
  }

  // The course of the values alone, beside numbers that tell them.
  function spark(figure) {
    new uPlot({
      width: figure.clientWidth,
      height: SPARK,
      legend: { show: false },
      cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      series: [{}, { stroke: colour("--accent"), width: 2, points: { show: false } }],
    }, JSON.parse(figure.dataset.points), figure);
  }

  function draw(figure) {
    const points = JSON.parse(figure.dataset.points);
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
    const plot = new uPlot({
      width: figure.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: true, y: false } },
      scales: { x: { time: true, range: span } },
      axes: [{ ...axis, values: times }, { ...axis, size: 70 }],
      series: [{}, { label: figure.dataset.label, stroke: colour("--accent"), width: 2, points: { show: true, size: 5 } }],
    }, points, figure);
    new ResizeObserver(function () {
      plot.setSize({ width: figure.clientWidth, height: HEIGHT });
    }).observe(figure);
  }

  function drawAll() {
    for (const figure of document.querySelectorAll("figure[data-points]:not(.drawn)")) {
      figure.classList.add("drawn");
      (figure.classList.contains("spark") ? spark : draw)(figure);
    }
  }

  document.addEventListener("htmx:load", drawAll);
  document.addEventListener("DOMContentLoaded", drawAll);
})();
