import type { PassageFilter } from './passage-index.js';

/** What a filter may ask for, by place: each distinct value stands once. */
export interface FilterColumns {
  push(passage: FilterFields): void;
  at(place: number): FilterFields;
  /** 1 for each place of `taken` that passes. Every place is looked at, at a nanosecond or two each. */
  maskOf(filter: PassageFilter, taken: Uint8Array): Uint8Array;
}

interface FilterFields {
  documentId: string;
  language: string;
  tags: readonly string[];
}

export function createFilterColumns(): FilterColumns {
  const documents = createColumn<string>((id) => id);
  const languages = createColumn<string>((language) => language);
  const tags = createColumn<readonly string[]>((set) => JSON.stringify(set));
  return {
    push: (passage) => {
      documents.push(passage.documentId);
      languages.push(passage.language);
      tags.push(passage.tags);
    },
    at: (place) => ({
      documentId: documents.at(place),
      language: languages.at(place),
      tags: tags.at(place),
    }),
    maskOf: (filter, taken) => {
      const mask = taken.slice();
      const { documentIds, language } = filter;
      if (documentIds !== undefined) {
        const wanted = new Set(documentIds);
        documents.narrow(mask, (id) => wanted.has(id));
      }
      if (language !== undefined) languages.narrow(mask, (value) => value === language);
      if (filter.tags !== undefined) {
        const wanted = new Set(filter.tags);
        tags.narrow(mask, (set) => set.some((tag) => wanted.has(tag)));
      }
      return mask;
    },
  };
}

interface Column<T> {
  push(value: T): void;
  at(place: number): T;
  /** Puts 0 where the value does not pass. */
  narrow(mask: Uint8Array, passes: (value: T) => boolean): void;
}

function createColumn<T>(keyOf: (value: T) => string): Column<T> {
  const values: T[] = [];
  const numbers = new Map<string, number>();
  const column: number[] = [];
  return {
    push: (value) => {
      const key = keyOf(value);
      let number = numbers.get(key);
      if (number === undefined) {
        number = values.push(value) - 1;
        numbers.set(key, number);
      }
      column.push(number);
    },
    at: (place) => values[column[place] as number] as T,
    narrow: (mask, passes) => {
      const passing = Uint8Array.from(values, (value) => (passes(value) ? 1 : 0));
      for (let place = 0; place < column.length; place += 1) {
        mask[place] = (mask[place] as number) & (passing[column[place] as number] as number);
      }
    },
  };
}
