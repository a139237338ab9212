/** Networks that this browser has kept stand beside the zoo's: the script that knows them is loaded where there are some. */
const KEYS = ["snnlab.playground", "snnlab.painted"];

function keeps() {
  try {
    return KEYS.some((key) => localStorage.getItem(key) !== null);
  } catch {
    return false; // storage is forbidden
  }
}

/** @param {(key: string) => Promise<any>} load  @returns {(key: string) => Promise<any>} the same, with networks of the reader */
export const withYours = (load) => async (key) => {
  const concerned = (key === "zoo" || /^model\/yours/.test(key)) && keeps();
  return concerned ? (await load("yours")).answer(key, load) : load(key);
};
