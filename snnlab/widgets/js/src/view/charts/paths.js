/** Lines, bands and markers as the path data of SVG. */

const text = (...numbers) => numbers.map((value) => Math.round(value * 1000) / 1000).join();
const through = (points) => `M${points.map((point) => text(...point)).join("L")}`;

/** @typedef {(point: any, index: number) => number[]} Place of a point of a curve, in pixels */

/** A line through points. @param {Place} place */
export const line = (points, place) => (points.length ? through(Array.from(points, place)) : null);

/** What lies between two lines. @param {Place} low  @param {Place} high */
export const area = (points, low, high) => `${through([...points.map(high), ...points.map(low).reverse()])}Z`;

/** The circle of area 1, from four curves. */
const CIRCLE = "M0,-.564C.312,-.564 .564,-.312 .564,0S.312,.564 0,.564S-.564,.312 -.564,0S-.312,-.564 0,-.564Z";

/** Markers of about area 1. @type {Object<string, string>} */
export const MARKERS = {
  circle: CIRCLE,
  ring: CIRCLE,
  up: "M0,-.877L.76,.439L-.76,.439Z",
  down: "M0,.877L-.76,-.439L.76,-.439Z",
  square: "M-.5,-.5H.5V.5H-.5Z",
  diamond: "M0,-.931L.537,0L0,.931L-.537,0Z",
  star: "M0,-.944L.212,-.292H.898L.343,.111L.555,.764L0,.361L-.555,.764L-.343,.111L-.898,-.292H-.212Z",
  plus: "M-.224,-.224V-.671H.224V-.224H.671V.224H.224V.671H-.224V.224H-.671V-.224Z",
  wye: "M.27,.156V.696H-.27V.156L-.737,-.114L-.467,-.581L0,-.312L.467,-.581L.737,-.114Z",
  times: "M-.61,.61L.61,-.61M-.61,-.61L.61,.61",
  asterisk: "M0,.6V-.6M-.52,.3L.52,-.3M-.52,-.3L.52,.3",
};

/** A marker of an area. */
export const markerPath = (kind, size) => MARKERS[kind].replace(/-?\.\d+/g, (unit) => text(Number(unit) * Math.sqrt(size)));
