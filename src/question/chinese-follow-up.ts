import { createJiebaSegmenter } from '../retrieve/jieba-segmenter.js';
import { foldToSimplified } from '../retrieve/opencc-folding.js';
import type { FollowUpRules, Topic } from './follow-up.js';

const OPENING =
  /^(?:(?:请问|你好|您好|我?想(?:请)?问(?:一下|下)?|我?想(?:知道|了解)(?:一下|下)?|麻烦问(?:一下|下)?)[，,、\s]*)+/;
const CONNECTIVE =
  /^(?:(?:那么?(?![个款种些样项件里边])|还有|另外|然后|再|而且?|但是?|不过|所以|如果是?|要是|假如|换成|若)[，,\s]*)+/;

/** What makes a sentence a question. */
const QUESTION_WORDS = new Set(
  (
    '有没有 是不是 能不能 可不可以 会不会 要不要 需不需要 用不用 行不行 是否 什么 什么时候 啥 啥时候 多长时间 多少钱 怎么办 怎么样 为什么 为何 为啥 ' +
    '怎么 怎样 如何 多久 多长 多少 多大 几 几天 几次 几个 几年 几点 几小时 几个月 哪 哪里 哪儿 哪些 哪个 哪家 在哪 谁 可以 需要 应该 必须 可能 能够 ' +
    '能 不能 要 不要 会 不会 行 有 没有 是 不是 吗 呢 吧 啊 呀 嘛 么 了 的话 还能 还要 还会 还是'
  ).split(' '),
);

/** Words that name no subject, beside those of a question. */
const LIGHT_WORDS = new Set(
  (
    '才能 的 地 得 不 着 过 次 一次 每次 我 你 您 他 她 它 咱 们 我们 你们 您们 他们 她们 它们 咱们 一下 一 下 就 都 也 还 又 才 只 再 被 把 给 让 对 跟 和 与 或 在 从 到 ' +
    '后 以后 之后 前 之前 以前 时 上 里 个 这 那 其 此 该 这个 那个 这些 那些 这种 那种 这样 那样 这款 那款 这里 那里 这边 那边 其中 刚才 上面 前面 ' +
    '同样 除此 不然 否则 请 请问 如果 要是 那么 还有 另外 然后 而 但 但是 不过 所以 换成 的 很 太 更 最 比较 自己 本 吧 好 好的 谢谢 知道 明白 清楚 告诉'
  ).split(' '),
);

/** What a thing can have, cost or need: 需要什么材料 asks about the thing spoken of before. */
const RELATIONAL_WORDS = new Set(
  (
    '申请 办理 材料 资料 条件 收费 费用 价格 价钱 手续 手续费 时间 时候 期限 有效期 流程 步骤 电话 地址 要求 限制 限额 区别 原因 例外 取消 查询 联系 ' +
    '免费 金额 方式 方法 规定 规则 好处 坏处 危险 注意 事项 适用 支持 包括 包含 具体 一般 最高 最低 最多 最少 最快 最晚 最早 大概 一共 总共 到账 生效 失效 ' +
    '过期 开始 结束 完成 处理 解决 操作 设置 修改 使用 重要 严重 正常 情况 例子 比如 举例 详细 办 做 弄 搞 用 找 去 来 算 付 付钱 交 收 开 拿 钱 天 小时 ' +
    '月 年 元 块 城市 地区 国家 商品 产品 颜色 尺寸 型号 升级 续费 激活 关闭 开启 打开 安装 清洗 更换 治疗 预防 传染 吃药 用药 药 吃 医生 看 看病 就医 ' +
    '医院 检查 手术 忌口 治 治好 恢复 久 快 慢 贵 便宜 成 成功 失败 问题 东西 事 影响 后果 风险'
  ).split(' '),
);

const INTERROGATIVE =
  /有没有|是不是|能不能|可不可以|会不会|要不要|是否|什么|怎么|怎样|如何|多久|多长|多少|几|哪|谁|啥|为何|吗/;
const PRONOUN =
  /它们|他们|她们|它|他|她|这(?:个|款|种|些|样|项|件|笔|张|台|份|次)|那(?:个|款|种|些|样|项|件|笔|张|台|份|次(?!日))|前者|后者|该(?=产品|商品|型号|设备|机器|机型|服务|药|病|症|功能|活动|店|公司|订单|地区|政策|项目|方案|套餐|会员|配件|材料|账号)/;
/** They point back without naming a thing that could be replaced. */
const POINTER =
  /这时|那时|到时|刚才|上面|前面(?:说|提)|其中|其他|其它|这(?=[是要能会可多怎有得算])|这里|那里|这边|那边|这样|那样|也(?=[是要能会可一得算适])|同样|除此|不然|否则/;
/** 我买的锅生锈了，它保修吗: the pronoun means something in the clause before it, of so many characters. */
const ANTECEDENT_LENGTH = 2;
const CLAUSE_END = /[，,。；;！!？?了]/;
/** 那… with less than this to itself goes on with what was spoken of. */
const SUBJECT_LENGTH = 4;

/** 能抵多少钱: a question for a quantity, of a thing that is not named. */
const QUANTITY = /多久|多少|多长|多大|多高|多远|几|什么时候|何时/;
const STARTS_WITHOUT_SUBJECT = /^(?:要|能|可以|需要|会|得|多久|多少|多长|几|最[晚早多少高低长短大快慢])/;

