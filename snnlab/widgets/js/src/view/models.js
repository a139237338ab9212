/** Which models of the zoo an explorer offers, and how they are called. */

/** Training rules as readers know them. */
export const RULES = {
  bptt: "BPTT",
  tsslbp: "TSSL-BP",
  conversion: "converted",
  fgsm: "FGSM-trained",
  pgd: "PGD-trained",
  trades: "TRADES",
};

/** Models of these groups; networks of the reader's own belong to none, and are all offered. */
export function ofGroups(zoo, ...groups) {
  return zoo.models.filter(({ group }) => group === undefined || groups.includes(group));
}

/** The model of this name. @throws {Error} that lists what there is */
export function chosen(models, name, field = "encoding") {
  const found = models.find((model) => model.name === name);
  if (!found) throw new Error(`unknown ${field} "${name}"; choose one of ${models.map((m) => m.name).join(", ")}`);
  return found;
}

/** What a network was trained to say early, and how it is read, beside its code. */
const LOSSES = { anytime: "anytime loss", latency: "first spike", membrane: "potential" };

/** The model, called by its loss where that is not the usual one. */
export const withLoss = (model) =>
  LOSSES[model.loss] ? { ...model, title: `${model.title}, ${LOSSES[model.loss]}` } : model;
