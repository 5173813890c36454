/** A unit that phrases are matched over: one Han character, or one stemmed word. */
export interface Unit {
  text: string;
  /** Whether a word begins here, as the segmenter cut the text. */
  startsWord: boolean;
  /** Whether a word ends here. */
  endsWord: boolean;
}

interface Node {
  next: Map<string, Node>;
  terms: string[];
}

/** A phrase as units, and the term to give where it is found. */
export interface Phrase {
  units: readonly string[];
  term: string;
}

/** The terms of the phrases found in a sequence of units, in order of their first unit; a term once per first unit. */
export type PhraseMatcher = (units: readonly Unit[]) => string[];

export function createPhraseMatcher(phrases: readonly Phrase[]): PhraseMatcher {
  const root: Node = { next: new Map(), terms: [] };
  for (const { units, term } of phrases) {
    let node = root;
    for (const unit of units) {
      let child = node.next.get(unit);
      if (child === undefined) {
        child = { next: new Map(), terms: [] };
        node.next.set(unit, child);
      }
      node = child;
    }
    if (node !== root && !node.terms.includes(term)) node.terms.push(term);
  }
  return (units) => units.flatMap((_, start) => matchesAt(root, units, start));
}

function matchesAt(root: Node, units: readonly Unit[], start: number): string[] {
  const terms = new Set<string>();
  let node: Node | undefined = root;
  for (let end = start; end < units.length; end += 1) {
    const unit = units[end] as Unit;
    node = node.next.get(unit.text);
    if (node === undefined) break;
    if (node.terms.length > 0 && standsByItself(units, start, end)) {
      for (const term of node.terms) terms.add(term);
    }
  }
  return [...terms];
}

/**
 * A phrase whose two ends both lie inside words is an accident of neighbours (售后 in 销售|后台). One free end is
 * enough for a phrase that the segmenter does not know (壶里居 in 壶里|居住), but not for a single character.
 */
function standsByItself(units: readonly Unit[], start: number, end: number): boolean {
  const free = [units[start]?.startsWord, units[end]?.endsWord];
  return start === end ? free.every(Boolean) : free.some(Boolean);
}
