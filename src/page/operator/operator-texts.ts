import type { Language } from '../language.js';

const en = {
  pageTitle: (waiting: number) => `${waiting > 0 ? `(${waiting}) ` : ''}Operator desk · Askbase`,
  title: 'Operator desk',
  list: 'Conversations for people',
  nobodyWaits: 'Nobody waits for a person.',
  chooseOne: 'Choose a conversation to see what was said, and on which passages the answers rest.',
  waits: 'Waits',
  reasons: {
    asked: 'asked for a person',
    anger: 'is upset',
    'repeated-no-answer': 'got no answer, again and again',
  },
  has: (operator: string) => `${operator} answers`,
  since: (time: string) => `since ${time}`,
  unread: 'new message',
  untitled: 'Conversation',
  backToList: 'To the list',
  yourName: 'Your name, as it is shown',
  takeOver: 'Take over',
  release: 'Give back to the assistant',
  assistantHas: 'The assistant answers here.',
  assistantMeanwhile: 'The assistant answers meanwhile.',
  silent: 'The assistant is silent.',
  replyLabel: 'Your reply',
  replyPlaceholder: 'Write to the one who asks…',
  reply: 'Send',
  newsWaiting: (title: string) => `A conversation waits for a person: ${title}`,
  newsQuestion: (text: string) => `New message: ${text}`,
  problems: {
    unauthorized: 'The server wants a valid key.',
    forbidden: 'This key may not take conversations over: it lacks the scope “operate”.',
    'not-found': 'This conversation is no longer there.',
    conflict: 'Somebody else has this conversation, or gave it back.',
    unavailable: 'The server cannot do this right now.',
    'too-many-requests': 'Too much at once. Please wait a little.',
  } as Record<string, string>,
  failed: 'This did not work. Please try again.',
};

export type OperatorTexts = typeof en;

const zh: OperatorTexts = {
  pageTitle: (waiting) => `${waiting > 0 ? `(${waiting}) ` : ''}人工坐席 · Askbase`,
  title: '人工坐席',
  list: '需要人工的对话',
  nobodyWaits: '目前没有人在等人工。',
  chooseOne: '选择一个对话，查看问答内容以及回答所依据的段落。',
  waits: '等待中',
  reasons: {
    asked: '要求转人工',
    anger: '情绪激动',
    'repeated-no-answer': '多次没有得到答案',
  },
  has: (operator) => `${operator} 正在回复`,
  since: (time) => `${time} 起`,
  unread: '新消息',
  untitled: '对话',
  backToList: '返回列表',
  yourName: '你的名字（对方可见）',
  takeOver: '接手',
  release: '交还给助手',
  assistantHas: '现在由助手回答。',
  assistantMeanwhile: '其间由助手继续回答。',
  silent: '助手不再作答。',
  replyLabel: '你的回复',
  replyPlaceholder: '写给提问的人……',
  reply: '发送',
  newsWaiting: (title) => `有对话在等人工：${title}`,
  newsQuestion: (text) => `新消息：${text}`,
  problems: {
    unauthorized: '服务器需要有效的密钥。',
    forbidden: '这个密钥无权接手对话：缺少权限“operate”。',
    'not-found': '这个对话已不存在。',
    conflict: '这个对话已由他人接手，或已交还。',
    unavailable: '服务器暂时做不到。',
    'too-many-requests': '操作太频繁，请稍等片刻。',
  },
  failed: '没有成功，请重试。',
};

const TEXTS: Record<Language, OperatorTexts> = { en, zh };

/** What the operators' page says beside what it shares with the chat page. */
export function operatorTextsFor(language: Language): OperatorTexts {
  return TEXTS[language];
}
