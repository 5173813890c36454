import { createMarkerReader, type MarkerToken } from './citation-markers.js';

/** No space stands before these. */
const CLOSING = /[.,;:!?%)\]}。，；：！？、）】」』”’]/;
const OPENING = /[(（]/;

/**
 * Reads an answer as its markers were never there: the white space and the brackets that stood around a marker go
 * with it. A marker alone on its line belongs to the line before and comes before the line break; one at the
 * beginning of a line comes after it. White space is held back until the next word, at the end it is dropped.
 */
export function createTidyMarkerReader(): {
  read(text: string): MarkerToken[];
  finish(): MarkerToken[];
} {
  const reader = createMarkerReader();
  /** White space, perhaps with an opening bracket after it. */
  let held = '';
  /** A marker stood in or after what is held. */
  let marked = false;
  /** Markers at the beginning of a line, until it is clear whether text follows them. */
  let waiting: MarkerToken[] = [];
  let last = '';
  let tokens: MarkerToken[] = [];

  const write = (text: string, code = false): void => {
    for (let index = 0; index < text.length; index += 1) {
      tokens.push({ type: 'character', character: text.charAt(index), code });
    }
    last = text.at(-1) ?? last;
  };
  const writeHeld = (next: string): void => {
    const isLineStart = last === '' || (last === '\n' && marked);
    const closes = marked && CLOSING.test(next) && !held.includes('\n');
    write(isLineStart || closes ? held.trimStart() : held);
    tokens.push(...waiting);
    held = '';
    marked = false;
    waiting = [];
  };

  const onSpace = (space: string): void => {
    if (!marked) {
      held += space;
    } else if (space !== '\n') {
      held ||= space;
    } else if (waiting.length > 0) {
      // The line that only held the marker goes with it.
      tokens.push(...waiting);
      waiting = [];
    } else {
      held = held.includes('\n') ? held + space : space;
    }
  };

  const onToken = (token: MarkerToken): void => {
    if (token.type === 'marker') {
      if (held.includes('\n') || last === '' || waiting.length > 0) waiting.push(token);
      else tokens.push(token);
      marked = true;
      return;
    }
    const { character, code } = token;
    if (code) {
      writeHeld(character);
      write(character, code);
    } else if (/\s/.test(character)) {
      if (OPENING.test(held)) writeHeld(character);
      onSpace(character);
    } else if (OPENING.test(character)) {
      if (marked || OPENING.test(held)) writeHeld(character);
      held += character;
    } else if (marked && OPENING.test(held) && /[)）]/.test(character)) {
      held = held.slice(0, -1);
    } else {
      writeHeld(character);
      write(character);
    }
  };

  const take = (): MarkerToken[] => {
    const taken = tokens;
    tokens = [];
    return taken;
  };

  return {
    read(text) {
      for (let index = 0; index < text.length; index += 1) reader.read(text.charAt(index)).forEach(onToken);
      return take();
    },
    finish() {
      reader.finish().forEach(onToken);
      tokens.push(...waiting);
      write(held.trimEnd());
      return take();
    },
  };
}
