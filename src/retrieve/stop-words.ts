/**
 * Words too common to find anything by. Kept short on purpose: BM25 already weighs common words down, and a word
 * wrongly listed can never be searched for.
 */
const ENGLISH =
  'a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it its ' +
  'me my of on or our she should so than that the their them then there these they this to was we were what when ' +
  'where which who why will with would you your don doesn didn isn aren won am please';

const CHINESE =
  '的 了 和 是 在 我 你 您 他 她 它 们 我们 你们 他们 这 那 这个 那个 个 也 就 都 而 及 与 或 或者 但 但是 着 过 地 得 吗 呢 吧 啊 呀 嘛 ' +
  '哦 么 什么 怎么 怎么办 怎样 怎么样 如何 为什么 哪 哪些 哪个 哪里 请 请问 想 要 会 能 可以 有 被 把 对 对于 从 到 给 让 很 还 又 再 ' +
  '如果 因为 所以 以及 一个 一下 吧 之 其 此';

export const STOP_WORDS: ReadonlySet<string> = new Set(`${ENGLISH} ${CHINESE}`.split(/\s+/));
