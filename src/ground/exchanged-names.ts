import type { Claim, EvidencePiece } from './evidence.js';
import type { Word } from './words.js';

/** Words put for other words in the same place. */
interface Exchange {
  said: readonly Word[];
  given: readonly Word[];
}

/** Longer ones are other statements, not other names. */
const LONGEST_EXCHANGE = 8;
/** Share of the claim's words that the piece has in the same order: below, the two say different things. */
const SAME_WORDING = 0.5;
/** Sentences of answers and passages are shorter; the comparison takes words times words. */
const MOST_WORDS = 300;

/**
 * Names of the claim that stand where the piece, worded alike, has another one. A name in the place of a pronoun is
 * none of them, nor is one that the piece has elsewhere: its clauses may be in another order.
 */
export function exchangedNames(
  claim: Pick<Claim, 'words'>,
  piece: Pick<EvidencePiece, 'words'>,
  wholeText: string,
): string[] {
  const said = claim.words().slice(0, MOST_WORDS);
  const given = piece.words().slice(0, MOST_WORDS);
  const { exchanges, same } = align(said, given);
  if (same < SAME_WORDING * said.length) return [];
  const timesSaid = countKeys(said);
  const timesGiven = countKeys(given);
  const isOftenerIn = (one: Map<string, number>, other: Map<string, number>, { key }: Word): boolean =>
    (one.get(key) ?? 0) > (other.get(key) ?? 0);
  return exchanges
    .filter((exchange) => {
      const news = exchange.said.filter((word) => isOftenerIn(timesSaid, timesGiven, word));
      const olds = exchange.given.filter(
        (word) => !word.isPronoun && isOftenerIn(timesGiven, timesSaid, word),
      );
      if (news.length === 0 || olds.length === 0) return false;
      if (news.length > LONGEST_EXCHANGE || olds.length > LONGEST_EXCHANGE) return false;
      return differsInName(exchange, wholeText);
    })
    .map(({ said: words }) => joined(words));
}

/**
 * Words are cut one way or another by what stands beside them, so the texts are compared without what they begin and
 * end with alike. Numbers are compared elsewhere.
 */
function differsInName({ said, given }: Exchange, wholeText: string): boolean {
  const [one, other] = withoutSameEnds(joined(said), joined(given));
  if (one === '' || other === '' || (/\d/.test(one) && /\d/.test(other))) return false;
  const isIn = (text: string) => (word: Word) => text.includes(word.text) && isNamed(word, wholeText);
  return said.some(isIn(one)) || given.some(isIn(other));
}

function withoutSameEnds(one: string, other: string): [string, string] {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return [one.slice(start, one.length - end), other.slice(start, other.length - end)];
}

function joined(words: readonly Word[]): string {
  const hasLatin = words.some(({ text }) => /\p{Script=Latin}/u.test(text));
  return words.map(({ text }) => text).join(hasLatin ? ' ' : '');
}

function countKeys(words: readonly Word[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { key } of words) times.set(key, (times.get(key) ?? 0) + 1);
  return times;
}

/** The first word of an English sentence is a name where the passage writes it so inside a sentence. */
function isNamed({ text, isName }: Word, wholeText: string): boolean {
  return (
    isName || (/^\p{Lu}/u.test(text) && wholeText.includes(`, ${text}`)) || wholeText.includes(` of ${text} `)
  );
}

/** Longest common subsequence of the words; what lies between its members on both sides was exchanged. */
function align(said: readonly Word[], given: readonly Word[]): { exchanges: Exchange[]; same: number } {
  const width = given.length + 1;
  const lengths = new Uint16Array((said.length + 1) * width);
  for (let s = said.length - 1; s >= 0; s -= 1) {
    for (let g = given.length - 1; g >= 0; g -= 1) {
      lengths[s * width + g] =
        said[s]?.key === given[g]?.key
          ? 1 + (lengths[(s + 1) * width + g + 1] ?? 0)
          : Math.max(lengths[(s + 1) * width + g] ?? 0, lengths[s * width + g + 1] ?? 0);
    }
  }
  const exchanges: Exchange[] = [];
  let s = 0;
  let g = 0;
  let fromSaid = 0;
  let fromGiven = 0;
  const close = (): void => {
    if (s > fromSaid && g > fromGiven)
      exchanges.push({ said: said.slice(fromSaid, s), given: given.slice(fromGiven, g) });
  };
  while (s < said.length && g < given.length) {
    if (said[s]?.key === given[g]?.key) {
      close();
      s += 1;
      g += 1;
      fromSaid = s;
      fromGiven = g;
    } else if ((lengths[(s + 1) * width + g] ?? 0) >= (lengths[s * width + g + 1] ?? 0)) s += 1;
    else g += 1;
  }
  s = said.length;
  g = given.length;
  close();
  return { exchanges, same: lengths[0] ?? 0 };
}
