/** The models of the zoo that an explorer offers, and their titles. */

import { need } from "../../engine/index.js";
import { say } from "../../language.js";
import { VOCABULARY } from "../../vocabulary.js";

/** Group of the networks that a reader has trained in a page and that the browser has kept (src/parts/yours.js). */
export const YOURS = "yours";

/** Models of these groups; networks of the reader's own belong to none, and are all offered. */
export function ofGroups(zoo, ...groups) {
  return zoo.models.filter(({ group }) => group === undefined || groups.includes(group));
}

/** Models as options of a control: pairs of name and title. @returns {string[][]} */
export const titlesOf = (models) => models.map(({ name, title }) => [name, title]);

/** The model of this name. @throws {Error} that lists what there is */
export function chosen(models, name, field = "encoding") {
  const match = models.find((model) => model.name === name);
  need(match, say`unknown ${field} "${name}"; choose one of ${models.map((m) => m.name).join(", ")}`);
  return match;
}

/** The model, called by its loss where that is not the usual one. */
export function withLoss(model) {
  const loss = VOCABULARY.losses[model.loss];
  return loss ? { ...model, title: `${model.title}, ${loss.title}` } : model;
}
