/** Builds elements from text only: nothing that came over the network is ever read as HTML. */

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | undefined>} attributes `true` sets an empty one, `false` leaves it out
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** @param {string} id */
export function byId(id) {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`no element has the id \`${id}\``);
  return node;
}

/** A heading and a sentence, in the colour of an outcome. */
export function notice(outcome, title, ...text) {
  return element(
    "div",
    { class: `notice notice-${outcome}`, "data-outcome": outcome },
    element("strong", {}, title),
    element("p", {}, ...text),
  );
}
