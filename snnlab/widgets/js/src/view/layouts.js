/** Where the parts of each explorer stand, by the explorer's own width. */
export const LAYOUTS = `
/* --- all but the encoder explorer: on a narrow screen one column, controls pinned -------------------------------- */
.robustness, .training, .exits, .fusion, .attacks, .results { display: flex; flex-direction: column; gap: 14px; }
.pictures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 10px; }
.controls { order: 9; position: sticky; bottom: 0; z-index: 5; background: var(--background); border-top: 1px solid var(--control); padding: 8px 0 10px;
  display: grid; gap: 6px; }
.setup { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: start; }
.caption { order: 8; }
@container snn-lab (max-width: 559px) {
  .answer { gap: 0 8px; }
  .answer strong { font-size: 21px; }
  .answer .note { font-size: 15px; }
  .answer .sign { font-size: 20px; }
  .controls { grid-template-columns: minmax(0, 1fr) auto; column-gap: 8px; align-items: center; }
  .setup { display: contents; }
  .tune { grid-column: 1 / -1; }
  .setup .select { max-width: 118px; }
  .setup .select label, .setup .choice legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .setup .select select, .setup .options { width: 100%; }
  .setup .options label { flex: 1 1 auto; font-size: 13px; white-space: nowrap; }
  .setup .options span { width: 100%; justify-content: center; padding: 0 3px; }
  .setup .why { font-size: 11px; }
  .slider { grid-template-columns: 4.6em minmax(0, 1fr) 4.4em; gap: 10px; min-height: 32px; }
  .digits .row { height: 42px; }
  .drawing { position: static; width: 100%; }
  .strip canvas { width: 36px; height: 36px; }
  .panel .note { display: none; }
  .map { gap: 2px; font-size: 11px; }
}
@container snn-lab (min-width: 560px) {
  .robustness, .training, .exits, .fusion, .attacks, .results { display: grid; gap: 16px 20px; }
  .controls { display: contents; }
  .digits { grid-area: digits; }
  .setup { grid-area: setup; gap: 6px 16px; }
  .setup .select { max-width: 190px; }
  .tune { grid-area: tune; align-self: start; }
  .answer { grid-area: answer; }
  .effect { grid-area: effect; min-height: 4.2em; }
  .caption { grid-area: caption; }
  .app > .pictures { grid-area: pics; grid-template-columns: 1fr; align-content: start; gap: 8px; }
  .app > .time { grid-area: time; }
  .app > .curve { grid-area: curve; }
}
@container snn-lab (min-width: 900px) {
  .robustness, .training, .exits, .fusion, .attacks, .results { gap: 12px 22px; }
  .setup { justify-self: end; flex-wrap: nowrap; }
  .app > .digits { margin-right: var(--beside, 690px); }
  .pictures { gap: 12px; }
  .plot { height: 268px; }
  .legend { grid-template-columns: 1fr; }
}
@media (max-height: 560px) { .controls, .encoder .tune { position: static !important; } }

/* --- robustness explorer --------------------------------------------------------------------------------------- */
@container snn-lab (min-width: 560px) {
  .robustness { grid-template-columns: 116px minmax(0, 1fr) minmax(0, 1fr);
    grid-template-areas: "digits digits digits" "setup setup setup" "pics time time" "tune tune answer" "tune tune effect" "curve curve curve" "caption caption caption"; }
}
@container snn-lab (min-width: 900px) {
  .robustness { grid-template-columns: 124px minmax(0, 1fr) minmax(0, 1fr) 320px;
    grid-template-areas: "top top top top" "pics time time curve" "tune tune answer answer" "tune tune effect effect" "caption caption caption caption"; }
  .robustness > .digits, .robustness .setup { grid-area: top; }
}

/* --- encoder explorer ------------------------------------------------------------------------------------------ */
.encoder { display: flex; flex-direction: column; gap: 14px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; align-content: start; }
.pair figure { position: relative; }
.pair .picture:first-child canvas { cursor: crosshair; touch-action: none; }
.mark { position: absolute; border: 2px solid #2E9BFF; box-shadow: 0 0 0 1px #fff; pointer-events: none; }
.encoder .options { width: max-content; max-width: 100%; }
.pixel { font-size: 14px; min-height: 2.8em; max-width: 68ch; }
.codes { display: grid; gap: 18px 26px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 215px), 1fr)); }
.code h4 { font-size: 15px; font-weight: 600; display: flex; gap: 8px; align-items: center; margin-bottom: 4px; }
.code .body { position: relative; --left: 14px; --right: 0px; cursor: ew-resize; touch-action: pan-y; }
.code canvas { width: 100%; height: 132px; }
.code canvas.train { height: 16px; margin-top: 5px; }
.code .line { position: absolute; left: 0; right: 0; height: 0; border-top: 2px solid #2E9BFF; margin-top: -1px; pointer-events: none; z-index: 2; }
.code .cursor { top: 0; bottom: -3px; }
.code .steps { margin: 1px 0 0 14px; font-size: 10.5px; }
.code .steps::before { content: none; }
.code .summary { font-size: 13px; color: var(--quiet); min-height: 2.8em; margin-top: 4px; }
.code .summary b { color: var(--attack); font-weight: 600; }
.explain { align-self: center; font-size: 13px; color: var(--quiet); display: grid; gap: 6px; }
.explain p { display: flex; gap: 8px; align-items: center; }
.explain i { flex: none; width: 14px; height: 14px; border-radius: 2px; }
.explain .kept { background: var(--ink); }
.explain .made, .key .made { background: repeating-linear-gradient(135deg, var(--attack) 0 3px, color-mix(in srgb, var(--attack) 62%, var(--panel)) 3px 4px); }
.explain .lost { background: color-mix(in srgb, var(--ink) 38%, var(--panel)); }
.explain .marked { background: #2E9BFF; height: 3px; }
@container snn-lab (max-width: 699px) {
  .encoder .tune { order: 9; position: sticky; bottom: 0; z-index: 4; background: var(--background); border-top: 1px solid var(--control); padding: 6px 0; }
  .encoder .slider { grid-template-columns: 4.6em minmax(0, 1fr) 6.4em; }
}
@container snn-lab (max-width: 559px) {
  .codes { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px 16px; }
  .code h4 { font-size: 14px; }
  .code .swatch { display: none; }
}
@container snn-lab (min-width: 700px) {
  /* No set-up stands beside these digits. */
  .encoder > .digits { margin-right: 0; }
  .encoder { display: grid; gap: 10px 28px; grid-template-columns: 316px auto minmax(0, 1fr);
    grid-template-areas: "pair digits digits" "pair change tune" "pair pixel pixel" "codes codes codes" "caption caption caption"; }
  .encoder .pair { grid-area: pair; }
  .encoder .digits { grid-area: digits; }
  .encoder .choice { grid-area: change; }
  .encoder .tune { grid-area: tune; align-self: end; }
  .encoder .pixel { grid-area: pixel; min-height: 1.4em; }
  .encoder .codes { grid-area: codes; margin-top: 10px; }
  .encoder .caption { grid-area: caption; }
}

/* --- training explorer: networks side by side, or one at a time -------------------------------------------------- */
.columns { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 24px; }
.column .top { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; margin-bottom: 10px; }
.column h4 { font-size: 15px; font-weight: 600; display: flex; gap: 8px; align-items: center; }
.column .answer { grid-column: 1; grid-area: auto; align-content: start; min-height: 4.1em; }
.column .answer strong { font-size: 22px; }
.column .answer .note { font-size: 15px; }
.column .answer .sign { font-size: 20px; }
.column .picture { grid-column: 2; grid-row: 1 / span 2; width: 64px; }
.column .picture figcaption { font-size: 12px; margin-bottom: 1px; text-align: right; }
.column .time .note:not(.end) { display: none; }
.activity { font-size: 13px; color: var(--quiet); min-height: 2.8em; margin-top: 2px; }
.column .steps::before { content: none; }
.given .picture { max-width: 156px; }
.given .input canvas { height: 214px; }
.given .key, .given .note, .given .grip { display: none; }
.given .steps { font-size: 11px; margin-bottom: 0; }
.given .cursor { bottom: 18px; }
.training .curve { display: grid; gap: 0 24px; }
@container snn-lab (max-width: 559px) {
  .column:not(.turned) { display: none; }
  .columns { grid-auto-flow: row; }
  .given { display: grid; grid-template-columns: 100px minmax(0, 1fr); gap: 14px; }
  .given .input canvas { height: 100px; }
  .training .legend { grid-template-columns: 1fr; }
  .training .setup .choice:nth-of-type(1) { grid-column: 1 / -1; order: 1; }
  .training .tune { order: 2; }
  .training .setup .select { max-width: none; }
  .tabs .options label { flex: 1; }
  .tabs .options span { width: 100%; justify-content: center; padding: 0 4px; }
}
@container snn-lab (min-width: 560px) {
  .training { grid-template-columns: minmax(0, 1fr);
    grid-template-areas: "digits" "setup" "columns" "tune" "curve" "caption"; }
  .training .tabs, .training .given { display: none; }
  .columns { grid-area: columns; gap: 16px; }
  .training .tune { display: grid; grid-template-columns: 1fr 1fr; gap: 0 32px; align-self: auto; }
}
@container snn-lab (min-width: 900px) {
  .training { grid-template-columns: 156px minmax(0, 1fr);
    grid-template-areas: "top top" "given columns" "tune tune" "curve curve" "caption caption"; }
  .training .given { display: grid; align-content: start; gap: 12px; grid-area: given; }
  .training > .digits, .training .setup { grid-area: top; }
  .columns { gap: 28px; }
  .training .curve { grid-template-columns: minmax(0, 1fr) 330px; }
  .training .curve h4 { grid-column: 1 / -1; }
}

/* --- exit explorer --------------------------------------------------------------------------------------------- */
.aside { display: grid; gap: 14px; align-content: start; }
.exits .legend { grid-template-columns: 1fr; }
.leaving { display: grid; gap: 6px; }
.leaving .options { width: max-content; max-width: 100%; }
.late .slider, .leaving .slider { grid-template-columns: 6.2em minmax(0, 1fr) 7.2em; }
.people { font-size: 14px; max-width: 70ch; min-height: 2.8em; }
.meter .reading strong { font-size: 22px; }
.meter .note { font-size: 13px; }
.bar { display: flex; height: 10px; margin-top: 4px; background: var(--panel); border-radius: 2px; overflow: hidden; }
.bar i { background: var(--ink); }
.bar .saved { background: repeating-linear-gradient(135deg, var(--control) 0 1.5px, transparent 1.5px 5px); }
.bar.ann i { background: var(--control); }
.compare { font-size: 13px; color: var(--quiet); margin-top: 2px; }
.zone { flex: none; width: 26px; height: 12px; border-left: 1.5px dashed var(--attack); background: color-mix(in srgb, var(--attack) 7%, transparent); }
.reached { fill: var(--attack); opacity: 0.07; }
.reach-line { stroke: var(--attack); stroke-width: 1.5; stroke-dasharray: 5 4; }
@container snn-lab (max-width: 559px) {
  .leaving .options span { padding: 0 8px; font-size: 13px; }
  .meter .note { display: inline; }
}
@container snn-lab (min-width: 560px) {
  .exits { grid-template-columns: 116px minmax(0, 1fr) minmax(0, 1fr);
    grid-template-areas: "digits digits digits" "setup setup setup" "pics time time" "tune tune answer" "late late effect" "leaving leaving effect" "people people people" "aside aside aside" "caption caption caption"; }
  .exits .aside { grid-area: aside; }
  .late { grid-area: late; }
  .leaving { grid-area: leaving; min-height: 96px; align-content: start; }
  .people { grid-area: people; }
  .exits .effect { min-height: 5.6em; }
}
@container snn-lab (min-width: 900px) {
  .exits { grid-template-columns: 124px minmax(0, 1fr) minmax(0, 1fr) 320px;
    grid-template-areas: "top top top top" "pics time time aside" "tune tune answer answer" "tune tune effect effect" "late late effect effect" "leaving leaving people people" "caption caption caption caption"; }
  .people { padding-top: 24px; }
  .exits > .digits, .exits .setup { grid-area: top; }
}

/* --- fusion explorer ------------------------------------------------------------------------------------------- */
.mixer { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: start; }
.plot.plane { height: 276px; cursor: pointer; }
.gate-path { stroke-width: 1.5; opacity: 0.55; stroke-dasharray: 1 4; stroke-linecap: round; }
.here { stroke: var(--ink); stroke-width: 1.5; }
.fusion .reading { font-size: 13px; min-height: 2.8em; margin-top: 6px; }
.points { display: grid; grid-template-columns: auto minmax(0, 1fr) auto auto; gap: 0 12px; margin-top: 6px; }
.points label, .points .head { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; position: relative; min-height: 23px; border-bottom: 1px solid var(--line); color: var(--quiet); cursor: pointer; font-size: 13px; }
.points .head { cursor: default; }
.points .head span { text-align: right; }
.points .head span:first-child { grid-column: 1 / 3; text-align: left; }
.points input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.points label:hover, .points label:has(:checked) { color: var(--ink); }
.points label:has(:checked) { font-weight: 700; box-shadow: inset 3px 0 0 var(--ink); }
.points label:has(:focus-visible) { outline: 2px solid var(--focus); outline-offset: -2px; }
.points .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.points .swatch { margin-left: 6px; }
.points b { font-weight: inherit; text-align: right; white-space: nowrap; }
@container snn-lab (max-width: 559px) {
  .fusion .setup .select { max-width: 168px; }
  .points { gap: 0 8px; }
  .points .name { white-space: normal; }
}
@container snn-lab (min-width: 560px) {
  .fusion { grid-template-columns: 116px minmax(0, 1fr) minmax(0, 1fr);
    grid-template-areas: "digits digits digits" "setup setup setup" "mixer mixer mixer" "pics time time" "tune tune answer" "tune tune effect" "curve curve curve" "caption caption caption"; }
  .mixer { grid-area: mixer; }
}
@container snn-lab (min-width: 900px) {
  .fusion { grid-template-columns: 124px minmax(0, 1fr) minmax(0, 1fr) 360px;
    grid-template-areas: "top top top top" "mixer mixer mixer curve" "pics time time curve" "tune tune answer answer" "tune tune effect effect" "caption caption caption caption";
    grid-template-rows: auto auto 1fr; }
  .fusion > .digits, .fusion .setup { grid-area: top; }
}

/* --- attack explorer: five attackers, side by side, two by two on a narrow screen ------------------------------- */
.climbers { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); column-gap: 16px; }
.climber { min-width: 0; display: grid; grid-template-rows: subgrid; grid-row: span 7; row-gap: 0; align-content: start; padding-bottom: 14px; }
.climber h4 { font-size: 17px; font-weight: 700; border-top: 2px solid var(--ink); padding-top: 4px; }
.doing { font-size: 13px; line-height: 1.3; color: var(--quiet); margin-bottom: 10px; }
.climber .answer { grid-area: auto; gap: 0 7px; }
.climber .answer strong { font-size: 22px; }
.climber .answer .note { font-size: 14px; }
.climber .answer .sign { font-size: 19px; }
.ending { font-size: 13px; color: var(--quiet); margin-bottom: 10px; }
.seen { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 4px 8px; }
.seen .picture figcaption { font-size: 12px; overflow: hidden; text-overflow: ellipsis; }
.seen .gradient { grid-column: 1 / -1; }
.seen .gradient canvas { image-rendering: auto; }
.zero { font-size: 13px; margin-top: 5px; }
.blind .zero { font-weight: 700; }
.hill { display: block; width: 100%; height: 108px; margin-top: 10px; cursor: ew-resize; touch-action: pan-y; user-select: none; -webkit-user-select: none; overflow: visible; }
.hill .tick { font-size: 11px; }
.hill .misread { fill: var(--attack); opacity: 0.1; }
.hill .level { stroke: var(--attack); stroke-width: 1; stroke-dasharray: 4 3; }
.hill .zone-label { fill: var(--attack); }
.hill .now { stroke: var(--ink); stroke-width: 1.5; }
.hill .own-hill { stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.hill .other-hill { stroke: var(--control); stroke-width: 1; opacity: 0.75; stroke-linejoin: round; }
.hill .here { fill: var(--ink); stroke: var(--background); stroke-width: 2; }
.signs { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; color: var(--quiet); }
.signs span { display: inline-flex; gap: 6px; align-items: center; }
.signs i { flex: none; width: 12px; height: 12px; border-radius: 2px; background: var(--darker); }
.signs .brighter { background: var(--brighter); }
.signs .nothing { background: repeating-linear-gradient(135deg, color-mix(in srgb, var(--quiet) 62%, var(--panel)) 0 1.25px, var(--panel) 1.25px 3.5px); box-shadow: inset 0 0 0 1px var(--line); }
.played { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 10px; align-items: center; }
.play { display: inline-flex; gap: 7px; align-items: center; justify-content: center; min-width: 84px; }
.play span:first-child { font-size: 11px; }
.attacks .people { min-height: 0; }
@container snn-lab (max-width: 559px) {
  .climbers { column-gap: 14px; }
  .climber { padding-bottom: 22px; }
  .attacks .setup .select { max-width: none; }
  .attacks .controls { grid-template-columns: minmax(0, 1fr); }
  .attacks .play { min-width: 0; width: 40px; padding: 0; }
  .attacks .play span:last-child { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .attacks .signs { font-size: 12px; gap: 2px 12px; }
}
@container snn-lab (min-width: 560px) {
  .attacks { grid-template-columns: minmax(0, 1fr) auto;
    grid-template-areas: "digits setup" "tune tune" "climbers climbers" "signs signs" "effect effect" "people people" "caption caption"; }
  .attacks .climbers { grid-area: climbers; }
  .attacks .signs { grid-area: signs; }
  .attacks .effect { min-height: 2.8em; max-width: 100ch; font-size: 15px; }
  .attacks .people { max-width: 100ch; padding: 0; }
  .attacks .tune { display: grid; grid-template-columns: 1fr 1fr; gap: 0 32px; align-items: center; }
  .attacks .tune .slider { grid-template-columns: auto minmax(0, 1fr) 4.8em; }
}
@container snn-lab (min-width: 700px) {
  .climbers { grid-template-columns: repeat(3, minmax(0, 1fr)); column-gap: 20px; }
}
@container snn-lab (min-width: 900px) {
  .attacks > .digits { margin-right: 0; }
  .climbers { grid-template-columns: repeat(5, minmax(0, 1fr)); }
  .climber { padding-bottom: 0; }
}
@container snn-lab (min-width: 1150px) {
  .seen { grid-template-columns: minmax(0, 1fr) calc((100% - 34px) / 3); }
  .seen .gradient { grid-column: 1; grid-row: 1 / span 2; }
}

/* --- results explorer ------------------------------------------------------------------------------------------ */
.results .knows { color: var(--quiet); font-size: 14px; max-width: 72ch; min-height: 2.8em; }
.standings .bars { position: relative; margin-top: 4px; font-size: 13.5px; }
.results .curve .legend { display: none; }
.standings table { width: 100%; border-collapse: collapse; font: inherit; table-layout: fixed; }
.standings th, .standings td { padding: 0; font-weight: 400; text-align: left; height: 27px; vertical-align: middle; white-space: nowrap; }
.standings th:first-child { width: var(--names, 168px); }
.standings td.value, .standings th:nth-child(3) { width: 106px; padding-left: 10px; }
.standings td.before, .standings th:nth-child(4) { width: 46px; text-align: right; color: var(--quiet); }
.standings .head th { font-size: 12px; color: var(--quiet); height: 24px; }
.standings tbody + tbody .head > * { height: 34px; padding-top: 10px; }
.standings th[scope="row"] { overflow: hidden; text-overflow: ellipsis; }
.standings th[scope="row"] .name { margin-left: 7px; }
.standings th[scope="row"] svg { vertical-align: -1px; }
.standings .track div { position: relative; height: 13px; background: var(--panel); border-radius: 2px; }
.standings .track i { position: absolute; top: 0; bottom: 0; left: 0; border-radius: 2px; }
.standings .track .clean { opacity: 0.26; }
.standings .track .whisker { top: 6px; bottom: auto; height: 0; border-top: 1.5px solid var(--ink); border-radius: 0; }
.standings .track .whisker::before, .standings .track .whisker::after { content: ""; position: absolute; top: -4px; height: 6px; border-left: 1.5px solid var(--ink); }
.standings .track .whisker::after { right: 0; }
.standings .runs { right: 0; }
.standings .track .runs i { width: 0; left: auto; top: -3px; bottom: -3px; border-left: 1.5px solid var(--ink); opacity: 0.75; }
.standings tr.none .whisker, .standings tr.none .kept { visibility: hidden; }
.standings tr.none .value { color: var(--quiet); }
.standings tr.none .value b { font-weight: 400; font-size: 12px; display: block; white-space: normal; line-height: 1.05; }
.standings .range { color: var(--quiet); font-size: 12px; }
.standings .across { position: absolute; top: 24px; bottom: 0; left: var(--names, 168px); right: 152px; pointer-events: none; }
.standings .across i { position: absolute; top: 0; bottom: -2px; width: 0; border-left: 1.5px dashed var(--ink); opacity: 0; }
.standings .across b { position: absolute; top: 100%; left: 0; transform: translateX(calc(-100% * var(--twice))); font: inherit; font-style: normal; font-size: 12px; line-height: 17px; white-space: nowrap; padding: 0 5px; border-radius: 8px; background: var(--background); }
.standings .across .chance-line { left: calc(100% * var(--chance)); border-left-style: dotted; border-color: var(--control); opacity: 1; }
.standings .across .chance-line b { display: none; }
.standings .anchored .ann-line { left: calc(100% * var(--ann)); opacity: 1; border-left-style: solid; border-color: var(--quiet); }
.standings .anchored .ann-line b { display: none; }
.standings .across .twice-line { display: none; }
.standings .compared .across .twice-line { display: block; left: calc(100% * var(--twice)); opacity: 1; border-color: var(--attack); border-left-width: 2px; }
.standings .twice-line b { color: var(--attack); font-weight: 600; }
.standings .explain { display: flex; flex-wrap: wrap; gap: 2px 16px; margin-top: 24px; font-size: 12px; color: var(--quiet); }
.standings .explain span { display: inline-flex; align-items: center; gap: 6px; }
.standings .explain i { width: 20px; height: 10px; border-radius: 2px; background: var(--ink); }
.standings .explain .clean { opacity: 0.26; }
.standings .explain .whisker { height: 0; background: none; border-top: 1.5px solid var(--ink); border-radius: 0; }
.standings .explain .run { width: 0; background: none; border-left: 1.5px solid var(--ink); border-radius: 0; height: 14px; }
.results .beside { display: grid; gap: 12px; align-content: start; }
.results .card { background: var(--panel); border-radius: 8px; padding: 12px 16px; }
.results .card h4 { font-size: 13px; font-weight: 600; color: var(--quiet); }
.results .card .claim { font-size: 15px; margin-top: 2px; }
.results .card .source { font-size: 12.5px; color: var(--quiet); margin-top: 4px; }
.results .card .effect { min-height: 4.2em; }
.results .tune { display: grid; gap: 2px; }
@container snn-lab (max-width: 559px) {
  .standings { --names: 132px; }
  .standings .range { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .standings td.before, .standings th:nth-child(4) { display: none; }
  .standings td.value, .standings th:nth-child(3) { width: 62px; padding-left: 8px; }
  .standings th[scope="row"] svg { width: 20px; }
  .standings .across { right: 62px; }
  .results .setup .choice { grid-column: 1 / -1; }
  .results .setup .select { max-width: none; grid-column: 1 / -1; }
  .results .knows { min-height: 4.2em; }
  .results .controls { display: grid; grid-template-columns: minmax(0, 1fr); }
  .results .stops { display: none; }
}
@container snn-lab (min-width: 560px) {
  .results { grid-template-columns: minmax(0, 1fr);
    grid-template-areas: "setup" "knows" "tune" "standings" "beside" "curve" "caption"; }
  .results .setup { justify-self: start; }
  .results .knows { grid-area: knows; min-height: 0; }
  .results .standings { grid-area: standings; }
  .results .beside { grid-area: beside; grid-template-columns: 1fr 1fr; }
}
@container snn-lab (min-width: 900px) {
  .results { grid-template-columns: minmax(0, 1fr) 350px; column-gap: 34px;
    grid-template-areas: "setup setup" "knows knows" "tune beside" "standings beside" "standings curve" "caption caption"; grid-template-rows: auto auto auto auto 1fr auto; }
  .results .beside { grid-template-columns: 1fr; }
}

/* --- neuron explorer ------------------------------------------------------------------------------------------- */
.neuron { display: flex; flex-direction: column; gap: 14px; }
.neuron-plot { position: relative; }
.neuron .trace { height: 336px; cursor: default; }
.neuron .switches { position: absolute; left: 0; right: 0; top: 248px; height: 64px; }
.neuron .switches input { position: absolute; top: 0; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.neuron .switches input:focus-visible { opacity: 1; appearance: none; outline: 2px solid var(--focus); border-radius: 3px; background: transparent; }
.neuron .lens { rx: 4px; }
.neuron .theta { stroke: var(--attack); stroke-width: 1.5; stroke-dasharray: 6 4; }
.neuron .zero { stroke: var(--control); }
.neuron .level { stroke-width: 2.5; }
.neuron .spike { stroke-width: 3.5; }
.neuron svg .quantity { font-size: 14px; font-style: italic; fill: var(--ink); }
.neuron .explain { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 12.5px; color: var(--quiet); }
.neuron .explain p { display: flex; align-items: center; gap: 6px; }
.neuron .explain i { width: 14px; height: 12px; border-radius: 2px; }
.neuron .explain .left { background: color-mix(in srgb, var(--ink) 28%, var(--background)); }
.neuron .explain .in { background: var(--input); }
.neuron .explain .paid { border: 1.5px dashed var(--attack); }
.neuron .equation { font-size: 17px; font-variant-numeric: tabular-nums; font-family: ui-serif, Georgia, serif; }
.neuron .happens { color: var(--quiet); font-size: 14px; }
.neuron .answer strong { font-size: 20px; }
.neuron .explain { margin-top: 10px; }
.neuron .rate { height: 200px; cursor: default; }
@container snn-lab (max-width: 559px) { .neuron .slider { grid-template-columns: 5.6em minmax(0, 1fr) 6.4em; } .neuron .setup { display: grid; } .neuron .setup .choice { grid-column: 1 / -1; } }
@container snn-lab (min-width: 560px) {
  .neuron { display: grid; gap: 12px 30px; grid-template-columns: minmax(0, 1fr);
    grid-template-areas: "setup" "tune" "plot" "lensed" "answer" "effect" "curve" "caption"; }
  .neuron .setup { justify-self: start; }
  .neuron-plot { grid-area: plot; }
  .neuron .lensed { grid-area: lensed; min-height: 3.4em; }
  .neuron .effect { min-height: 2.8em; }
}
@container snn-lab (min-width: 900px) {
  .neuron { grid-template-columns: minmax(0, 1fr) 340px;
    grid-template-areas: "setup setup" "plot tune" "plot lensed" "plot answer" "plot effect" "plot curve" "caption caption"; grid-template-rows: auto auto auto auto auto 1fr auto; }
}
`;
