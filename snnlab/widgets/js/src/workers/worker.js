/** A worker of the page: it computes what the page asks (engine/serve.js), and nothing but that. */
import { work } from "../engine/work.js";

work();
