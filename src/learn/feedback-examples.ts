import type { ConversationStore } from '../store/conversation-store.js';
import type { Feedback, FeedbackStore } from '../store/feedback-store.js';
import type { Trace, TraceStore } from '../store/trace-store.js';
import { redactText } from '../telemetry/redact.js';
import type { Passage } from '../types.js';

/** What verdicts say of one question: what is relevant to it, and what is not. */
export interface FeedbackExample {
  knowledgeBase: string;
  /** As it was understood by itself, without secrets and personal data. */
  question: string;
  /** At least one. */
  relevant: Passage[];
  /** What people called wrong, then what the reranker put under its threshold, the best of it first. */
  irrelevant: Passage[];
}

/** What became of the verdicts. */
export interface FeedbackCounts {
  verdicts: number;
  /** Their trace is gone: there is a bound on how many are kept. */
  withoutTrace: number;
  /** Thumbs down for a whole answer, or up for one that cites nothing: they say nothing of a passage. */
  aboutNoPassage: number;
  /** Passages that as many called wrong as right. */
  contested: number;
  /** Questions for which nothing was called right. */
  withoutRelevant: number;
}

export interface FeedbackSource {
  feedback: Pick<FeedbackStore, 'readAllFeedback'>;
  traces: Pick<TraceStore, 'readTrace'>;
  conversations: Pick<ConversationStore, 'readFrames'>;
}

/** Passages that nobody judged, as negatives; more of them teach little and may hide a relevant one. */
const MOST_UNJUDGED = 12;

/**
 * Brings the verdicts of people together with what was shown to them. A thumbs-up is for the passages it names, else for
 * those the answer cites; a thumbs-down only for those it names, since an answer can be wrong for other reasons. The
 * same question asked twice is one example, and the majority counts.
 */
export async function collectExamples(
  { feedback, traces, conversations }: FeedbackSource,
  { knowledgeBase }: { knowledgeBase?: string } = {},
): Promise<{ examples: FeedbackExample[]; counts: FeedbackCounts }> {
  const counts = { verdicts: 0, withoutTrace: 0, aboutNoPassage: 0, contested: 0, withoutRelevant: 0 };
  const questions = new Map<string, JudgedQuestion>();
  for await (const given of feedback.readAllFeedback()) {
    const trace = await traces.readTrace(given.messageId);
    if (knowledgeBase !== undefined && trace !== undefined && trace.knowledgeBase !== knowledgeBase) continue;
    counts.verdicts += 1;
    if (trace === undefined) {
      counts.withoutTrace += 1;
      continue;
    }
    const judged = await judgedPassages(given, trace, conversations);
    if (judged.length === 0) {
      counts.aboutNoPassage += 1;
      continue;
    }
    const key = JSON.stringify([trace.knowledgeBase, plain(trace.question.standalone)]);
    const question = questions.get(key) ?? newQuestion(trace);
    questions.set(key, question);
    addVerdict(question, { given, judged, trace });
  }
  const examples: FeedbackExample[] = [];
  for (const question of questions.values()) {
    const { relevant, irrelevant, contested } = weigh(question);
    counts.contested += contested;
    if (relevant.length === 0) counts.withoutRelevant += 1;
    else
      examples.push({ knowledgeBase: question.knowledgeBase, question: question.text, relevant, irrelevant });
  }
  return { examples, counts };
}

interface JudgedQuestion {
  knowledgeBase: string;
  text: string;
  /** Votes for less votes against, by passage id. */
  votes: Map<string, { passage: Passage; sum: number }>;
  /** Under the threshold in an answer that was liked, best first. */
  unjudged: Map<string, Passage>;
}

function newQuestion({ knowledgeBase, question }: Trace): JudgedQuestion {
  return { knowledgeBase, text: redactText(question.standalone), votes: new Map(), unjudged: new Map() };
}

async function judgedPassages(
  { messageId, verdict, passageIds }: Feedback,
  { candidates }: Trace,
  conversations: FeedbackSource['conversations'],
): Promise<Passage[]> {
  const named =
    passageIds.length === 0 && verdict === 'up' ? await cited(messageId, conversations) : passageIds;
  const ids = new Set(named);
  return candidates.map(({ passage }) => passage).filter(({ id }) => ids.has(id));
}

async function cited(messageId: string, conversations: FeedbackSource['conversations']): Promise<string[]> {
  const final = (await conversations.readFrames(messageId, -1))?.at(-1);
  return final?.type === 'answer-completed' ? final.citations.map(({ passageId }) => passageId) : [];
}

function addVerdict(
  { votes, unjudged }: JudgedQuestion,
  { given, judged, trace }: { given: Feedback; judged: readonly Passage[]; trace: Trace },
): void {
  for (const passage of judged) {
    const vote = votes.get(passage.id) ?? { passage, sum: 0 };
    vote.sum += given.verdict === 'up' ? 1 : -1;
    votes.set(passage.id, vote);
  }
  if (given.verdict === 'down') return;
  for (const { passage, decision } of trace.candidates) {
    if (decision === 'below-threshold') unjudged.set(passage.id, passage);
  }
}

function weigh({ votes, unjudged }: JudgedQuestion): {
  relevant: Passage[];
  irrelevant: Passage[];
  contested: number;
} {
  const judged = [...votes.values()];
  const where = (holds: (sum: number) => boolean): Passage[] =>
    judged.filter(({ sum }) => holds(sum)).map(({ passage }) => passage);
  const others = [...unjudged.values()].filter(({ id }) => !votes.has(id)).slice(0, MOST_UNJUDGED);
  return {
    relevant: where((sum) => sum > 0),
    irrelevant: [...where((sum) => sum < 0), ...others],
    contested: where((sum) => sum === 0).length,
  };
}

/** The same question, whatever its case, width and punctuation. */
function plain(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{P}]+/gu, ' ')
    .trim();
}
