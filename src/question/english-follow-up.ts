import { STOP_WORDS } from '../retrieve/stop-words.js';
import type { FollowUpRules, Topic } from './follow-up.js';

/** Words of any question that name no subject. */
const LIGHT_WORDS = new Set(
  (
    'about after again all also always another any anything before both bring but come each either else enough ever every ' +
    'find first get give go good happen happens help just know last least less let like long longer look lot make many ' +
    'maybe mine more most much must need never new next no not now often ok okay once one ones only other others otherwise ' +
    'out over put really right same say see shall since so some someone something soon still such sure take takes tell ' +
    'thanks think too two under until up us use used very via want way ways well without work works yes yet yours ' +
    "against through between may might shall it's that's what's there's i'm don't doesn't can't isn't aren't won't"
  ).split(' '),
);

/** What a thing can have or cost: "what documents do I need?" asks about the thing spoken of before. */
const RELATIONAL_WORDS = new Set(
  (
    'address allowed amount apply available begin benefits change changes charge charged cheaper cheapest condition ' +
    'conditions contact cost costs count cover covered covers date day days deadline difference document documents ' +
    'done email end exactly example examples exception exceptions expensive expire expires extra fail fails faster fee ' +
    'fees form free hour hours included includes kind kinds last lasts later limit limits maximum mean means minimum ' +
    'minutes month months number paid pay pays paper papers percent phone possible price prices procedure process ' +
    'proof quick quicker quickly reason reasons refundable required requirement requirements rule rules safe side ' +
    'eat drink sleep temperature contagious cure cures dangerous doctor hospital medicine medicines serious treat treated treatment ' +
    'activate clean install join register renew replace sign start starts step steps stop terms time times type types valid week weeks worse year years'
  ).split(' '),
);

const CONNECTIVE = /^(?:and|but|or|also|then|so|plus|ok|okay|well|now|alternatively)\b[, ]*/i;
/** "How long before bed?": a question for a quantity, of a thing that is not named. */
const QUANTITY =
  /^(?:for |at |by |until |till |within |from |on )?(?:how (?:long|much|many|often|soon|late|early|far|fast|high)|when|what (?:temperature|time|age))\b/i;
/** With an article something is named: "how long does it take to get an invoice?" */
const OWN_THING = /\b(?:an?|the|my|your|our|of) \p{L}/iu;
const WHAT_ABOUT = /^(?:what|how) (?:about|if)\b/i;
const CLAUSE =
  /\b(?:is|are|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have|had|what|when|where|who|whom|whose|which|why|how|i|you|we)\b/i;
const PREPOSITION =
  /^(?:for|to|in|with|from|on|at|if|when|after|before|by|as|via|without|under|over|within|during|outside|inside|even)\b/i;

/** "it" without a meaning of its own: "is it possible to…", "how long does it take to…". */
const EXPLETIVE =
  /\b(?:is|was|would|will) it (?:be )?(?:\w+ )?(?:possible|true|ok|okay|allowed|safe|normal|necessary|better|best|worth|legal|fine|bad|good|too late|dangerous|required|easy|hard)\b(?= (?:to|that|if|for)\b)|\bdoes it (?:take|cost|matter)\b(?=.* (?:to|if|when|until|before|that|for)\b \w)|\bit (?:takes|costs)\b(?=.* to\b)/gi;
const PRONOUN =
  /\b(?:it|they|them|this one|that one|these ones|those ones|the (?:first|second|third|last|other|cheaper|bigger|smaller|former|latter)(?: one)?|its|their|he|she|him|her|this|these|those|that)\b/gi;
/** "that" and "this" before other words belong to those. */
const ALONE =
  /^(?:\s*[?.!,;]|\s*$|\s+(?:is|are|was|were|do|does|did|can|could|will|would|has|have|cost|costs|take|takes|work|works|mean|means|apply|applies|include|includes|cover|covers|happen|happens|too|also|for|in|to|with|by|on|at|if|when|after|before|again|instead|count|counts)\b)/i;
/** "does that delete the map?" */
const AFTER_VERB =
  /\b(?:is|was|do|does|did|can|could|will|would|should|has|about|of|for|like|after|before|than) $/i;
