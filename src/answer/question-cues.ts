/** What kind of fact a question asks for, and how a text looks that has one. */
interface Cue {
  question: RegExp;
  answer: RegExp;
}

const CUES: readonly Cue[] = [
  {
    question:
      /\bhow (?:long|soon|quickly|fast)\b|\bhow many (?:days|hours|weeks|months|years|minutes)\b|\bwhen\b|\bdeadline\b|多久|多长时间|几(?:天|小时|个月|年|周|个工作日)|什么时候|何时|期限/i,
    answer:
      /\d\s?(?:business |working )?(?:minutes?|hours?|days?|weeks?|months?|years?)\b|\d{1,2}:\d{2}|\b(?:immediately|at once|same day|next day)\b|[\d一二两三四五六七八九十]\s?(?:个)?(?:分钟|小时|天|日|周|星期|月|年|工作日)|立即|当天|次日|随时/i,
  },
  {
    question:
      /\bhow much\b|\bcosts?\b|\bfees?\b|\bprices?\b|\bcharges?d?\b|\bfree\b|多少钱|费用|运费|收费|价格|几块|要钱|免费|贵/i,
    answer: /[¥$€£]\s?\d|\d\s?(?:yuan|元|块|%|％)|\bfree\b|免费|包邮|不收费|免运费/i,
  },
  {
    question:
      /\bhow many\b|\bhow often\b|\bhow (?:big|heavy|large|far|hot|high)\b|多少|几(?:次|个|件|张|种|台|度|公斤|米)|多[大重高远]/i,
    answer: /\d/,
  },
  {
    question:
      /^(?:and |but )?(?:can|could|may|do|does|did|is|are|am|will|must|should|has|have)\b|吗|能不能|可不可以|是不是|是否|会不会|要不要|行不行|可以.*[？?]/i,
    answer:
      /\b(?:yes|no|not|cannot|can|may|must|never|only|always|allowed|possible)\b|可以|不可|不能|不支持|支持|必须|不必|无需|无法|需要|不要|不会|^(?:是|有|能|会|不)/i,
  },
  {
    question: /\bwhere\b|\bwhich (?:address|city|page)\b|哪里|哪儿|在哪|什么地方|地址/i,
    answer:
      /\b(?:in|at|on|under) (?:the )?(?:\*\*)?\p{Lu}|\bwebsite\b|[在到].{1,12}(?:里|中|页|处|店|仓库|地址)|地址/u,
  },
  {
    question: /\bwhy\b|\breason\b|为什么|为何|原因/i,
    answer: /\bbecause\b|\bsince\b|\bso that\b|\bcaused?\b|\bdue to\b|因为|由于|为了|所以|原因|导致|引起/i,
  },
];

const PROCEDURE =
  /\bhow (?:do|can|should|would|to)\b|\bwhat (?:should|must|do) i do\b|\bsteps?\b|\bprocedure\b|\bset up\b|怎么(?!样|回事|了|算)|如何|怎样|步骤|流程|怎么办|办法/i;

/** Whether the question asks how something is done, so that a list of steps is the answer. */
export function asksForSteps(question: string): boolean {
  return PROCEDURE.test(question) && !/\bhow (?:long|much|many|often|soon)\b/i.test(question);
}

/** The share of the kinds of fact asked for that a text has; 0 where none is asked for. */
export function answersCues(question: string, text: string): number {
  const asked = CUES.filter((cue) => cue.question.test(question));
  if (asked.length === 0) return 0;
  return asked.filter((cue) => cue.answer.test(text)).length / asked.length;
}
