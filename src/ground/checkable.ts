import type { Claim } from './evidence.js';

const HEADING = /^\s*#{1,6}\s/;
const RULE = /^[\s|:*_-]+$/;
const QUESTION = /[?？]["”’」』)）*_]*$/;
const LEAD_IN = /[:：]["”’*_]*$/;
const GREETING =
  /^(?:hello|hi|hey|sure|certainly|of course|thanks?|thank you|you(?:’|')?re welcome|glad to|happy to|i hope|您好|你好|好的|当然|谢谢|感谢|不客气|很高兴|希望)/i;
const NOT_KNOWN =
  /\bI (?:do not|don['’]t|cannot|can['’]t) (?:know|find|tell|say|answer)\b|\b(?:passages?|sources?|knowledge base|documents?) (?:do|does)(?: not|n['’]t) (?:say|mention|contain|cover|state|include|answer)|\bnot (?:mentioned|covered|stated) in\b|不知道|不清楚|(?:资料|文档|知识库)(?:里|中)?(?:没有|未|并未)|没有(?:相关|找到|提到|提及|说明)/i;
/** With fewer terms and no number, a sentence states nothing that could be looked up. */
const FEWEST_TERMS = 2;

/** Whether a sentence states something that passages can support: not headings, questions, greetings, lead-ins, "I don't know". */
export function isCheckable({ text, terms, quantities }: Claim, isCited: boolean): boolean {
  const bare = text.trim();
  if (HEADING.test(bare) || RULE.test(bare)) return false;
  if (isCited) return true;
  if (QUESTION.test(bare) || LEAD_IN.test(bare) || GREETING.test(bare) || NOT_KNOWN.test(bare)) return false;
  return quantities.length > 0 || terms.size >= FEWEST_TERMS;
}
