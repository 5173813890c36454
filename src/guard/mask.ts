import { findPersonalData, type PersonalDataKind } from '../personal-data.js';

/** Replaces personal data by placeholders and puts it back, within one answer. */
export interface Mask {
  /** The same datum gets the same placeholder, whichever text it stands in. */
  hide(text: string): string;
  /** Text as it streams in, its placeholders replaced; half of one is held back. */
  restore(text: string): string;
  /** What was held back. */
  rest(): string;
}

const LABELS: Record<PersonalDataKind, string> = {
  'e-mail': 'EMAIL',
  'identity number': 'ID',
  card: 'CARD',
  phone: 'PHONE',
  passport: 'PASSPORT',
  plate: 'PLATE',
  address: 'ADDRESS',
};
/** Mathematical angle brackets: nobody writes them, and models copy them. */
const PLACEHOLDER = /⟨([A-Z]{2,8}-\d{1,4})⟩/g;
const HALF = /⟨[A-Z]{0,8}(?:-\d{0,4})?$/;

export function createMask(): Mask {
  const labels = new Map<string, string>();
  const originals = new Map<string, string>();
  let held = '';

  const labelOf = (kind: PersonalDataKind, original: string): string => {
    const known = labels.get(original);
    if (known !== undefined) return known;
    const label = `${LABELS[kind]}-${labels.size + 1}`;
    labels.set(original, label);
    originals.set(label, original);
    return label;
  };
  const putBack = (text: string): string =>
    text.replace(PLACEHOLDER, (placeholder, label: string) => originals.get(label) ?? placeholder);

  return {
    hide(text) {
      let hidden = '';
      let end = 0;
      for (const datum of findPersonalData(text)) {
        const label = labelOf(datum.kind, text.slice(datum.start, datum.end));
        hidden += `${text.slice(end, datum.start)}⟨${label}⟩`;
        end = datum.end;
      }
      return hidden + text.slice(end);
    },
    restore(text) {
      held += text;
      const half = held.search(HALF);
      const ready = half === -1 ? held : held.slice(0, half);
      held = held.slice(ready.length);
      return putBack(ready);
    },
    rest() {
      const rest = putBack(held);
      held = '';
      return rest;
    },
  };
}
