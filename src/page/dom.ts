type Child = Node | string | false | null | undefined;
type Properties = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

/**
 * Makes an element. A property that is a function listens (`onclick`), `true` sets an empty attribute, `false` and
 * undefined set none. Text becomes text nodes: nothing here reads HTML.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value as EventListener);
    else if (value !== undefined && value !== false)
      made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter(isPresent));
  return made;
}

function isPresent(child: Child): child is Node | string {
  return child !== false && child !== null && child !== undefined && child !== '';
}

/** Finds an element of index.html that the page cannot do without. */
export function required<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no #${id}`);
  return found;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A decorative icon of icons.svg. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}
