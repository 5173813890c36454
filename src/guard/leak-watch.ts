/** Notices when text repeats what only the model should read. */
export interface LeakWatch {
  /** Whether the text so far, with this behind it, repeats a secret. */
  sees(text: string): boolean;
}

export interface Secrets {
  /** Rules for the model: a long run of their words counts. */
  prompt: string;
  /** A word that is secret by itself. */
  fence: string;
  /** What may be said whatever the prompt says: passages, the question, the notice. */
  known: readonly string[];
}

/** A Chinese character says about as much as three letters: 16 of them, or 48 letters, in a row are no accident. */
const HAN = /\p{Script=Han}/u;
const HAN_WEIGHT = 3;
const LEAK_WEIGHT = 48;

export function createLeakWatch({ prompt, fence, known }: Secrets): LeakWatch {
  const secret = plain(prompt);
  const allowed = known.map(plain);
  const secretWord = fence.toLowerCase();
  /** The shortest end of the text that is heavy enough, or the whole of it. The fence, being lighter, fits into it. */
  let run = '';
  let weight = 0;
  const add = (character: string): void => {
    run += character;
    weight += weightOf(character);
    for (;;) {
      const first = String.fromCodePoint(run.codePointAt(0) as number);
      if (weight - weightOf(first) < LEAK_WEIGHT) return;
      run = run.slice(first.length);
      weight -= weightOf(first);
    }
  };
  const repeats = (): boolean =>
    weight >= LEAK_WEIGHT && secret.includes(run) && !allowed.some((text) => text.includes(run));
  return {
    sees(text) {
      for (const character of plain(text)) {
        add(character);
        if (run.endsWith(secretWord) || repeats()) return true;
      }
      return false;
    },
  };
}

function weightOf(character: string): number {
  return HAN.test(character) ? HAN_WEIGHT : 1;
}

/** Letters and digits only, so that spacing, punctuation, Markdown and case change nothing. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
