/** Networks that the reader has trained in the playground, or on a painted code, as models beside the zoo's. */

import { LOSSES } from "../engine/train.js";
import { say } from "../language.js";
import { MODEL, payloadOf } from "../play/payload.js";
import { kept, PAINTED, PLAYED } from "../play/store.js";
import { codeName } from "../play/text.js";

/** Where each is kept, by its name as a model. */
const KEPT = { yours: PLAYED, "yours-painted": PAINTED };

/** What a page lists of one; null: nothing is kept there, or a network of another number of steps. */
function summary(name, numSteps) {
  const found = kept(KEPT[name]);
  if (found?.recipe.steps !== numSteps) return null;
  const { code, loss } = found.recipe;
  const title = say`yours: ${codeName(code)}`;
  const about = { name, title, kind: "snn", encoding: code, group: "yours", code: "yours", loss, decoder: LOSSES[loss] };
  return { ...about, trains: code !== "direct" };
}

/** The zoo with the reader's networks, or one of them. @param {string} key  @param {(key: string) => Promise<any>} load */
export async function answer(key, load) {
  if (key !== "zoo") {
    const name = key.replace("model/", "");
    const [found, settings] = [kept(KEPT[name]), await load(`model/${MODEL}`)];
    if (!found) throw new Error(say`this browser has not kept your network; train it again`);
    return payloadOf(found.recipe, found.weights, settings, name);
  }
  const zoo = await load("zoo");
  const mine = Object.keys(KEPT).map((name) => summary(name, zoo.num_steps));
  return { ...zoo, models: [...zoo.models, ...mine.filter(Boolean)] };
}
