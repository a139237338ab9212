/**
 * The style sheet of the explorers, inside their shadow root, so that neither the page nor an explorer paints the other.
 * Colours are the palette's, set as custom properties. Layout follows the explorer's own width, not the window's.
 */
import { LAYOUTS } from "./layouts.js";

export const STYLE = `
:host { display: block; container: snn-lab / inline-size; font-size: 15px; line-height: 1.4; text-align: left; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
h4, p, figure, fieldset, ul { margin: 0; padding: 0; border: 0; font: inherit; list-style: none; }
.lab { -webkit-print-color-adjust: exact; print-color-adjust: exact; color: var(--ink); background: var(--background); font-variant-numeric: tabular-nums; position: relative; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.notice { position: sticky; top: 0; z-index: 6; margin: 0 0 10px; padding: 8px 12px; border-left: 4px solid var(--attack); background: var(--panel); font-size: 14px; }
.notice.status { border-color: var(--focus); }
canvas { display: block; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }

/* --- controls -------------------------------------------------------------------------------------------------- */
.field label, .field legend, .field > label { font-size: 13px; color: var(--quiet); }
.select { display: flex; flex-direction: column; gap: 4px; }
.choice legend { float: left; margin-bottom: 4px; }
.choice legend + * { clear: both; }
.select select, button { font: inherit; font-size: 14px; color: inherit; background: var(--background); border: 1px solid var(--control);
  border-radius: 6px; height: 34px; padding: 0 10px; }
.select select { max-width: 100%; min-width: 0; padding-right: 4px; }
button { cursor: pointer; }
button:hover, .select select:hover { border-color: var(--ink); }
.options { display: flex; border: 1px solid var(--control); border-radius: 6px; overflow: hidden; height: 34px; }
.options label { position: relative; display: flex; align-items: center; cursor: pointer; color: var(--ink); font-size: 14px; }
.options label + label { border-left: 1px solid var(--control); }
.options input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.options span { padding: 0 11px; height: 100%; display: flex; align-items: center; }
.options label:hover span { background: var(--panel); }
.options input:checked + span { background: var(--ink); color: var(--background); font-weight: 600; }
.options label:has(:focus-visible) { outline: 2px solid var(--focus); outline-offset: -3px; }
fieldset:disabled .options { opacity: 0.45; }
fieldset:disabled .options * { cursor: not-allowed; }
.why { clear: both; font-size: 12px; color: var(--quiet); margin-top: 2px; }
.options input:disabled + span { opacity: 0.45; cursor: not-allowed; }
.slider.off input { opacity: 0.45; cursor: not-allowed; }
.slider.off .value { font-weight: 400; color: var(--quiet); white-space: normal; }
.small { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: center; margin-bottom: 6px; }
.small legend { float: left; margin: 0; padding-right: 8px; line-height: 26px; }
.small .options { height: 26px; clear: none; width: max-content; }
.small .options label { font-size: 13px; }
.small .options span { padding: 0 9px; }
.small .why { margin: 2px 0 0; }
.slider { display: grid; grid-template-columns: 5.4em minmax(0, 1fr) 7.2em; gap: 12px; align-items: center; min-height: 34px; }
.slider label { font-size: 14px; color: var(--ink); }
.slider .value { font-size: 14px; font-weight: 600; white-space: nowrap; }
input[type="range"] { appearance: none; width: 100%; height: 28px; margin: 0; background: transparent; cursor: pointer; }
input[type="range"]::-webkit-slider-runnable-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--ink) var(--filled, 0%), var(--control) var(--filled, 0%)); }
input[type="range"]::-moz-range-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--ink) var(--filled, 0%), var(--control) var(--filled, 0%)); }
input[type="range"]::-webkit-slider-thumb { appearance: none; width: 20px; height: 20px; margin-top: -8px; border-radius: 50%;
  background: var(--background); border: 3px solid var(--ink); }
input[type="range"]::-moz-range-thumb { width: 14px; height: 14px; border-radius: 50%; background: var(--background); border: 3px solid var(--ink); }

.stopped { row-gap: 0; }
.stops { grid-column: 2; display: flex; justify-content: space-between; margin: -4px 0 4px; font-size: 12px; color: var(--quiet); }
.stops span { width: 20px; text-align: center; white-space: nowrap; display: flex; justify-content: center; }

/* --- digits ---------------------------------------------------------------------------------------------------- */
.digits { min-width: 0; }
.digits legend { float: left; width: 100%; margin-bottom: 4px; }
.digits .row { clear: both; height: 34px; display: flex; gap: 8px; align-items: center; min-width: 0; }
.strip { display: flex; gap: 4px; overflow-x: auto; padding: 2px; margin: -2px; min-width: 0; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.strip label { position: relative; flex: none; cursor: pointer; border-radius: 5px; padding: 1px; border: 2px solid transparent; }
.strip canvas { width: 28px; height: 28px; image-rendering: auto; border-radius: 2px; opacity: 0.72; }
.strip label:hover canvas, .strip label:has(:checked) canvas { opacity: 1; }
.strip input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.strip label:has(:checked) { border-color: var(--ink); }
.strip label:has(:focus-visible) { border-color: var(--focus); }
.draw-button { flex: none; }
.draw-button.chosen { background: var(--ink); color: var(--background); font-weight: 600; }
.drawing { position: absolute; z-index: 5; right: 0; top: 62px; width: 250px; padding: 12px; background: var(--background); border: 1px solid var(--control);
  border-radius: 10px; box-shadow: 0 8px 30px rgb(0 0 0 / 25%); font-size: 13px; }
.drawing .field { position: relative; width: 224px; height: 224px; }
.drawing canvas { width: 224px; height: 224px; touch-action: none; cursor: crosshair; border-radius: 6px; }
.drawing p { margin: 8px 0; color: var(--quiet); }
.drawing .buttons { display: flex; justify-content: space-between; }
.pen { position: absolute; left: 50%; top: 25%; width: 16px; height: 16px; margin: -8px; border: 2px solid #7DB7FF; border-radius: 50%; pointer-events: none; visibility: hidden; }
canvas:focus-visible + .pen { visibility: visible; }
.pen.down { background: #7DB7FF; }

/* --- pictures -------------------------------------------------------------------------------------------------- */
.picture figcaption { font-size: 13px; color: var(--quiet); margin-bottom: 3px; white-space: nowrap; }
.picture canvas { width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; }
.picture.difference canvas { border: 1px solid var(--line); }
.picture.attacked.changed figcaption { color: var(--attack); font-weight: 600; }
.picture.idle canvas, .picture.idle .map { opacity: 0.35; }
.map { display: flex; gap: 3px; align-items: center; margin-top: 3px; font-size: 11.5px; color: var(--quiet); }
.map i { flex: none; width: 9px; height: 9px; border-radius: 2px; background: var(--darker); }
.map .brighter { background: var(--brighter); margin-left: 4px; }

/* --- time ------------------------------------------------------------------------------------------------------ */
.panel header { display: flex; gap: 4px 10px; align-items: center; font-size: 13px; min-height: 22px; white-space: nowrap; overflow: hidden; }
.panel h4, .panel.curve h4 { font-size: 14px; font-weight: 600; }
.panel .note { color: var(--quiet); overflow: hidden; text-overflow: ellipsis; }
.key { color: var(--quiet); display: inline-flex; align-items: center; gap: 5px; }
.key i { width: 12px; height: 12px; border-radius: 2px; }
.key .made { background: repeating-linear-gradient(135deg, var(--attack) 0 3px, color-mix(in srgb, var(--attack) 62%, var(--panel)) 3px 4px); }
.key .lost { margin-left: 6px; background: color-mix(in srgb, var(--ink) 38%, var(--panel)); }
.time { display: flow-root; position: relative; touch-action: pan-y; cursor: ew-resize; user-select: none; -webkit-user-select: none; }
.time.timeless { cursor: default; }
.time .panel + .panel { margin-top: 8px; }
.time .body { position: relative; }
.time canvas, .votes { display: block; width: 100%; }
.input canvas { height: 180px; }
.hidden canvas { height: 118px; }
.votes { height: 104px; overflow: visible; }
.rows { position: absolute; left: 0; top: 0; bottom: 0; width: calc(var(--left) - 12px); font-size: 10.5px; line-height: 1; color: var(--quiet); text-align: right; }
.rows span { position: absolute; right: 0; transform: translateY(-50%); }
.steps { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; margin: 2px var(--right) 24px var(--left); font-size: 13px; color: var(--quiet); text-align: center; }
.steps::before { content: "step"; position: absolute; left: 0; width: calc(var(--left) - 7px); text-align: right; }
.steps .read { color: var(--ink); font-weight: 600; }
.timeless .steps, .timeless .cursor, .timeless .veil { visibility: hidden; }
.cursor, .veil { position: absolute; top: 0; bottom: 0; left: calc(var(--left) + var(--exit, 1) * (100% - var(--left) - var(--right))); pointer-events: none; }
.cursor { width: 0; border-left: 2px solid var(--ink); margin-left: -1.5px; z-index: 3; top: 22px; }
.grip { position: absolute; bottom: 0; left: 0; transform: translateX(-50%); padding: 0 8px; border-radius: 10px; background: var(--ink); color: var(--background);
  font-size: 12px; line-height: 20px; font-weight: 600; white-space: nowrap; }
.veil { right: var(--right); background: var(--background); opacity: 0.75; z-index: 1; }
.unread { fill: var(--background); opacity: 0.75; }
.time header > * { position: relative; z-index: 4; background: var(--background); }
svg text { font-size: 12px; fill: var(--quiet); font-variant-numeric: tabular-nums; }
svg .class { font-size: 12px; font-weight: 700; text-anchor: middle; dominant-baseline: central; }
svg .label { dominant-baseline: central; font-size: 13px; }
svg .label.strong { font-weight: 700; }
svg .label, svg .curve-label, svg .halo { paint-order: stroke; stroke: var(--background); stroke-width: 3px; stroke-linejoin: round; }
.votes { position: relative; z-index: 0; }

.tags { left: auto; right: 0; width: calc(var(--right) - 7px); text-align: left; white-space: pre-line; font-size: 11px; line-height: 1.1; color: var(--ink); }
.tags span { left: 0; right: auto; }
.cursor.other { border-left-style: dashed; border-left-width: 1.5px; z-index: 2; }
.other .grip { background: var(--background); color: var(--ink); box-shadow: inset 0 0 0 1.5px var(--ink); }
.time.whole { cursor: default; }
.whole .cursor, .whole .veil { display: none; }
.whole .steps { margin-bottom: 0; }
.reach { position: absolute; top: 22px; bottom: 42px; left: calc(var(--left) + var(--exit, 1) * (100% - var(--left) - var(--right))); right: var(--right); pointer-events: none; z-index: 2;
  border-left: 2px dashed var(--attack); margin-left: -1px; }
.reach::after { content: ""; position: absolute; left: 0; right: 0; bottom: -4px; height: 5px;
  background: repeating-linear-gradient(135deg, var(--attack) 0 3px, color-mix(in srgb, var(--attack) 62%, var(--panel)) 3px 4px); }

/* --- outputs --------------------------------------------------------------------------------------------------- */
.outputs { display: block; width: 100%; height: 150px; overflow: visible; }
svg .row-label { font-size: 10.5px; text-anchor: end; dominant-baseline: central; }
svg .vote-count { font-size: 12px; font-weight: 600; dominant-baseline: central; }
.panel .note.end { margin-left: auto; }

/* --- curves ---------------------------------------------------------------------------------------------------- */
.plot { display: block; width: 100%; height: 250px; cursor: ew-resize; touch-action: pan-y; user-select: none; -webkit-user-select: none; }
.curve h4 { min-height: 22px; }
.axis path { display: none; }
.axis line { stroke: var(--line); }
.axis text { fill: var(--quiet); font: 12px system-ui, sans-serif; font-family: inherit; }
.curve-line { fill: none; stroke-linejoin: round; }
.chance { stroke: var(--control); stroke-dasharray: 2 4; }
.curve-label { text-anchor: middle; dominant-baseline: central; font-size: 12px; }
svg .curve-label.strong { font-weight: 700; font-size: 14px; }
.eps-line { stroke: var(--ink); stroke-width: 2; }
.eps-grip { fill: var(--background); stroke: var(--ink); stroke-width: 3; }
.legend { display: grid; grid-template-columns: 1fr 1fr; gap: 0 18px; font-size: 13px; margin-top: 6px; }
.legend li { display: flex; align-items: center; gap: 7px; padding: 2px 0; border-bottom: 1px solid var(--line); min-width: 0; color: var(--quiet); }
.legend li.head { grid-column: 1 / -1; color: var(--quiet); justify-content: flex-start; }
.picks li:not(.head) { cursor: pointer; }
.picks li:not(.head):hover, .legend li.current { color: var(--ink); }
.legend li.current { font-weight: 700; }
.legend .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.legend b { margin-left: auto; font-weight: inherit; white-space: nowrap; }
.legend .head b { margin-left: 0; font-weight: 600; color: var(--ink); }
.legend .range { flex: none; min-width: 4.6em; text-align: right; font-weight: 400; color: var(--quiet); }
.legend .range:empty { display: none; }
.swatch { flex: none; }
.empty:empty { display: none; }
.empty { color: var(--quiet); font-size: 14px; padding: 10px 0; }

/* --- verdict --------------------------------------------------------------------------------------------------- */
.answer { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; }
.answer strong { font-size: 28px; line-height: 1.15; font-weight: 700; }
.answer .note { font-size: 17px; }
.answer .sign { font-size: 24px; line-height: 1; font-weight: 700; }
.answer[data-tone="right"] .sign, .answer[data-tone="right"] .note { color: var(--right); }
.answer[data-tone="wrong"] strong, .answer[data-tone="wrong"] .sign, .answer[data-tone="wrong"] .note { color: var(--attack); }
.effect { font-size: 14px; color: var(--ink); max-width: 70ch; }

/* --- caption --------------------------------------------------------------------------------------------------- */
.caption { font-size: 13px; color: var(--quiet); border-top: 1px solid var(--line); padding-top: 8px; }
.caption summary { cursor: pointer; list-style: none; }
.caption summary::-webkit-details-marker { display: none; }
.caption summary > span + span::before { content: " · "; white-space: pre; }
.caption .badge::before { content: "●"; margin-right: 6px; color: var(--right); font-size: 10px; vertical-align: 1px; }
.caption .badge { color: var(--ink); font-weight: 600; }
.caption .flags:empty { display: none; }
.caption u { white-space: nowrap; margin-left: 4px; }
.caption p { margin-top: 6px; max-width: 80ch; }
.link { float: right; display: flex; flex-wrap: wrap; gap: 0 10px; justify-content: flex-end; max-width: 100%; margin-left: 16px; }
.link button { height: auto; min-height: 24px; margin-top: -3px; padding: 0; border: 0; background: none; font-size: 13px; color: inherit; text-decoration: underline; }
.link button:hover { color: var(--ink); }
.link span { color: var(--ink); }
.link input { flex: 0 1 34em; min-width: 0; font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--control); border-radius: 4px; padding: 2px 6px; }

${LAYOUTS}
@media (prefers-reduced-motion: no-preference) {
  .options span, .strip canvas, button { transition: background-color 120ms, opacity 120ms; }
}
@media print {
  .controls { position: static; }
  .draw-button, .how, .link { display: none; }
}
`;
