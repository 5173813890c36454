import type { Grounding } from './grounding.js';

type Found = Pick<Grounding, 'text' | 'citations' | 'inventedCitations' | 'withheld'>;

/** What gives frames in a way of its own (`methods`), and has found what `grounding` has found so far. */
export function withMethods<Whole extends Grounding>(
  grounding: Found,
  methods: Omit<Whole, keyof Found>,
): Omit<Whole, keyof Found> & Found {
  return {
    ...methods,
    get text() {
      return grounding.text;
    },
    get citations() {
      return grounding.citations;
    },
    get inventedCitations() {
      return grounding.inventedCitations;
    },
    get withheld() {
      return grounding.withheld;
    },
  };
}