const SHOP_ITSELF = /^\s+(?:shop|store|site|website|app|page|company|chat|assistant)\b/i;

const SCAFFOLD =
  /^(?:i['’](?:d|m|ve) (?:like |got |got to )?(?:to )?|(?:hi|hello|hey|please|ok|okay|so|and|but|also|then|well|what|how|when|where|who|which|why|whether|about|if|long|much|many|often|far|soon|fast|is|are|was|were|do|does|did|can|could|may|might|should|shall|will|would|must|has|have|had|got|i|you|we|one|to|be|need|want|know|tell|me|there|it|they|this|that|these|those|any|some|the same|kind of|kinds of|happens)\b[, ]*|(?:days|hours|weeks|months|years|time|times|money|percent)\b(?= (?:do|does|did|can|is|are|will|have|has)\b) *|(?:what|how|where|when|who)['’]s +)+/i;
/** "what is X", "how long is X": X is a thing. Not "is X refundable". */
const ASKS_FOR_NOUN =
  /^(?:\w+[, ]+)*?(?:what|where|who|when|how(?: \w+)?) (?:is|are|was|were) +$|^(?:what|where|who)['’]s +$/i;

/** "can I ", "do you have to ": a verb comes next. */
const SUBJECT_BEFORE =
  /\b(?:i|you|we|they|he|she|one)(?: (?:(?:have|need|want|like|wish) to|can|could|should|must|will|may))? $/i;
/** "does the ", "is ": a subject comes next, and then a verb or what is said of it. */
const AUXILIARY_BEFORE =
  /\b(?:do|does|did|is|are|was|were|can|could|will|would|should|must|may|has|have|had) $/i;
const ADVERB = /^(?:abroad|overseas|online|offline|home|back|away|together|worldwide|everywhere|\p{L}+ly)$/iu;

const LONGEST_TOPIC = 100;
/** A carried topic stands in brackets at the end. */
const CARRIED = /\s*\(([^()]*)\)\s*$/;

export const englishFollowUp: FollowUpRules = {
  needsContext(question) {
    const subject = subjectWords(question);
    if (subject.length === 0) return true;
    if (pronounsOf(question).some(({ index }) => subjectWords(question.slice(0, index)).length < 2))
      return true;
    const rest = question.replace(CONNECTIVE, '');
    if (rest !== question && /^(?:if|when|for|to|with|without)\b/i.test(rest)) return true;
    if (QUANTITY.test(rest) && subject.length < 2 && !OWN_THING.test(rest)) return true;
    if (WHAT_ABOUT.test(rest)) return true;
    const words = rest.match(/[\p{L}\p{N}'’-]+/gu) ?? [];
    const isFragment = !CLAUSE.test(rest) && words.length <= 6;
    if (isFragment && (PREPOSITION.test(rest) || (/\?\s*$/.test(rest) && words.length <= 4))) return true;
    return rest !== question && subject.length < 2;
  },

  findTopic(question) {
    const carried = CARRIED.exec(question)?.[1];
    const own = findOwnTopic(question.replace(CARRIED, ''));
    if (carried === undefined) return own;
    const text = [own.text, carried].filter((part) => part !== '').join(', ');
    return { text: shorten(text), isNoun: false };
  },

  replacePronoun(question, noun) {
    const pronoun = pronounsOf(question)[0];
    if (pronoun === undefined) return undefined;
    const { index, text } = pronoun;
    const possessive = /^(?:its|their|her)$/i.test(text);
    return `${question.slice(0, index)}${noun}${possessive ? "'s" : ''}${question.slice(index + text.length)}`;
  },

  readFragment(question) {
    const rest = question.replace(CONNECTIVE, '');
    const fragment = rest.replace(WHAT_ABOUT, '').trim();
    if (rest === question && fragment === rest) return undefined;
    const words = fragment.match(/[\p{L}\p{N}'’-]+/gu) ?? [];
    return CLAUSE.test(fragment) || words.length > 5 || words.length === 0 ? undefined : fragment;
  },

  replaceSubject(previous, fragment) {
    const named = fragment.replace(/[\s\p{P}]+$/u, '');
    if (named === '' || PREPOSITION.test(named) || /-/.test(named)) return undefined;
    const nouns = findNouns(previous.replace(CARRIED, ''));
    const bringsArticle = /^(?:an?|the|my|your) /i.test(named);
    // "the lid" stands in for "the pan", and "stairs" for "carpets".
    const counterpart = nouns?.find(({ article }) => article > 0 === bringsArticle) ?? nouns?.[0];
    if (counterpart === undefined) return undefined;
    const start = counterpart.start - (bringsArticle ? counterpart.article : 0);
    return previous.slice(0, start) + named + previous.slice(counterpart.end);
  },

  isClause: (text) => CLAUSE.test(text),

  addTopic: (question, topic) => `${question} (${topic})`,
};

/** Words that name something of their own. */
function subjectWords(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}'’-]+/gu) ?? [];
  return words.filter(
    (word) =>
      !STOP_WORDS.has(word) && !LIGHT_WORDS.has(word.replace('’', "'")) && !RELATIONAL_WORDS.has(word),
  );
}

interface Noun {
  /** Where its words begin, behind the article. */
  start: number;
  end: number;
  /** Length of the article before it; 0 where it has none. */
  article: number;
}

/**
 * Words side by side that name something, without the verb before them ("I wash", "to wash"). Undefined where a subject
 * and its verb cannot be told apart: "does the robot climb thresholds".
 */
function findNouns(question: string): Noun[] | undefined {
  const nouns: Noun[] = [];
  for (const { start, words } of findRuns(question)) {
    const before = question.slice(0, start);
    const isAfterVerbPlace = SUBJECT_BEFORE.test(before) || (words.length > 1 && /\bto $/i.test(before));
    const [verb = ''] = words;
    const naming = (isAfterVerbPlace ? words.slice(1) : words).join(' ');
    const article = /\b(?:an?|the|my|your) $/i.exec(before)?.[0].length ?? 0;
    if (words.length > 1 && AUXILIARY_BEFORE.test(before.slice(0, before.length - article))) return undefined;
    if (naming === '' || ADVERB.test(naming)) continue;
    const from = start + (isAfterVerbPlace ? verb.length + 1 : 0);
    nouns.push({ start: from, end: from + naming.length, article: isAfterVerbPlace ? 0 : article });
  }
  return nouns;
}

function findRuns(question: string): { start: number; words: string[] }[] {
  const runs: { start: number; end: number; words: string[] }[] = [];
  for (const { index, 0: word } of question.matchAll(/[\p{L}\p{N}'’-]+/gu)) {
    if (subjectWords(word).length === 0) continue;
    const last = runs.at(-1);
    const end = index + word.length;
    if (last !== undefined && question.slice(last.end, index) === ' ') {
      last.words.push(word);
      last.end = end;
    } else runs.push({ start: index, end, words: [word] });
  }
  return runs;
}

function pronounsOf(question: string): { index: number; text: string }[] {
  const meaningful = question.replaceAll(EXPLETIVE, (match) => ' '.repeat(match.length));
  return [...meaningful.matchAll(PRONOUN)]
    .map(({ index, 0: text }) => ({ index, text }))
    .filter(({ index, text }) => {
      const after = meaningful.slice(index + text.length);
      if (/^that$/i.test(text)) return ALONE.test(after) || AFTER_VERB.test(meaningful.slice(0, index));
      if (/^(?:this|these|those)$/i.test(text)) return !SHOP_ITSELF.test(after);
      // "the first treatment" names something.
      if (/^the /i.test(text) && !/ one$/i.test(text)) return ALONE.test(after);
      return true;
    });
}

function findOwnTopic(question: string): Topic {
  const bare = question.replace(/[?.!\s]+$/, '');
  const scaffold = SCAFFOLD.exec(bare)?.[0] ?? '';
  const text = bare.slice(scaffold.length).trim();
  if (subjectWords(text).length === 0) return { text: '', isNoun: false };
  return { text: shorten(text), isNoun: ASKS_FOR_NOUN.test(scaffold) && text.length <= LONGEST_TOPIC };
}

function shorten(text: string): string {
  return text.length <= LONGEST_TOPIC ? text : text.slice(0, text.lastIndexOf(' ', LONGEST_TOPIC));
}
