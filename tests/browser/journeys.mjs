// A reader's journeys through the book in Firefox, from disk and without a network, over WebDriver BiDi. It tells, as JSON,
// what was seen, and judges nothing: that is for test_firefox.py, which says where to go.
//
//   node journeys.mjs '{"firefox": "/usr/bin/firefox-esr", "base": "file:///…/html", "pages": {"intro": ["robustness"]}, …}'
import puppeteer from "puppeteer-core";

const { firefox, base, pages, alone, term, says } = JSON.parse(process.argv[2]);
/** Every connection goes by way of a proxy that nobody runs, so a page has what is on the disk and nothing else. */
const OFFLINE = { "network.proxy.type": 1, "network.proxy.socks": "127.0.0.1", "network.proxy.socks_port": 9 };
const PATIENCE = { timeout: 20_000 };

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: firefox,
  extraPrefsFirefox: OFFLINE,
  defaultViewport: { width: 1280, height: 900 },
});
try {
  const visits = {};
  for (const [name, kinds] of Object.entries(pages)) visits[name] = await visit(name, (page) => read(page, kinds));
  const published = {};
  for (const [address, kind] of Object.entries(alone)) published[kind] = await visit(address, (page) => meet(page, kind));
  const [first] = Object.keys(pages);
  const search = await visit(first, look);
  const lured = await visit(first, lure);
  console.log(JSON.stringify({ browser: await browser.version(), visits, published, search, lured }));
} finally {
  await browser.close();
}

/** What a reader sees on a page, and all that the page asked for and complained of meanwhile. */
async function visit(name, journey) {
  const page = await browser.newPage();
  const requests = [];
  const errors = [];
  page.on("request", (request) => request.url().startsWith("data:") || requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(name.startsWith("file:") ? name : `${base}/${name}.html`, PATIENCE);
  const seen = await journey(page);
  await page.close();
  return { requests, errors, ...seen };
}

/** Through a page: each explorer, the equations, a quiz; then the same in the dark. */
async function read(page, kinds) {
  const explorers = {};
  for (const kind of kinds) explorers[kind] = await move(page, `snn-lab[explorer="${kind}"]`);
  const equations = await typeset(page);
  const feedback = await answer(page);
  const [light, dark] = [await colours(page, "light", kinds), await colours(page, "dark", kinds)];
  return { explorers, equations, feedback, light, dark };
}

/** The explorer of a page of one file. */
async function meet(page, kind) {
  return { explorers: { [kind]: await move(page, `snn-lab[explorer="${kind}"]`) } };
}

/** How many equations are written in a page, and how many MathJax has set, when it is done. */
async function typeset(page) {
  const written = (await page.$$(".math")).length;
  const all = `document.querySelectorAll(".math mjx-math").length === ${written}`;
  await page.waitForFunction(all, PATIENCE).catch(() => {});
  return { written, set: (await page.$$(".math mjx-math")).length };
}

/** What an explorer says before and after its first slider has been moved by keyboard. */
async function move(page, host) {
  await page.waitForSelector(`${host}[data-ready]`, PATIENCE);
  const words = `(${says})(document.querySelector('${host}'))`;
  const before = await page.evaluate(words);
  const slider = await page.waitForSelector(`${host} >>> input[type="range"]:enabled`, PATIENCE);
  await slider.focus();
  for (let k = 0; k < 4; k++) await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(`${words} !== ${JSON.stringify(before)}`, PATIENCE).catch(() => {});
  return { before, after: await page.evaluate(words) };
}

/** What a quiz says to its first answer; null on a page without one. */
async function answer(page) {
  const quiz = await page.$(".Quiz");
  if (!quiz) return null;
  await (await quiz.$("label.MCButton")).click();
  return quiz.$eval(".Feedback", (feedback) => feedback.textContent);
}

/** Colours of a page and of the words in its explorers, once the theme's switch (light, dark, the system's) is where it should be. */
async function colours(page, theme, kinds) {
  const current = () => page.evaluate(() => document.documentElement.dataset.mode);
  for (let k = 0; k < 2 && (await current()) !== theme; k++) await page.click(".theme-switch-button");
  return page.evaluate((names) => {
    const words = (name) => document.querySelector(`snn-lab[explorer="${name}"]`).shadowRoot.querySelector(".lab");
    const paper = getComputedStyle(document.body).backgroundColor;
    return { paper, ink: names.map((name) => getComputedStyle(words(name)).color) };
  }, kinds);
}

/** Search for a term by keyboard: the addresses found. */
async function look(page) {
  await page.keyboard.down("Control");
  await page.keyboard.press("k");
  await page.keyboard.up("Control");
  await page.keyboard.type(term);
  await Promise.all([page.waitForNavigation(PATIENCE), page.keyboard.press("Enter")]);
  await page.waitForSelector("#search-results li a", PATIENCE);
  return { found: await page.$$eval("#search-results li a", (links) => links.map((link) => link.href)) };
}

/** What would be seen if a page did ask another host. */
async function lure(page) {
  await page.evaluate(() => fetch("http://elsewhere.invalid/").catch(() => {}));
  return {};
}
