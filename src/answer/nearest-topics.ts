import type { Abstention } from '../frames.js';
import type { Candidate, Language } from '../types.js';

type Topic = Abstention['nearestTopics'][number];

const TOPICS = 3;

/**
 * What the best candidates are about, by title and headings, each once: those in the wanted language where there are
 * any.
 */
export function nearestTopics(candidates: readonly Candidate[], language: Language): Topic[] {
  const topics = new Map<string, Topic>();
  for (const { passage, scores } of inLanguage(candidates, language)) {
    const { id: passageId, documentId, title } = passage;
    // The heading of a curated pair is a question.
    const headings = passage.kind === 'faq' ? passage.headings.slice(0, -1) : passage.headings;
    const name = [title, ...headings].join('\n');
    if (topics.size === TOPICS) break;
    if (topics.has(name)) continue;
    topics.set(name, { title, headings, documentId, passageId, score: scores.rerank?.sigmoid ?? null });
  }
  return [...topics.values()];
}

/** Questions with a curated answer that came near. */
export function nearestQuestions(candidates: readonly Candidate[], language: Language): string[] {
  return inLanguage(candidates, language)
    .filter(({ passage }) => passage.kind === 'faq')
    .flatMap(({ passage }) => passage.headings.at(-1) ?? []);
}

function inLanguage(candidates: readonly Candidate[], language: Language): readonly Candidate[] {
  const own = candidates.filter(({ passage }) => passage.language === language);
  return own.length === 0 ? candidates : own;
}
