/** Pictures of the page as files that look the same without it. */
import type { TextFile } from "./download.js";

/** What the style sheet says of a shape; in the file each shape says it itself. */
const PROPERTIES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "opacity",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
  "transform",
  "vector-effect",
] as const;

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 12;

/** Returns the picture that is marked with `data-export`, or null where it is not shown. */
export function svgFile(id: string, title: string): TextFile | null {
  const source = document.querySelector<SVGSVGElement>(`svg[data-export="${id}"]`);
  if (source === null) return null;
  const { width, height } = source.getBoundingClientRect();
  const copy = source.cloneNode(true) as SVGSVGElement;
  const [originals, copies] = [source, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  originals?.forEach((original, i) => inline(original, copies?.[i] as Element));
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.setAttribute("x", String(MARGIN));
  copy.setAttribute("y", String(MARGIN));
  const page = sheet(width + 2 * MARGIN, height + 2 * MARGIN, title);
  page.append(copy);
  return { name: `${id}.svg`, type: "image/svg+xml", text: new XMLSerializer().serializeToString(page) };
}

/** A background, since the colours are made for one. */
function sheet(width: number, height: number, title: string): SVGSVGElement {
  const page = document.createElementNS(SVG, "svg");
  page.setAttribute("viewBox", `0 0 ${width} ${height}`);
  page.setAttribute("width", String(width));
  page.setAttribute("height", String(height));
  const name = document.createElementNS(SVG, "title");
  name.textContent = title;
  const ground = document.createElementNS(SVG, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.documentElement).getPropertyValue("--surface").trim());
  page.append(name, ground);
  return page;
}

function inline(original: Element, copy: Element): void {
  const style = getComputedStyle(original);
  for (const name of ["class", "style", "data-export", "aria-hidden", "role", "aria-label"]) copy.removeAttribute(name);
  if (original.localName === "title") return;
  for (const property of PROPERTIES) {
    const value = style.getPropertyValue(property);
    if (property === "transform") moveAsStyled(copy, original, value);
    else if (value !== "" && !(value === "none" && property !== "fill" && property !== "stroke")) {
      copy.setAttribute(property, value);
    }
  }
}

/** A transform from the style sheet is in pixels; one from an attribute stays as it is. */
function moveAsStyled(copy: Element, original: Element, value: string): void {
  if (original instanceof SVGSVGElement || original.hasAttribute("transform") || value === "none") return;
  copy.setAttribute("transform", value);
}