const LONGEST_TOPIC = 40;
/** Longer ones do not read well in the place of a pronoun. */
const LONGEST_NOUN = 12;
/** A carried topic stands in brackets at the end. */
const CARRIED = /\s*（([^（）]*)）\s*$/;

/** The rules are written in simplified characters and look at the text folded to them. */
export const chineseFollowUp: FollowUpRules = {
  needsContext(question) {
    const text = foldToSimplified(question).replace(OPENING, '');
    const subject = subjectLength(text);
    if (subject === 0) return true;
    const pointer = Math.min(indexOf(text, PRONOUN), indexOf(text, POINTER));
    if (pointer < text.length && !hasAntecedent(text.slice(0, pointer))) return true;
    if (/呢[？?。\s]*$/.test(text) && !INTERROGATIVE.test(text)) return true;
    if (subject <= (QUANTITY.test(text) ? 2 : 1)) return true;
    if (STARTS_WITHOUT_SUBJECT.test(text) && QUANTITY.test(text) && subject <= SUBJECT_LENGTH) return true;
    return CONNECTIVE.test(text) && subject < SUBJECT_LENGTH;
  },

  findTopic(question) {
    const carried = CARRIED.exec(question)?.[1];
    const own = findOwnTopic(question.replace(CARRIED, ''));
    if (carried === undefined) return own;
    const text = [own.text, carried].filter((part) => part !== '').join('，');
    return { text: text.slice(0, LONGEST_TOPIC), isNoun: false };
  },

  replacePronoun(question, noun) {
    const pronoun = PRONOUN.exec(foldToSimplified(question));
    if (pronoun === null) return undefined;
    const { index, 0: text } = pronoun;
    return question.slice(0, index) + noun + question.slice(index + text.length);
  },

  readFragment(question) {
    const fragment = question
      .replace(OPENING, '')
      .replace(CONNECTIVE, '')
      .replace(/\s*呢[？?。\s]*$/, '')
      .trim();
    return /呢[？?。\s]*$/.test(question) && !INTERROGATIVE.test(fragment) ? fragment : undefined;
  },

  /** Which word of a Chinese question is the counterpart cannot be told without knowing what words mean. */
  replaceSubject: () => undefined,

  isClause: (text) => INTERROGATIVE.test(text),

  addTopic: (question, topic) => `${question}（${topic}）`,
};

function hasAntecedent(before: string): boolean {
  return CLAUSE_END.test(before) && subjectLength(before) >= ANTECEDENT_LENGTH;
}

function indexOf(text: string, pattern: RegExp): number {
  const index = text.search(pattern);
  return index === -1 ? text.length : index;
}

/** How many characters of a text name something of its own. */
function subjectLength(text: string): number {
  return cutIntoWords(text.replace(CONNECTIVE, ''))
    .filter(({ folded }) => namesSomething(folded))
    .reduce((length, { folded }) => length + folded.length, 0);
}

function namesSomething(word: string): boolean {
  return !QUESTION_WORDS.has(word) && !LIGHT_WORDS.has(word) && !RELATIONAL_WORDS.has(word);
}

interface Word {
  /** As it stands in the text. */
  text: string;
  folded: string;
}

/** Words in order; stops and other signs are left out. */
function cutIntoWords(text: string): Word[] {
  const folded = foldToSimplified(text);
  const segmenter = createJiebaSegmenter();
  // Folding gives one character for one; should it ever not, the folded text is still readable.
  const source = folded.length === text.length ? text : folded;
  return [...folded.matchAll(/\p{Script=Han}+|(?:(?!\p{Script=Han})[\p{L}\p{N}.'-])+/gu)].flatMap(
    ({ index, 0: run }) => {
      let start = index;
      return (/\p{Script=Han}/u.test(run) ? segmenter.cut(run) : [run]).map((word) => {
        const text = source.slice(start, start + word.length);
        start += word.length;
        return { text, folded: word };
      });
    },
  );
}

/** The question without its question words: 退货后多久能收到退款 → 退货后 收到退款. */
function findOwnTopic(question: string): Topic {
  const start = foldToSimplified(question).length === question.length ? skipOpening(question) : 0;
  const chunks: Word[][] = [];
  for (const clause of question.slice(start).split(/[？?！!。；;，,：:\s]+/)) {
    chunks.push([]);
    for (const word of cutIntoWords(clause)) {
      if (QUESTION_WORDS.has(word.folded)) chunks.push([]);
      else chunks.at(-1)?.push(word);
    }
  }
  const telling = chunks.filter((chunk) => chunk.some(({ folded }) => namesSomething(folded)));
  const text = telling.map((chunk) => chunk.map((word) => word.text).join('')).join(' ');
  return {
    text: text.slice(0, LONGEST_TOPIC),
    // What follows a question word is what one does: 怎么清洗滤网.
    isNoun: telling.length === 1 && telling[0] === chunks[0] && text.length <= LONGEST_NOUN,
  };
}

function skipOpening(question: string): number {
  const folded = foldToSimplified(question);
  return folded.length - folded.replace(OPENING, '').replace(CONNECTIVE, '').length;
}
