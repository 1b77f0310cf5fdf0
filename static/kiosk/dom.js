/** Building elements without ever parsing a string as HTML. */

/**
 * @param {string} tag such as "button.button.button-primary"
 * @param {Object} [props] attributes; `on` is {event: handler}, `text` is the text content, false and null are left out
 * @param {...(Node|string|null|false|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  if (name === "button") element.type = "button";
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (key === "text") {
      element.textContent = value;
    } else {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  trash: "M4 7h16M10 7V4h4v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  bag: "M6 8h12l1 12H5zM9 8V6a3 3 0 0 1 6 0v2",
  erase: "M9 5h11v14H9l-6-7zM12 9.5l5 5M17 9.5l-5 5",
  close: "M6 6l12 12M18 6L6 18",
};

/** A decorative line icon. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Shows an SVG string from the API without putting its markup into the page. */
export function svgImage(svg, alt, className) {
  // An SVG made for inlining has no namespace, and an image needs one.
  const standalone = svg.replace(/<svg(?![^>]*\sxmlns=)/, `<svg xmlns="${SVG}"`);
  return h("img", { src: `data:image/svg+xml,${encodeURIComponent(standalone)}`, alt, class: className });
}
