/** The explorer of colour pictures, whose networks have convolutions. */
export { PictureExplorer as Explorer } from "../picture/picture.js";
