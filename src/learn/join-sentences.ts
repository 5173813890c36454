import type { Language } from '../types.js';
import { numbersOf, replaceAt } from './tamper.js';

/** Two sentences, mostly such as follow each other in a passage, without white space around them. */
export type Neighbours = readonly [string, string];

const STOP = /[.。]$/;
const CONNECTORS: Record<Language, readonly string[]> = { en: [', and ', '; '], zh: ['，', '；'] };
/** Words that are no names: they lose their capital inside a sentence. */
const OPENER =
  /^(?:The|An?|This|That|These|Those|There|Its?|He|She|They|We|You|Your|Our|His|Her|Their|In|On|At|By|To|For|From|With|After|Before|During|As|If|When|While)\b/;

/**
 * Both in one sentence, as language models like to say them; undefined where the first has no plain end.
 *
 * @param marker stands at the end of the first, where each cites a passage of its own
 */
export function joinSentences(
  [first, second]: Neighbours,
  language: Language,
  marker = '',
): string | undefined {
  if (!STOP.test(first)) return undefined;
  const connectors = CONNECTORS[language];
  const connector = connectors[first.length % connectors.length];
  return `${first.replace(STOP, '')}${marker}${connector}${asContinuation(second)}`;
}

/** As it is written behind other words. */
export function asContinuation(sentence: string): string {
  return OPENER.test(sentence) ? `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}` : sentence;
}

/** The first number of each in the place of the other's; undefined where one has none, or both the same. */
export function exchangeNumbers([first, second]: Neighbours, language: Language): Neighbours | undefined {
  const [[one], [other]] = [numbersOf(first, language), numbersOf(second, language)];
  if (one === undefined || other === undefined || one[0] === other[0]) return undefined;
  return [replaceAt(first, one, other[0]), replaceAt(second, other, one[0])];
}
