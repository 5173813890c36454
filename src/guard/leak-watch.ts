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
const HAN_WEIGHT = 3;
const LEAK_WEIGHT = 48;
const TAIL = 200;

export function createLeakWatch({ prompt, fence, known }: Secrets): LeakWatch {
  const secret = plain(prompt);
  const allowed = known.map(plain);
  let tail = '';
  const repeats = (): boolean => {
    const run = heavySuffix(tail);
    return run !== undefined && secret.includes(run) && !allowed.some((text) => text.includes(run));
  };
  return {
    sees(text) {
      for (const character of plain(text)) {
        tail = (tail + character).slice(-TAIL);
        if (tail.endsWith(fence.toLowerCase()) || repeats()) return true;
      }
      return false;
    },
  };
}

/** Letters and digits only, so that spacing, punctuation, Markdown and case change nothing. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** The shortest end of the text that is heavy enough; undefined where the whole of it is too light. */
function heavySuffix(text: string): string | undefined {
  let weight = 0;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    weight += /\p{Script=Han}/u.test(text[at] as string) ? HAN_WEIGHT : 1;
    if (weight >= LEAK_WEIGHT) return text.slice(at);
  }
  return undefined;
}
