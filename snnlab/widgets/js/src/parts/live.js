/** What the page measures itself: its workers, and the panel that shows how an accuracy grows. */
export { Live } from "../live/live.js";
