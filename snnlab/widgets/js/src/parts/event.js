/** The explorer of events, and the camera that it simulates. */
export { recorded, spikesOf } from "../events/camera.js";
export { EventExplorer as Explorer } from "../events/explorer.js";
